"""The inputs that are kept: a file for each target, an input a line, with what has to come of it.

    {"text":"bytes=0-4","read":"0 5"}      read, and as what
    {"b64":"//8=","read":null}             refused
    {"text":"…","read":null,"found":"…"}   one that something went wrong with once, and what

The tests of the pages read the same files where they parse the same format.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parents[2] / "fuzzing" / "corpora"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An input and what comes of it."""

    text: str | None = None
    b64: str | None = None
    read: str | msgspec.UnsetType | None = msgspec.UNSET
    found: str | None = None

    @classmethod
    def of(cls, given: bytes, read: str | None, found: str | None = None) -> Entry:
        """As it stands in a file: as text where it is one."""
        try:
            text = given.decode("utf-8")
        except UnicodeDecodeError:
            return cls(b64=base64.b64encode(given).decode("ascii"), read=read, found=found)
        return cls(text=text, read=read, found=found)

    @property
    def given(self) -> bytes:
        """The input itself."""
        return (
            base64.b64decode(self.b64)
            if self.text is None and self.b64
            else (self.text or "").encode()
        )


def load(name: str) -> list[Entry]:
    """The corpus of a target; nothing where it has none yet."""
    path = FOLDER / f"{name}.jsonl"
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()]


def save(name: str, entries: Iterable[Entry]) -> None:
    """Write a corpus, each input once."""
    kept = {entry.given: entry for entry in reversed(list(entries))}
    lines = [msgspec.json.encode(entry) + b"\n" for entry in reversed(kept.values())]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.jsonl").write_bytes(b"".join(lines))
