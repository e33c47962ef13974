"""Which of the inputs that a run made are worth keeping: the smallest that take all of their ways."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import relay
from tests.support.fuzz import corpora
from tests.support.fuzz.corpora import Entry
from tests.support.fuzz.target import Target, shown

KEPT_BYTES: Final = 600
"""A longer input is no seed: what it takes is found again."""
KEPT_MAX: Final = 12
"""Beside those that were there."""
_HERE: Final = str(Path(relay.__file__).parent)


def keep(target: Target, folder: Path) -> int:
    """Add to the corpus of a target what takes new ways among the files of a folder; how many it added.

    What any of them raises goes on up: a run that found something is mended before its inputs are kept.
    """
    entries = corpora.load(target.name)
    known: set[object] = set()
    for entry in entries:
        known |= _ways(target, entry.given)[1]
    added: list[Entry] = []
    for given in _smallest(folder):
        read, ways = _ways(target, given)
        if ways - known and len(added) < KEPT_MAX:
            known |= ways
            added.append(Entry.of(given, shown(read)))
    corpora.save(target.name, [*entries, *added])
    return len(added)


def _smallest(folder: Path) -> Iterator[bytes]:
    contents = (path.read_bytes() for path in folder.iterdir()) if folder.is_dir() else iter(())
    return iter(sorted((c for c in contents if len(c) <= KEPT_BYTES), key=lambda c: (len(c), c)))


def _ways(target: Target, given: bytes) -> tuple[str | None, set[object]]:
    """What is read, and the pairs of lines of relay that follow one another meanwhile."""
    ways: set[object] = set()

    def enter(frame: FrameType, _event: str, _value: Any) -> Callable[..., Any] | None:
        file = frame.f_code.co_filename
        if not file.startswith(_HERE):
            return None
        before = 0

        def line(inner: FrameType, event: str, _value: Any) -> Callable[..., Any]:
            nonlocal before
            if event == "line":
                ways.add((file, before, inner.f_lineno))
                before = inner.f_lineno
            return line

        return line

    sys.settrace(enter)
    try:
        return target.run(given), ways
    finally:
        sys.settrace(None)
