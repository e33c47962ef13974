"""`make fuzz`: every format that somebody else writes, under libFuzzer; ends with 1 where one fell."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import importlib.util
import os
import re
import resource
import secrets
import subprocess
import sys
from pathlib import Path

from tests.support.fuzz import corpora
from tests.support.fuzz.keeping import keep
from tests.support.fuzz.target import Target, module_of, targets

ROOT = Path(__file__).parents[2]
FOUND = ROOT / ".cache" / "fuzz"
JOBS_MAX = 2
MINUTES = 10
INPUT_SECONDS = 10
"""After so long for one input libFuzzer ends the process: it hangs."""
MEMORY_MIB = 1536

_COVERAGE = re.compile(r"cov: (\d+)")
_STATISTIC = re.compile(r"stat::(\w+):\s+(\d+)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one target went."""

    target: Target
    executions: int
    seconds: float
    edges: int
    fresh: int
    """Inputs that took a new way."""
    crashes: list[Path]

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0
        return (
            f"{self.target.name:22} {self.executions:9,} runs {rate:7,.0f}/s {self.edges:6,} edges "
            f"{self.fresh:5,} new {len(self.crashes):2} crashes"
        )


def main() -> int:
    """What the environment asks for: one input again, what is worth keeping, or a run."""
    known = targets()
    names = os.environ.get("TARGETS", "").split() or list(known)
    if unknown := [name for name in names if name not in known]:
        print(f"no target {unknown[0]}; there are: {' '.join(known)}")  # noqa: T201 - the output of the command
        return 2
    chosen = [known[name] for name in names]
    if given := os.environ.get("INPUT"):
        return _again(chosen[0], Path(given))
    if os.environ.get("KEEP"):
        for target in chosen:
            print(f"{target.name:22} {keep(target, _corpus(target)):3} kept")  # noqa: T201 - the same
        return 0
    return _run(chosen)


def _again(target: Target, path: Path) -> int:
    """Run one input; what it raises is shown as it is."""
    print(f"{target.name}: {target.run(path.read_bytes())!r}")  # noqa: T201 - the same
    return 0


def _run(chosen: list[Target]) -> int:
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not here: see `make fuzz` in CONTRIBUTING.md")  # noqa: T201 - the same
        return 2
    jobs = min(JOBS_MAX, int(os.environ.get("JOBS") or JOBS_MAX))
    seed = int(os.environ.get("SEED") or 1 + secrets.randbelow(2**31 - 1))
    minutes = float(os.environ.get("MINUTES") or MINUTES)
    seconds = int(os.environ.get("SECONDS") or max(1, minutes * 60 * jobs / len(chosen)))
    print(f"seed {seed} (SEED={seed} begins alike)", flush=True)  # noqa: T201 - the same
    print(f"{len(chosen)} targets, {seconds} s each, {jobs} at once", flush=True)  # noqa: T201 - the same
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(_fuzz, target, seed, seconds) for target in chosen]
        for done in concurrent.futures.as_completed(running):
            outcomes.append(done.result())
            print(outcomes[-1], flush=True)  # noqa: T201 - the same
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:,.0f} seconds of processor time")  # noqa: T201 - the same
    for outcome in outcomes:
        for crash in outcome.crashes:
            print(f"again: make fuzz TARGETS={outcome.target.name} INPUT={crash}")  # noqa: T201 - the same
    return 1 if any(outcome.crashes for outcome in outcomes) else 0


def _corpus(target: Target) -> Path:
    """Where the inputs of earlier runs lie."""
    return FOUND / target.name / "corpus"


def _fuzz(target: Target, seed: int, seconds: int) -> Outcome:
    """One target for so long, or until something is found."""
    folder = _corpus(target)
    folder.mkdir(parents=True, exist_ok=True)
    for entry in corpora.load(target.name):
        name = hashlib.sha256(entry.given).hexdigest()[:40]
        (folder / name).write_bytes(entry.given)
    before = {path.name for path in folder.iterdir()}
    crashes = folder.parent / "crashes"
    crashes.mkdir(exist_ok=True)
    for old in crashes.iterdir():
        old.unlink()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzzing.child", module_of(target), target.name),
            *(f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={target.largest}"),
            *(f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}", "-print_final_stats=1"),
            *(f"-artifact_prefix={crashes}/", str(folder)),
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    said = ended.stderr.decode("utf-8", "replace") + ended.stdout.decode("utf-8", "replace")
    (folder.parent / "log").write_text(said)
    found = sorted(crashes.iterdir())
    if ended.returncode and not found:
        raise RuntimeError(f"{target.name} did not run: {said[-2000:]}")
    statistics = {name: int(number) for name, number in _STATISTIC.findall(said)}
    executions = statistics.get("number_of_executed_units", 0)
    return Outcome(
        target=target,
        executions=executions,
        seconds=executions / max(1, statistics.get("average_exec_per_sec", 0)),
        edges=max(map(int, _COVERAGE.findall(said)), default=0),
        fresh=len({path.name for path in folder.iterdir()} - before),
        crashes=found,
    )


if __name__ == "__main__":
    sys.exit(main())
