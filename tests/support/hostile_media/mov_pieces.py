"""MP4 in fragments, and indexes inside zlib, which hide what they say from whoever does not unpack them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from tests.support.hostile_media.case import (
    BOMB,
    LONG,
    PLAYLIST,
    PREPARED,
    PROTECTED,
    STREAMS,
    TRUNCATED,
    UNKNOWN,
    UNREADABLE,
    Hostile,
    hostile,
)
from tests.support.hostile_media.mov import box, full, with_references
from tests.support.media import boxes

_BILLIONS: Final = 2**32 - 1


def mov_pieces(seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    """Fragments and packed indexes."""
    yield from _fragments(seeds["fragments.mp4"])
    yield from _packed(seeds["mp4"])


def _fragments(whole: bytes) -> Iterator[Hostile]:
    ends = {PREPARED, UNREADABLE, TRUNCATED, BOMB, LONG, STREAMS}
    start = whole.index(b"moof") - 4
    for name, kind, offset, value in (
        ("billions of samples", b"trun", 8, struct.pack(">I", _BILLIONS)),
        ("all flags", b"trun", 4, b"\xff\xff\xff\xff"),
        ("offsets back", b"trun", 12, struct.pack(">i", -(2**31))),
        ("a track of 2^32", b"tfhd", 8, struct.pack(">I", _BILLIONS)),
        ("all flags of a track", b"tfhd", 4, b"\0\xff\xff\xff"),
        ("a time of 2^64", b"tfdt", 8, b"\xff" * 8),
        ("a number back", b"mfhd", 8, bytes(4)),
    ):
        at = whole.index(kind, start) + offset
        content = whole[:at] + value + whole[at + len(value) :]
        yield hostile(f"fragments/{name}", content, *ends)
    piece = whole[start:]
    yield hostile("fragments/100 times the same", whole + piece * 100, *ends)
    yield hostile(
        "fragments/10,000 empty ones", whole + box(b"moof", full(b"mfhd", bytes(4))) * 10_000, *ends
    )
    sidx = full(b"sidx", struct.pack(">IIIIHH", 1, 1, 0, 0, 0, 65535), bytes(12) * 65535)
    yield hostile("fragments/65,535 references", whole[:start] + sidx + piece, *ends)
    loop = full(b"sidx", struct.pack(">IIIIHHIII", 1, 1, 0, 0, 0, 1, 0x80000000, 1, 0))
    yield hostile("fragments/an index of itself", whole[:start] + loop + piece, *ends)
    mfra = box(
        b"mfra",
        full(b"tfra", struct.pack(">III", 1, 0, _BILLIONS)),
        full(b"mfro", struct.pack(">I", 40)),
    )
    yield hostile("fragments/billions of entries at the end", whole + mfra, *ends)


def _packed(whole: bytes) -> Iterator[Hostile]:
    start, end = boxes.found(whole, b"moov")
    index = whole[start:end]
    outside = with_references(whole, box(b"url ", bytes(4) + b"/etc/passwd\0"))
    start_outside, end_outside = boxes.found(outside, b"moov")
    locked = index.replace(b"avc1\0\0\0\0\0\0\0\x01", b"drmi\0\0\0\0\0\0\0\x01")
    for name, inner, says, ends in (
        ("as it is", index, len(index), (PREPARED,)),
        ("with a reference", outside[start_outside:end_outside], None, (PLAYLIST,)),
        ("locked", locked, None, (PROTECTED,)),
        ("of 4 GiB announced", index, _BILLIONS, (UNREADABLE, BOMB, PREPARED)),
        ("of nothing announced", index, 0, (UNREADABLE, PREPARED)),
        ("50 MB of nothing", bytes(50_000_000), None, (UNKNOWN, UNREADABLE, BOMB)),
        ("300 MB of nothing", bytes(300_000_000), None, (BOMB,)),
        ("9 tracks", box(b"moov", index[8:116], index[116:] * 9), None, (STREAMS, UNREADABLE)),
        ("in itself", packed_index(index), None, (UNREADABLE, PREPARED)),
    ):
        packed = packed_index(inner, says)
        yield hostile(f"packed/{name}", whole[:start] + packed, *ends)
    broken = box(
        b"moov",
        box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", 1000), b"x" * 500)),
    )
    yield hostile("packed/no zlib", whole[:start] + broken, UNREADABLE)


def packed_index(inner: bytes, says: int | None = None) -> bytes:
    """An index that holds another one in zlib, and says that it is so long."""
    size = struct.pack(">I", len(inner) if says is None else says)
    packed = box(b"cmvd", size, zlib.compress(inner, 1))
    return box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), packed))
