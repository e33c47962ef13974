"""What a program that was started left running."""

from __future__ import annotations

from pathlib import Path


def left_in_session(session: int) -> list[str]:
    """The command line of every process of this session that has not ended."""
    left = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                left.append((folder / "cmdline").read_text())
    return left
