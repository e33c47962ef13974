"""`make check-security`: looks for mistakes that leak or let somebody in; none of it needs a network.

Ends with 1 where one of them finds something. What is looked for, and what is set aside with a reason, is in
`security/` and in `[tool.bandit]` of pyproject.toml.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ROOT / ".venv/security/bin"
RULES: Final = ROOT / "security/semgrep.yaml"
SECRETS: Final = ROOT / "security/secrets.json"
PYTHON: Final = ("relay", "workers", "deploy/example-host", "dev", "bench")
KNOWN_ELSEWHERE: Final = 3
"""What detect-secrets ends with where all that it found is known, and some of it in other lines."""
OFFLINE: Final = {"SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0"}


def semgrep(*arguments: str | Path) -> list[str]:
    """A command that scans by the local rules, asks nobody for others, and tells nobody."""
    quiet = ("--metrics", "off", "--disable-version-check", "--quiet", "--jobs", "2")
    return [str(TOOLS / "semgrep"), "scan", "--config", str(RULES), *quiet, *map(str, arguments)]


def bandit(*arguments: str | Path) -> list[str]:
    """A command that scans by bandit's rules."""
    configured = ("--quiet", "-c", str(ROOT / "pyproject.toml"))
    return [str(TOOLS / "bandit"), *configured, *map(str, arguments)]


@contextlib.contextmanager
def detect_secrets(*files: str | Path) -> Iterator[list[str]]:
    """A command that finds in files what looks like a key and is not in the list of what is none.

    It works on a copy of the list, in which it writes the lines where each is now.
    """
    with tempfile.TemporaryDirectory(prefix="relay-secrets-") as folder:
        known = shutil.copy(SECRETS, folder)
        yield [str(TOOLS / "detect-secrets-hook"), "--baseline", known, *map(str, files)]


def tracked() -> list[str]:
    """Every file of the repository that may hold a secret.

    Lists of hashes hold none, a test makes the vectors of the protocol again from known seeds, and the keys
    in the corpora of the fuzzing are of such seeds too.
    """
    done = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True, cwd=ROOT)
    files = done.stdout.decode().split("\0")
    return [
        file
        for file in files
        if file
        and not file.endswith(("package-lock.json", ".png", ".sample"))
        and not file.startswith(
            ("requirements/", "security/secrets.json", "tests/fuzzing/corpora/", "tests/vectors/")
        )
    ]


def environment() -> dict[str, str]:
    """That of this process, and what keeps tools from asking anybody."""
    return {**os.environ, **OFFLINE}


def run(name: str, command: Sequence[str], *, nothing: Sequence[int] = (0,)) -> bool:
    """Whether a command found nothing, by its exit codes for that; what it said is printed."""
    began = time.monotonic()
    print(f"{name}:", flush=True)
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment())
    print(f"{name} ended with {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode in nothing


def main() -> None:
    """Run all of them, also where an earlier one found something."""
    with detect_secrets(*tracked()) as detecting:
        found_nothing = [
            run("bandit", bandit("-r", *PYTHON)),
            run(
                "semgrep", semgrep("--error", "relay", "workers", "deploy/example-host", "web/src")
            ),
            run("detect-secrets", detecting, nothing=(0, KNOWN_ELSEWHERE)),
        ]
    sys.exit(0 if all(found_nothing) else 1)


if __name__ == "__main__":
    main()
