"""`make faults`: RUNS runs, counted from SEED, a line for each; ends with 1 where any found something."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import traceback
from pathlib import Path

from tests.support.faults.run import run
from tests.support.proxies import ROOT, fetch_programs

LOGS = ROOT / ".cache" / "faults"


def main() -> int:
    """Run all of them, also after one that failed."""
    first = int(os.environ.get("SEED") or secrets.randbelow(10_000))
    runs = int(os.environ.get("RUNS") or 100)
    fetch_programs()
    subprocess.run([ROOT / ".ci" / "clocks"], check=True)
    print(f"{runs} runs from seed {first} on", flush=True)  # noqa: T201 - the output of the command
    failed = []
    for seed in range(first, first + runs):
        try:
            outcome = asyncio.run(run(seed, keep=Path(LOGS)))
        except Exception:  # noqa: BLE001 - the runs after it are made all the same
            print(f"seed {seed}: did not come to its end")  # noqa: T201 - the same
            traceback.print_exc(file=sys.stdout)
            failed.append(seed)
            continue
        print(outcome, flush=True)  # noqa: T201 - the same
        if outcome.findings:
            failed.append(seed)
    for seed in failed:
        print(f"again: make faults SEED={seed} RUNS=1    its logs: {LOGS / str(seed)}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
