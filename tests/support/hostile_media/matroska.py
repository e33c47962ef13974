"""Matroska and WebM by hand: elements without an end, tracks that unpack, files that name others."""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from tests.support.hostile_media.case import (
    ANY,
    BOMB,
    LARGE,
    LONG,
    PREPARED,
    PROTECTED,
    SLOW,
    STREAMS,
    TRUNCATED,
    UNKNOWN,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    Places,
    hostile,
)
from tests.support.hostile_media.jpeg import picture

_EBML, _SEGMENT, _INFO, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B
_ENTRY, _CLUSTER, _CUES, _CHAPTERS, _TAGS = 0xAE, 0x1F43B675, 0x1C53BB6B, 0x1043A770, 0x1254C367
_ATTACHMENTS, _VIDEO, _AUDIO, _ENCODINGS = 0x1941A469, 0xE0, 0xE1, 0x6D80
UNKNOWN_SIZE: Final = b"\x01" + b"\xff" * 7


def element(kind: int, *content: bytes, size: bytes | None = None) -> bytes:
    """An element whose size takes eight bytes, or is these ones."""
    inside = b"".join(content)
    name = kind.to_bytes((kind.bit_length() + 7) // 8)
    return name + (b"\x01" + len(inside).to_bytes(7) if size is None else size) + inside


def number(kind: int, value: int) -> bytes:
    """An element that is an unsigned number."""
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def _text(kind: int, value: str) -> bytes:
    return element(kind, value.encode())


_HEAD: Final = element(_EBML, _text(0x4282, "matroska"))


def _track(
    *more: bytes,
    codec: str = "V_MJPEG",
    at: int = 1,
    size: tuple[int, int] = (64, 64),
    kind: int = 1,
) -> bytes:
    shown = element(_VIDEO, number(0xB0, size[0]), number(0xBA, size[1]))
    return element(
        _ENTRY,
        number(0xD7, at),
        number(0x73C5, at),
        number(0x83, kind),
        _text(0x86, codec),
        shown,
        *more,
    )


def _block(data: bytes, at: int, track: int = 1, flags: int = 0x80) -> bytes:
    return element(0xA3, bytes((0x80 | track,)) + struct.pack(">hB", at, flags) + data)


def _file(
    *tracks: bytes,
    blocks: tuple[bytes, ...] = (),
    more: bytes = b"",
    scale: int = 1_000_000,
    cluster: bytes | None = None,
) -> bytes:
    info = element(_INFO, number(0x2AD7B1, scale))
    body = element(_CLUSTER, number(0xE7, 0), *blocks) if cluster is None else cluster
    return _HEAD + element(_SEGMENT, info, element(_TRACKS, *tracks), more, body)


def _frames(data: bytes | None = None) -> tuple[bytes, ...]:
    jpeg = picture(64, 64) if data is None else data
    return tuple(_block(jpeg, 200 * n) for n in range(5))


def matroska(places: Places, webm: bytes) -> Iterator[Hostile]:
    """Everything that can be wrong with elements, tracks and blocks."""
    yield hostile("ebml/by hand", _file(_track(), blocks=_frames()), PREPARED)
    yield from _sizes(webm)
    yield from _nesting()
    yield from _links(places)
    yield from _tracks()
    yield from _packed()
    yield from _times()
    yield from _more()


def _sizes(webm: bytes) -> Iterator[Hostile]:
    sizes = {
        "0": b"\x80",
        "2^56 - 2": b"\x01" + b"\xff" * 6 + b"\xfe",
        "unknown": UNKNOWN_SIZE,
        "no length": b"\0",
    }
    for name, kind in (
        ("segment", _SEGMENT),
        ("tracks", _TRACKS),
        ("cluster", _CLUSTER),
        ("info", _INFO),
    ):
        wanted = kind.to_bytes(4)
        at = webm.rindex(wanted) if kind in {_TRACKS, _INFO} else webm.index(wanted)
        for said, size in sizes.items():
            content = webm[: at + 4] + size + webm[at + 4 + _width(webm[at + 4]) :]
            yield hostile(f"ebml/{name} of size {said}", content, *ANY)
    yield hostile(
        "ebml/a head of 2^56 bytes",
        element(_EBML, size=b"\x01" + b"\xff" * 6 + b"\xfe") + webm,
        *ANY,
    )
    yield hostile("ebml/identifiers of 100 bytes", element(_EBML, number(0x42F2, 100)) + webm, *ANY)
    yield hostile("ebml/sizes of 100 bytes", element(_EBML, number(0x42F3, 100)) + webm, *ANY)
    yield hostile(
        "ebml/another kind of document", element(_EBML, _text(0x4282, "playlist")) + webm[40:], *ANY
    )
    yield hostile(
        "ebml/a million empty elements",
        _file(_track(), more=b"\xec\x80" * 1_000_000, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
    yield hostile("ebml/a head alone", _HEAD, UNREADABLE)
    yield hostile("ebml/zeros after a head", _HEAD + bytes(100_000), UNREADABLE)


def _width(first: int) -> int:
    return 9 - first.bit_length()


def _nesting() -> Iterator[Hostile]:
    for name, kind in (
        ("segments", _SEGMENT),
        ("entries", _ENTRY),
        ("tags", 0x67C8),
        ("chapters", 0xB6),
        ("encodings", 0x6240),
    ):
        for depth in (50, 5_000):
            for size in (None, UNKNOWN_SIZE):
                inner = b""
                for _ in range(depth):
                    inner = element(kind, inner, size=size)
                how = "" if size is None else " without an end"
                place = inner if kind == _SEGMENT else element(_TRACKS, inner)
                content = _HEAD + element(_SEGMENT, place, *_frames())
                yield hostile(f"ebml nesting/{depth} {name}{how}", content, *(ANY - {PREPARED}))


def _links(places: Places) -> Iterator[Hostile]:
    name, url = f"../../../../../..{places.canary}", places.url
    info = element(
        _INFO,
        element(0x73A4, bytes(16)),
        *(_text(kind, name) for kind in (0x7384, 0x3C83AB, 0x3E83BB)),
        element(0x3CB923, b"\1" * 16),
        element(0x3EB923, b"\2" * 16),
    )
    yield hostile(
        "ebml links/to another segment", _file(_track(), more=info, blocks=_frames()), PREPARED
    )
    chapter = element(0xB6, number(0x91, 0), element(0x6E67, b"\1" * 16), number(0x6EBC, 1))
    edition = element(_CHAPTERS, element(0x45B9, number(0x45DD, 1), chapter))
    yield hostile(
        "ebml links/chapters of another segment",
        _file(_track(), more=edition, blocks=_frames()),
        PREPARED,
    )
    for kind, held in (
        ("application/vnd.apple.mpegurl", f"#EXTM3U\n#EXTINF:1,\n{url}\n"),
        ("application/x-truetype-font", "\0\1\0\0" + name),
        ("text/html", f"<video src='{url}'>"),
        ("image/png", "\x89PNG\r\n\x1a\n"),
        ("image/jpeg", "\xff\xd8\xff"),
    ):
        held_file = element(
            0x61A7,
            _text(0x466E, name),
            _text(0x4660, kind),
            element(0x465C, held.encode("latin-1")),
            number(0x46AE, 1),
        )
        content = _file(_track(), more=element(_ATTACHMENTS, held_file), blocks=_frames())
        yield hostile(f"ebml links/attached {kind}", content, PREPARED, UNREADABLE)
    external = element(0x41E4, number(0x41F0, 4), _text(0x41A4, name))
    yield hostile(
        "ebml links/a mapping that names a file",
        _file(_track(external), blocks=_frames()),
        PREPARED,
    )
    words = _file(
        _track(),
        _track(codec="S_TEXT/ASS", at=2, kind=17),
        blocks=(*_frames(), _block(f"{{\\fn{name}}}{url}".encode(), 0, track=2)),
    )
    yield hostile("ebml links/subtitles", words, PREPARED)
    mapped = element(0x6DBC, b"") + _text(0x26B240, url) + _text(0x3A9697, url)
    yield hostile(
        "ebml links/where to get the codec", _file(_track(mapped), blocks=_frames()), PREPARED
    )


def _tracks() -> Iterator[Hostile]:
    for count in (9, 120):
        tracks = [_track(at=n + 1) for n in range(count)]
        blocks = tuple(_block(picture(64, 64), 0, track=n + 1) for n in range(min(count, 120)))
        yield hostile(f"ebml tracks/{count} films", _file(*tracks, blocks=blocks), STREAMS)
    yield hostile(
        "ebml tracks/1500 films",
        _file(*(_track(at=n + 1) for n in range(1500)), blocks=_frames()),
        STREAMS,
    )
    yield hostile(
        "ebml tracks/1500 of one number", _file(*[_track()] * 1500, blocks=_frames()), STREAMS
    )
    for size in ((0, 0), (2**40, 2**40), (2**31, 1), (65535, 65535), (1, 1)):
        content = _file(_track(size=size), blocks=_frames())
        yield hostile(
            f"ebml tracks/{size[0]} by {size[1]} announced", content, PREPARED, LARGE, UNREADABLE
        )
    lying = picture(64, 64, says=(65500, 65500))
    yield hostile(
        "ebml tracks/65500 by 65500 inside",
        _file(_track(), blocks=_frames(lying)),
        LARGE,
        UNREADABLE,
        BOMB,
    )
    for codec in ("", "x" * 5000):  # FFmpeg makes no stream of it
        yield hostile(
            f"ebml tracks/codec {codec[:20]}", _file(_track(codec=codec), blocks=_frames()), UNKNOWN
        )
    for codec in ("V_UNCOMPRESSED", "V_REAL/RV40", "V_QUICKTIME", "V_FFV1", "V_SNOW", "V_"):
        yield hostile(
            f"ebml tracks/codec {codec[:20]}",
            _file(_track(codec=codec), blocks=_frames()),
            UNSUPPORTED,
        )
    fourcc = struct.pack("<IiiHH4sIiiII", 40, 64, 64, 1, 24, b"ZMBV", 0, 0, 0, 0, 0)
    content = _file(_track(element(0x63A2, fourcc), codec="V_MS/VFW/FOURCC"), blocks=_frames())
    yield hostile("ebml tracks/a codec of Windows", content, UNSUPPORTED)
    quick = _file(_track(number(0x23E383, 1)), blocks=_frames())
    yield hostile("ebml tracks/a picture each nanosecond", quick, PREPARED, UNREADABLE)
    rest = _file(_track(number(0x23E383, 2**63)), blocks=_frames())
    yield hostile("ebml tracks/a picture each century", rest, PREPARED, UNREADABLE, LONG)
    for rate, channels in ((2**31, 1), (0, 0), (1, 255), (48000, 10**9)):
        sound = element(_AUDIO, element(0xB5, struct.pack(">d", rate)), number(0x9F, channels))
        content = _file(
            element(
                _ENTRY,
                number(0xD7, 1),
                number(0x73C5, 1),
                number(0x83, 2),
                _text(0x86, "A_PCM/INT/LIT"),
                sound,
            ),
            blocks=_frames(bytes(2000)),
        )
        yield hostile(f"ebml tracks/{channels} channels at {rate}", content, *ANY)


def _by_zlib(data: bytes) -> bytes:
    return zlib.compress(data, 1)


def _by_bzlib(data: bytes) -> bytes:
    return bz2.compress(data, 1)


def _packed() -> Iterator[Hostile]:
    jpeg, empty = picture(64, 64), picture(8000, 4000)
    for name, way, pack in (
        ("zlib", 0, _by_zlib),
        ("bzlib", 1, _by_bzlib),
        ("lzo", 2, bytes),
        ("an unknown way", 9, bytes),
    ):
        packing = element(_ENCODINGS, element(0x6240, element(0x5034, number(0x4254, way))))
        for what, data, ends in (
            ("pictures", jpeg, (PREPARED, UNREADABLE)),
            ("100 MB of nothing", bytes(100_000_000), (UNREADABLE, BOMB)),
            ("large pictures", empty, (PREPARED, UNREADABLE)),
            ("zlib in zlib", zlib.compress(zlib.compress(bytes(10**7))), (UNREADABLE,)),
        ):
            if len(data) >= 10**8 and pack is bytes:
                continue
            block = pack(data)
            content = _file(_track(packing), blocks=(_block(block, 0),) * 3)
            yield hostile(f"ebml packed/{what} by {name}", content, *ends)
    head = element(
        _ENCODINGS, element(0x6240, element(0x5034, number(0x4254, 3), element(0x4255, jpeg)))
    )
    content = _file(_track(head), blocks=tuple(_block(b"", 200 * n) for n in range(5)))
    yield hostile("ebml packed/everything in the head", content, PREPARED, UNREADABLE)
    large = element(
        _ENCODINGS,
        element(0x6240, element(0x5034, number(0x4254, 3), element(0x4255, bytes(5_000_000)))),
    )
    content = _file(_track(large), blocks=tuple(_block(b"", n) for n in range(5000)))
    yield hostile("ebml packed/5 MB before each of 5,000", content, UNREADABLE, BOMB)
    thousand = element(
        _ENCODINGS, *(element(0x6240, number(0x5031, n), element(0x5034)) for n in range(1000))
    )
    yield hostile("ebml packed/1,000 ways", _file(_track(thousand), blocks=_frames()), *ANY)
    locked = element(
        _ENCODINGS, element(0x6240, number(0x5033, 1), element(0x5035, number(0x47E1, 5)))
    )
    yield hostile("ebml packed/locked", _file(_track(locked), blocks=_frames()), PROTECTED)


def _times() -> Iterator[Hostile]:
    jpeg = picture(64, 64)
    for time in (2**31, 2**40, 2**62, 2**63, 2**64 - 1):
        last = element(_CLUSTER, number(0xE7, time), _block(jpeg, 0))
        first = element(_CLUSTER, number(0xE7, 0), *_frames())
        content = _file(_track(), cluster=first + last)
        yield hostile(
            f"ebml times/a last picture at {time} ms", content, LONG, UNREADABLE, PREPARED
        )
    for scale in (0, 1, 2**32, 2**63):
        content = _file(_track(), blocks=_frames(), scale=scale)
        yield hostile(f"ebml times/ticks of {scale} ns", content, PREPARED, LONG, UNREADABLE)
    back = tuple(_block(jpeg, -(n * 1000)) for n in range(30))
    yield hostile(
        "ebml times/backwards", _file(_track(), blocks=back), PREPARED, UNREADABLE, TRUNCATED
    )
    same = tuple(_block(jpeg, 0) for _ in range(5000))
    yield hostile(
        "ebml times/5,000 pictures at once", _file(_track(), blocks=same), PREPARED, UNREADABLE
    )
    info = element(_INFO, element(0x4489, struct.pack(">d", 1e300)))
    yield hostile(
        "ebml times/a length of 10^300", _file(_track(), more=info, blocks=_frames()), PREPARED
    )
    nan = element(_INFO, element(0x4489, struct.pack(">d", float("nan"))))
    yield hostile(
        "ebml times/a length that is no number",
        _file(_track(), more=nan, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )


def _more() -> Iterator[Hostile]:
    point = element(0xBB, number(0xB3, 0), element(0xB7, number(0xF7, 1), number(0xF1, 2**62)))
    cues = element(_CUES, point * 30_000)
    yield hostile(
        "ebml more/30,000 cues beyond the end",
        _file(_track(), more=cues, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
    loop = element(
        0x114D9B74,
        *(
            element(0x4DBB, element(0x53AB, _CUES.to_bytes(4)), number(0x53AC, 0))
            for _ in range(5000)
        ),
    )
    yield hostile(
        "ebml more/5,000 heads that lead back",
        _file(_track(), more=loop, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
    atoms = [
        element(0xB6, number(0x73C4, n + 1), number(0x91, n), number(0x92, 2**62))
        for n in range(20_000)
    ]
    chapters = element(_CHAPTERS, element(0x45B9, *atoms))
    yield hostile(
        "ebml more/20,000 chapters",
        _file(_track(), more=chapters, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
    tag = element(0x67C8, _text(0x45A3, "TITLE"), _text(0x4487, "x" * 1000))
    tags = element(
        _TAGS, *(element(0x7373, tag.replace(b"TITLE", b"T%04d" % n)) for n in range(8000))
    )
    yield hostile(
        "ebml more/8 MB of tags", _file(_track(), more=tags, blocks=_frames()), PREPARED, SLOW
    )
    title = element(_INFO, _text(0x7BA9, "x" * 15_000_000))
    yield hostile(
        "ebml more/a title of 15 MB",
        _file(_track(), more=title, blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
    files = element(
        _ATTACHMENTS,
        *(
            element(
                0x61A7,
                _text(0x466E, "a"),
                _text(0x4660, "a/b"),
                element(0x465C, b"x"),
                number(0x46AE, n + 1),
            )
            for n in range(1500)
        ),
    )
    yield hostile(
        "ebml more/1,500 attachments",
        _file(_track(), more=files, blocks=_frames()),
        PREPARED,
        STREAMS,
        UNREADABLE,
    )
    for flags in (0x82, 0x84, 0x86):
        laced = tuple(
            _block(b"\xff" + b"\xff" * 200 + picture(64, 64), n, flags=flags) for n in range(50)
        )
        yield hostile(
            f"ebml more/256 in each block, flags {flags:#x}",
            _file(_track(), blocks=laced),
            PREPARED,
            UNREADABLE,
        )
    private = element(0x63A2, bytes(20_000_000))
    yield hostile(
        "ebml more/20 MB before the pictures",
        _file(_track(private), blocks=_frames()),
        PREPARED,
        UNREADABLE,
    )
