"""How a target asks a parser: what it read, or that it refused with an error that it says it has."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

_T = TypeVar("_T")


def attempt(read: Callable[[], _T], *refusals: type[Exception]) -> _T | None:
    """What `read` gives; None where it raises one of `refusals`. Anything else goes on up."""
    try:
        return read()
    except refusals:
        return None


def passes(check: Callable[[], None], *refusals: type[Exception]) -> bool:
    """Whether `check` lets something pass; not where it raises one of `refusals`."""
    try:
        check()
    except refusals:
        return False
    return True


def as_text(given: bytes) -> str:
    """The bytes as a text that anything may be in, as a command line has it."""
    return given.decode("utf-8", "surrogateescape")


def as_header(given: bytes) -> str:
    """The bytes as the value of an HTTP header: aiohttp reads UTF-8, and line ends end it."""
    return given.translate(None, b"\r\n\0").decode("utf-8", "surrogateescape")


def listed(*values: object) -> str:
    """Values as one text, which Python and TypeScript write alike."""
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"))


_HELD: Final[list[tempfile.TemporaryDirectory[str]]] = []


@functools.cache
def folder() -> Path:
    """A folder for this process, where a parser wants a file; it goes with the process."""
    made = tempfile.TemporaryDirectory(prefix="relay-fuzz-")
    _HELD.append(made)
    return Path(made.name)
