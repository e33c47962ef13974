"""A disk of a test's own whose power can be taken away: what was not written to it by then is gone."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SIZE: Final = "2G"
"""Of the file behind it, which takes up only what is written."""
_EXT4_IOC_SHUTDOWN: Final = 0x8004587D
_WITHOUT_THE_LOG: Final = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """An ext4 file system in a file."""

    image: Path
    folder: Path
    """Where it is mounted."""

    def take_power_away(self) -> None:
        """From now on nothing is written to it, not even what the kernel holds; every write fails."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, struct.pack("I", _WITHOUT_THE_LOG))
        finally:
            os.close(descriptor)

    def start_again(self) -> None:
        """Mount it as it is after that; whoever still has a file of it open keeps one that is dead."""
        _run("umount", "--lazy", str(self.folder))
        again = self.image.with_suffix(".again")  # the kernel still knows the one that is dead
        _run("cp", "--sparse=always", str(self.image), str(again))
        _run("mount", "-o", "loop", str(again), str(self.folder))


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """One in this folder; needs root."""
    found = Disk(image=folder / "disk.img", folder=folder / "disk")
    found.folder.mkdir()
    _run("truncate", "--size", SIZE, str(found.image))
    _run("mkfs.ext4", "-q", "-F", str(found.image))
    _run("mount", "-o", "loop", str(found.image), str(found.folder))
    try:
        found.folder.chmod(0o711)
        yield found
    finally:
        _run("umount", "--lazy", str(found.folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
