"""Edits the boxes of a MOV or MP4 as cameras and editors write them and ffmpeg does not."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"}


def boxes(
    content: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte and end of each box, and of those in it."""
    end = len(content) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", content[start : start + 8])
        if length == 1:
            length = int.from_bytes(content[start + 8 : start + 16])
        yield kind, start, start + length
        if kind in _PARENTS:
            yield from boxes(content, start + 8, start + length)
        start += length


def found(content: bytes, kind: bytes, number: int = 0) -> tuple[int, int]:
    """Where the box of this kind begins and ends; the first, unless told."""
    return [(start, end) for name, start, end in boxes(content) if name == kind][number]


def patched(content: bytes, kind: bytes, offset: int, new: bytes, number: int = 0) -> bytes:
    """With other bytes in a box, `offset` bytes after its type."""
    place = found(content, kind, number)[0] + 8 + offset
    return content[:place] + new + content[place + len(new) :]


def unknown(content: bytes, kind: bytes) -> bytes:
    """With a codec that nobody knows in the first sample description that says `kind`."""
    for name, start, end in boxes(content):
        if name == b"stsd" and content[start + 20 : start + 24] == kind:
            entry = content[start + 24 : end].replace(b"esds", b"dapa")
            return content[: start + 20] + b"apac" + entry + content[end:]
    raise AssertionError(kind)


def replaced(content: bytes, kind: bytes, box: bytes, number: int = 0) -> bytes:
    """With another box in place of this one; the index is behind the samples."""
    start, end = found(content, kind, number)
    return _spliced(content, start, end, box, _around(content, start, end))


def with_box_in_entry(content: bytes, kind: bytes, box: bytes) -> bytes:
    """With one more box at the end of the sample description of `kind`; the index is behind the samples."""
    start, end = next(
        (start, end)
        for name, start, end in boxes(content)
        if name == b"stsd" and content[start + 20 : start + 24] == kind
    )
    entry_end = start + 16 + int.from_bytes(content[start + 16 : start + 20])
    around = [*_around(content, start, end), start, start + 16]
    return _spliced(content, entry_end, entry_end, box, around)


def _around(content: bytes, start: int, end: int) -> list[int]:
    """Where the boxes begin that this place is in."""
    parents = [box for box in boxes(content) if box[0] in _PARENTS]
    return [begin for _, begin, stop in parents if begin < start and stop >= end]


def _spliced(content: bytes, start: int, end: int, new: bytes, around: list[int]) -> bytes:
    assert found(content, b"mdat")[0] < start, "places of samples would be others"
    changed = bytearray(content)
    for begin in around:
        length = int.from_bytes(changed[begin : begin + 4]) + len(new) - (end - start)
        changed[begin : begin + 4] = length.to_bytes(4)
    return bytes(changed[:start]) + new + bytes(changed[end:])
