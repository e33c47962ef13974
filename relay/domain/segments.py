"""How a sealed body is cut for storage: segments of 8 MiB, each one object, numbered from 0."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""Size of every segment but the last, which is what remains and never empty."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSlice:
    """The bytes `start` to `stop` (not included) inside segment `number`."""

    number: int
    start: int
    stop: int


def segment_slices(start: int, stop: int) -> Iterator[SegmentSlice]:
    """The segments that hold the bytes `start` to `stop` (not included) of a body, in order."""
    while start < stop:
        number, inside = divmod(start, SEGMENT_BYTES)
        length = min(SEGMENT_BYTES - inside, stop - start)
        yield SegmentSlice(number=number, start=inside, stop=inside + length)
        start += length


def segment_end(offset: int, size: int) -> int:
    """Where the segment that holds byte `offset` ends, in a body of `size` bytes."""
    return min(offset - offset % SEGMENT_BYTES + SEGMENT_BYTES, size)
