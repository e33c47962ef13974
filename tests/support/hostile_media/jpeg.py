"""A JPEG of one colour, made here, so that its head can say what it likes."""

from __future__ import annotations

import struct
from typing import Final

_LENGTHS: Final = (b"\1" + bytes(15), b"\1" + bytes(15))


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">HH", 0xFF00 | marker, len(content) + 2) + content


def picture(
    width: int, height: int, *, says: tuple[int, int] | None = None, scans: int = 1
) -> bytes:
    """A grey picture; `says` is the size in its head, where that is another one."""
    wide, high = says or (width, height)
    frame = struct.pack(">BHHB", 8, high, wide, 1) + bytes((1, 0x11, 0))
    tables = [_segment(0xDB, b"\0" + b"\1" * 64), _segment(0xC0, frame)]
    # One code of one bit in each table: no difference, and the end of the block.
    tables += [
        _segment(0xC4, bytes((place,)) + lengths + b"\0")
        for place, lengths in zip((0, 0x10), _LENGTHS, strict=True)
    ]
    scan = _segment(0xDA, bytes((1, 1, 0, 0, 63, 0)))
    bits = 2 * ((width + 7) // 8) * ((height + 7) // 8)
    data = bytes(bits // 8) + (bytes((0xFF >> bits % 8,)) if bits % 8 else b"")
    return b"\xff\xd8" + b"".join(tables) + (scan + data) * scans + b"\xff\xd9"
