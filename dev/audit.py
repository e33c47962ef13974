"""`make audit`: asks the advisories of PyPI and npm what is known of flaws in what relay is made of.

It needs a network and tells them what is asked for, so it is no part of `make check`. Ends with 1 where a
flaw is known, and with 2 where nobody could be asked: nothing was found out then.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
LOCKED: Final = ("relay", "embedded", "dev", "clients", "security", "build")


def of_python(name: str) -> int:
    """0, 1 or 2, as above, for a lock file of Python's."""
    command = [
        *(str(ROOT / ".venv/security/bin/pip-audit"), "--disable-pip", "--require-hashes"),
        *("--requirement", f"requirements/{name}.txt", "--progress-spinner", "off"),
    ]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    print(f"requirements/{name}.txt: {(done.stdout or done.stderr).strip()[-2000:]}")
    answered = "vulnerabilit" in done.stdout + done.stderr
    return done.returncode if answered or done.returncode == 0 else 2


def of_pages() -> int:
    """The same for the lock file of npm, tools included."""
    done = subprocess.run(
        [ROOT / ".ci/npm", "audit", "--json"], check=False, capture_output=True, text=True
    )
    try:
        found = json.loads(done.stdout)["metadata"]["vulnerabilities"]
    except (ValueError, KeyError):
        print(f"web/package-lock.json: nobody answered: {done.stderr.strip()[-300:]}")
        return 2
    print(f"web/package-lock.json: {found}")
    return 1 if found["total"] else 0


def main() -> None:
    """Ask about all of them; the worst is how it ends."""
    sys.exit(max([*map(of_python, LOCKED), of_pages()]))


if __name__ == "__main__":
    main()
