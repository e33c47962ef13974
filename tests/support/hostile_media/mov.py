"""MOV and MP4 by hand: boxes that lie about where they end, and tables that lie about how much there is."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from tests.support.hostile_media.case import (
    ANY,
    BOMB,
    LARGE,
    LONG,
    PREPARED,
    PROTECTED,
    STREAMS,
    TRUNCATED,
    UNKNOWN,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    hostile,
)
from tests.support.hostile_media.jpeg import picture
from tests.support.media import boxes

FTYP: Final = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "
_OWN: Final = b"\0\0\0\x0curl \0\0\0\1"
_BILLIONS: Final = 2**32 - 1
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with a size of four bytes."""
    inside = b"".join(content)
    return struct.pack(">I4s", len(inside) + 8, kind) + inside


def long_box(kind: bytes, content: bytes, says: int | None = None) -> bytes:
    """A box with a size of eight bytes, which may lie."""
    return struct.pack(">I4sQ", 1, kind, len(content) + 16 if says is None else says) + content


def full(kind: bytes, *content: bytes) -> bytes:
    """A box with a version and flags of 0."""
    return box(kind, bytes(4), *content)


def with_references(whole: bytes, entries: bytes, count: int = 1) -> bytes:
    """A file whose first track keeps its samples where these entries say."""
    dref = full(b"dref", struct.pack(">I", count), entries)
    return boxes.replaced(whole, b"dref", dref)


def tables(samples: int, at: int, size: int) -> dict[bytes, bytes]:
    """The sample tables of this many pictures of `size` bytes in one piece, 5 a second."""
    return {
        b"stts": full(b"stts", struct.pack(">III", 1, samples, 200)),
        b"stsc": full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        b"stsz": full(b"stsz", struct.pack(">II", size, samples)),
        b"stco": full(b"stco", struct.pack(">II", 1, at)),
    }


def track(
    stbl: Mapping[bytes, bytes],
    *,
    codec: bytes = b"jpeg",
    size: tuple[int, int] = (64, 64),
    scale: int = 1000,
    length: int = 1000,
    before: bytes = b"",
    entry: bytes = b"",
) -> bytes:
    """A track of pictures."""
    shown = struct.pack(">HH", *size)
    described = bytes(6) + struct.pack(">H", 1) + bytes(16) + shown
    described += (
        struct.pack(">IIIH", 0x480000, 0x480000, 0, 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    )
    stsd = full(b"stsd", struct.pack(">I", 1), box(codec, described, entry))
    minf = box(
        b"minf",
        box(b"vmhd", b"\0\0\0\1" + bytes(8)),
        box(b"dinf", full(b"dref", struct.pack(">I", 1), _OWN)),
        box(b"stbl", stsd, *stbl.values()),
    )
    wide = struct.pack(">II", size[0] << 16, size[1] << 16)
    return box(
        b"trak",
        box(
            b"tkhd",
            b"\0\0\0\7"
            + bytes(8)
            + struct.pack(">IIII", 1, 0, length, 0)
            + bytes(12)
            + _MATRIX
            + wide,
        ),
        before,
        box(
            b"mdia",
            full(b"mdhd", bytes(8), struct.pack(">IIHH", scale, length, 0, 0)),
            full(b"hdlr", b"mhlrvide" + bytes(13)),
            minf,
        ),
    )


def film(
    *tracks: bytes, data: bytes, scale: int = 1000, length: int = 1000, more: bytes = b""
) -> bytes:
    """A MOV whose samples come first; they begin at `BEGIN`."""
    mvhd = full(b"mvhd", bytes(8), struct.pack(">II", scale, length), bytes(16), _MATRIX, bytes(28))
    return FTYP + box(b"mdat", data) + box(b"moov", mvhd, *tracks, more)


BEGIN: Final = len(FTYP) + 8


def mov(seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    """Everything that can be wrong with boxes and tables."""
    yield from _sizes(seeds["mp4"], seeds["front.mp4"])
    yield from _nesting(seeds["mp4"])
    yield from _tables()
    yield from _counts(seeds["mp4"])
    yield from _sizes_of_pictures()
    yield from _edits(seeds["mp4"])
    yield from _headers(seeds["mp4"])
    yield from _codecs()


def _one(**others: object) -> bytes:
    jpeg = picture(64, 64)
    return film(track(tables(5, BEGIN, len(jpeg)), **others), data=jpeg * 5)  # type: ignore[arg-type]


def _sizes(back: bytes, front: bytes) -> Iterator[Hostile]:
    yield hostile("boxes/by hand", _one(), PREPARED)
    for kind in (b"ftyp", b"mdat", b"moov", b"trak", b"mdia", b"stbl", b"stsd", b"stsz"):
        for says in (0, 1, 4, 7, 9, 2**31, _BILLIONS):
            start, _ = boxes.found(back, kind)
            content = back[:start] + struct.pack(">I", says) + back[start + 4 :]
            yield hostile(f"boxes/{kind.decode()} of {says} bytes", content, *ANY)
    for says in (0, 8, 15, 2**32, 2**63 - 1, 2**63, 2**64 - 1):
        content = FTYP + long_box(b"mdat", back, says)
        yield hostile(f"boxes/mdat of {says} bytes in eight", content, TRUNCATED, UNKNOWN)
        content = back + long_box(b"moov", b"", says)
        yield hostile(
            f"boxes/moov of {says} bytes in eight", content, TRUNCATED, UNREADABLE, PREPARED
        )
    yield hostile("boxes/a million empty ones", FTYP + box(b"free") * 1_000_000, TRUNCATED)
    yield hostile(
        "boxes/a million before the rest",
        FTYP + box(b"free") * 1_000_000 + front,
        PREPARED,
        UNREADABLE,
    )
    yield hostile("boxes/nothing but a head", FTYP, TRUNCATED)
    yield hostile("boxes/an empty index", FTYP + box(b"moov") + box(b"mdat"), UNREADABLE, UNKNOWN)
    start, end = boxes.found(back, b"moov")
    yield hostile("boxes/two indexes", back + back[start:end], PREPARED, UNREADABLE)
    yield hostile(
        "boxes/a hundred indexes", back + back[start:end] * 100, PREPARED, UNREADABLE, STREAMS
    )
    yield hostile("boxes/a thousand files in one", back * 50, *ANY)


def _nesting(whole: bytes) -> Iterator[Hostile]:
    for kind in (b"moov", b"trak", b"udta", b"meta", b"wave", b"ilst"):
        for depth in (100, 5_000):
            inner = b""
            for _ in range(depth):
                inner = box(kind, inner)
            content = FTYP + box(b"moov", inner) + whole[len(FTYP) :]
            yield hostile(f"nesting/{depth} {kind.decode()} in each other", content, *ANY)
    overlapping = b"".join(struct.pack(">I4s", 8 * (1000 - n), b"trak") for n in range(1000))
    yield hostile("nesting/1000 that end together", FTYP + box(b"moov", overlapping), *ANY)


def _tables() -> Iterator[Hostile]:
    jpeg = picture(64, 64)
    plain = tables(5, BEGIN, len(jpeg))
    ends = {PREPARED, UNREADABLE, BOMB, TRUNCATED, LONG}
    for name, changed in {
        "samples of one byte": {b"stsz": full(b"stsz", struct.pack(">II", 1, _BILLIONS))},
        "samples of no bytes": {b"stsz": full(b"stsz", struct.pack(">II", 0, _BILLIONS))},
        "samples of 4 GiB": {b"stsz": full(b"stsz", struct.pack(">II", _BILLIONS, _BILLIONS))},
        "samples with lengths": {b"stts": full(b"stts", struct.pack(">III", 1, _BILLIONS, 1))},
        "entries of lengths": {b"stts": full(b"stts", struct.pack(">III", _BILLIONS, 1, 1))},
        "ticks each": {b"stts": full(b"stts", struct.pack(">III", 1, 5, _BILLIONS))},
        "ticks back": {b"stts": full(b"stts", struct.pack(">IIi", 1, 5, -(2**31)))},
        "entries of pieces": {b"stsc": full(b"stsc", struct.pack(">IIII", _BILLIONS, 1, 5, 1))},
        "samples a piece": {b"stsc": full(b"stsc", struct.pack(">IIII", 1, 1, _BILLIONS, 1))},
        "pieces": {b"stco": full(b"stco", struct.pack(">II", _BILLIONS, BEGIN))},
        "offsets": {b"stco": full(b"stco", struct.pack(">II", 1, _BILLIONS))},
        "offsets of eight bytes": {b"stco": full(b"co64", struct.pack(">IQ", 1, 2**63))},
        "shifts": {b"ctts": full(b"ctts", struct.pack(">III", 1, _BILLIONS, 2**31))},
        "entries of shifts": {b"ctts": full(b"ctts", struct.pack(">III", _BILLIONS, 1, 1))},
        "key pictures": {b"stss": full(b"stss", struct.pack(">II", _BILLIONS, 1))},
        "groups": {b"sbgp": full(b"sbgp", b"rap ", struct.pack(">III", _BILLIONS, 1, 1))},
        "sizes of 32 bits": {b"stsz": full(b"stz2", struct.pack(">II", 32, _BILLIONS))},
    }.items():
        content = film(track({**plain, **changed}), data=jpeg * 5)
        yield hostile(f"tables/billions: {name}", content, *ends)
    everything = {
        b"stts": full(b"stts", struct.pack(">III", 1, _BILLIONS, 1)),
        b"stsc": full(b"stsc", struct.pack(">IIII", 1, 1, _BILLIONS, 1)),
        b"stsz": full(b"stsz", struct.pack(">II", 1, _BILLIONS)),
        b"stco": plain[b"stco"],
    }
    yield hostile("tables/billions of everything", film(track(everything), data=jpeg * 5), *ends)
    for pictures in (100_000, 10_000_000, 50_000_000):
        content = film(
            track(
                {
                    **everything,
                    b"stts": full(b"stts", struct.pack(">III", 1, pictures, 1)),
                    b"stsc": full(b"stsc", struct.pack(">IIII", 1, 1, pictures, 1)),
                    b"stsz": full(b"stsz", struct.pack(">II", 1, pictures)),
                }
            ),
            data=jpeg * 5,
        )
        yield hostile(
            f"tables/{pictures} pictures of one byte", content, *ends, "video-took-too-long"
        )
    same = 200_000
    again = {
        b"stts": full(b"stts", struct.pack(">III", 1, same, 1)),
        b"stsc": full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        b"stsz": full(b"stsz", struct.pack(">II", len(jpeg), same)),
        b"stco": full(b"stco", struct.pack(">I", same), struct.pack(">I", BEGIN) * same),
    }
    yield hostile("tables/one picture 200,000 times", film(track(again), data=jpeg), *ends)
    large = picture(8000, 4000)
    again[b"stsz"] = full(b"stsz", struct.pack(">II", len(large), same))
    yield hostile(
        "tables/one large picture 200,000 times",
        film(track(again, size=(8000, 4000)), data=large),
        BOMB,
    )
    for kind in plain:
        name = kind.decode()
        content = film(track({k: v for k, v in plain.items() if k != kind}), data=jpeg * 5)
        yield hostile(f"tables/no {name}", content, PREPARED, UNREADABLE)
        twice = film(track({**plain, b"more": plain[kind]}), data=jpeg * 5)
        yield hostile(f"tables/two {name}", twice, PREPARED, UNREADABLE, BOMB)


def _counts(whole: bytes) -> Iterator[Hostile]:
    jpeg = picture(64, 64)
    one = track(tables(5, BEGIN, len(jpeg)))
    for count in (9, 200, 1500):
        yield hostile(f"counts/{count} tracks", film(one * count, data=jpeg * 5), STREAMS)
    empty = track(tables(0, BEGIN, 0))
    yield hostile("counts/1500 empty tracks", film(one, empty * 1500, data=jpeg * 5), STREAMS)
    chapters = box(
        b"chpl",
        b"\1" + bytes(7) + b"\xff" + b"".join(struct.pack(">QB", n, 1) + b"x" for n in range(255)),
    )
    yield hostile(
        "counts/255 chapters", film(one, data=jpeg * 5, more=box(b"udta", chapters)), PREPARED
    )
    names = b"".join(
        box(b"\xa9nam", struct.pack(">HH", 60_000, 0), b"x" * 60_000) for _ in range(150)
    )
    yield hostile(
        "counts/9 MB of names", film(one, data=jpeg * 5, more=box(b"udta", names)), PREPARED
    )
    keys = full(b"keys", struct.pack(">I", _BILLIONS), box(b"mdta", b"x"))
    meta = full(b"meta", full(b"hdlr", bytes(4) + b"mdta" + bytes(13)), keys)
    yield hostile(
        "counts/billions of keys", film(one, data=jpeg * 5, more=meta), PREPARED, UNREADABLE
    )
    loop = box(b"tref", box(b"chap", struct.pack(">II", 1, 1)))
    yield hostile("counts/chapters of itself", _one(before=loop), UNKNOWN)
    many = box(b"tref", box(b"chap", *(struct.pack(">I", 1) for _ in range(100_000))))
    yield hostile("counts/100,000 tracks of chapters", _one(before=many), UNKNOWN)
    many = full(b"stsd", struct.pack(">I", _BILLIONS), box(b"jpeg", bytes(78)))
    yield hostile("counts/billions of descriptions", boxes.replaced(whole, b"stsd", many), *ANY)


def _sizes_of_pictures() -> Iterator[Hostile]:
    for size in ((0, 0), (65535, 65535), (1, 65535), (65535, 1)):
        content = _one(size=size)
        yield hostile(
            f"pictures/{size[0]} by {size[1]} announced", content, PREPARED, LARGE, UNREADABLE
        )
    for says in ((65500, 65500), (20000, 20000)):
        lying = picture(64, 64, says=says)
        content = film(track(tables(5, BEGIN, len(lying))), data=lying * 5)
        yield hostile(f"pictures/{says[0]} by {says[1]} inside", content, LARGE, UNREADABLE, BOMB)
    for across, down in (
        (1, 2**31 - 1),
        (2**31 - 1, 1),
        (0, 0),
        (2**32 - 1, 2**32 - 1),
        (1, 65535),
    ):
        shape = box(b"pasp", struct.pack(">II", across, down))
        yield hostile(
            f"pictures/pixels of {across} to {down}", _one(entry=shape), PREPARED, UNREADABLE
        )
    clap = box(b"clap", struct.pack(">8I", *(2**32 - 1,) * 8))
    yield hostile("pictures/an absurd aperture", _one(entry=clap), PREPARED, UNREADABLE)
    scans = picture(2000, 2000, scans=300)
    content = film(track(tables(5, BEGIN, len(scans)), size=(2000, 2000)), data=scans * 5)
    yield hostile("pictures/300 scans each", content, PREPARED, UNREADABLE, BOMB)


def _edits(whole: bytes) -> Iterator[Hostile]:
    for name, entries in {
        "10,000 of a tick": [(1, 0, 0x10000)] * 10_000,
        "10,000 of everything": [(1000, 0, 0x10000)] * 10_000,
        "100,000 back and forth": [(10, n % 2 * 500, 0x10000) for n in range(100_000)],
        "2^32 ticks": [(2**32 - 1, 0, 0x10000)],
        "a wait of days": [(2**32 - 1, -1, 0x10000), (1000, 0, 0x10000)],
        "10,000 waits": [(1000, -1, 0x10000)] * 10_000,
        "before the beginning": [(1000, -(2**31), 0x10000)],
        "after the end": [(1000, 2**31 - 1, 0x10000)],
        "no speed": [(1000, 0, 0)],
        "absurd speed": [(1000, 0, 0x7FFF0000)],
        "backwards": [(1000, 0, -0x10000)],
    }.items():
        packed = b"".join(struct.pack(">Iii", *entry) for entry in entries)
        elst = full(b"elst", struct.pack(">I", len(entries)), packed)
        yield hostile(f"edits/{name}", boxes.replaced(whole, b"elst", elst), *ANY)
    billions = full(b"elst", struct.pack(">IIii", _BILLIONS, 1000, 0, 0x10000))
    yield hostile("edits/billions announced", boxes.replaced(whole, b"elst", billions), *ANY)
    wide = box(b"elst", b"\1\0\0\0" + struct.pack(">IQqI", 1, 2**63, -(2**63), 0x10000))
    yield hostile("edits/2^63 ticks", boxes.replaced(whole, b"elst", wide), *ANY)


def _headers(whole: bytes) -> Iterator[Hostile]:
    ends = {PREPARED, UNREADABLE, LONG, TRUNCATED}
    for kind in (b"mvhd", b"mdhd"):
        for scale in (0, 1, 2**31, _BILLIONS):
            content = boxes.patched(whole, kind, 12, struct.pack(">I", scale))
            yield hostile(f"headers/{kind.decode()} of {scale} ticks a second", content, *ends)
    for length in (0, 2**31, _BILLIONS):
        content = boxes.patched(whole, b"mvhd", 16, struct.pack(">I", length))
        yield hostile(f"headers/a length of {length}", content, PREPARED, LONG)
    hours = {
        **tables(5, BEGIN, len(picture(64, 64))),
        b"stts": full(b"stts", struct.pack(">III", 1, 5, 2000)),
    }
    long = film(track(hours, scale=1), data=picture(64, 64) * 5)
    yield hostile("headers/five pictures in 10,000 seconds", long, LONG)
    for number, value in enumerate((bytes(36), b"\xff" * 36, struct.pack(">9i", *(-(2**31),) * 9))):
        content = boxes.patched(whole, b"tkhd", 40, value)
        yield hostile(f"headers/matrix {number}", content, PREPARED, UNREADABLE)


def _codecs() -> Iterator[Hostile]:
    """Names of codecs that relay does not decode, on the samples of one that it does."""
    for codec in (
        b"rle ",
        b"rpza",
        b"cvid",
        b"smc ",
        b"png ",
        b"raw ",
        b"mjp2",
        b"AVdn",
        b"CFHD",
        b"icod",
        b"tga ",
        b"tiff",
        b"8BPS",
        b"WRLE",
        b"kpcd",
        b"IV50",
        b"Hap1",
        b"xxxx",
    ):
        yield hostile(f"codecs/{codec.decode().strip()}", _one(codec=codec), UNSUPPORTED)
    for codec in (b"encv", b"drmi", b"p608"):
        yield hostile(f"codecs/{codec.decode()}", _one(codec=codec), PROTECTED)
    for codec in (
        b"hvc1",
        b"av01",
        b"vp09",
        b"apch",
        b"dvc ",
        b"s263",
        b"SVQ3",
        b"SVQ1",
        b"mp4v",
        b"avc1",
    ):
        yield hostile(f"codecs/{codec.decode().strip()} that is none", _one(codec=codec), *ANY)
