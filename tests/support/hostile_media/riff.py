"""AVI and WAV by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from tests.support.hostile_media.case import (
    BOMB,
    LARGE,
    LONG,
    PREPARED,
    STREAMS,
    TRUNCATED,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    hostile,
)
from tests.support.hostile_media.jpeg import picture


def chunk(name: bytes, content: bytes) -> bytes:
    """A RIFF chunk, to an even length."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _list(name: bytes, *chunks: bytes) -> bytes:
    return chunk(b"LIST", name + b"".join(chunks))


def _stream(
    kind: bytes, codec: bytes, form: bytes, *, scale: int = 1, rate: int = 5, length: int = 5
) -> bytes:
    head = kind + codec + struct.pack("<IHHIIIIIIIi", 0, 0, 0, 0, scale, rate, 0, length, 0, 0, 0)
    return _list(b"strl", chunk(b"strh", head + bytes(8)), chunk(b"strf", form))


def _avi(streams: list[bytes], chunks: list[bytes], *, width: int = 64, height: int = 64) -> bytes:
    head = struct.pack("<14I", 200_000, 0, 0, 0, 5, 0, len(streams), 0, width, height, 0, 0, 0, 0)
    body = _list(b"hdrl", chunk(b"avih", head), *streams) + _list(b"movi", *chunks)
    return chunk(b"RIFF", b"AVI " + body)


def _film(width: int = 64, height: int = 64, codec: bytes = b"MJPG", **others: int) -> bytes:
    size = width * height * 3
    form = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, codec, size % 2**32, 0, 0, 0, 0)
    return _stream(b"vids", codec, form, **others)


def avi_with_subtitles(text: bytes) -> bytes:
    """A film whose subtitles (GAB2) are this; ffmpeg opens them with whatever demuxer they ask for."""
    gab2 = b"GAB2\0" + struct.pack("<HI", 2, 0) + struct.pack("<HI", 4, len(text)) + text
    subtitles = _stream(b"txts", bytes(4), b"", length=1)
    frames = [chunk(b"00dc", picture(64, 64)) for _ in range(5)]
    return _avi([_film(), subtitles], [chunk(b"01tx", gab2), *frames])


def riff(seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    """AVI and WAV that say absurd things."""
    yield from _films()
    yield from _sounds(seeds)


def _films() -> Iterator[Hostile]:
    frames = [chunk(b"00dc", picture(64, 64)) for _ in range(5)]
    yield hostile("avi/by hand", _avi([_film()], frames), PREPARED)
    for scale, rate in ((0, 0), (1, 0), (0, 1), (1, 2**32 - 1), (2**32 - 1, 1), (1, 100_000)):
        content = _avi([_film(scale=scale, rate=rate)], frames)
        ends = (PREPARED, UNREADABLE, LONG, TRUNCATED)
        yield hostile(f"avi/a rate of {rate} by {scale}", content, *ends)
    absurd = _avi([_film(length=2**32 - 1)], frames)
    yield hostile("avi/4 billion pictures announced", absurd, TRUNCATED)
    many = _avi([_film()] * 300, frames)
    yield hostile("avi/300 films", many, STREAMS)
    yield hostile("avi/2000 films", _avi([_film()] * 2000, frames), STREAMS)
    for width, height in ((2**31 - 1, 2**31 - 1), (-(2**31), -(2**31)), (0, 0), (65535, 65535)):
        content = _avi([_film(width, height)], frames)
        yield hostile(f"avi/{width} by {height} announced", content, PREPARED, LARGE, UNREADABLE)
    big = [chunk(b"00dc", picture(64, 64, says=(65500, 65500))) for _ in range(5)]
    yield hostile(
        "avi/65500 by 65500 in the picture", _avi([_film()], big), LARGE, UNREADABLE, BOMB
    )
    later = [*frames, *(chunk(b"00dc", picture(64, 64, says=(65500, 65500))) for _ in range(5))]
    content = _avi([_film()], later)
    all_of = (PREPARED, LARGE, UNREADABLE, BOMB, TRUNCATED)
    yield hostile("avi/65500 by 65500 in later pictures", content, *all_of)
    for codec in (b"ZMBV", b"TSCC", b"CRAM", b"IV50", b"cvid", b"FPS1", b"LAGS", b"\0\0\0\0"):
        content = _avi([_film(codec=codec)], frames)
        yield hostile(f"avi/a codec {codec!r}", content, UNSUPPORTED)
    deep = b""
    for _ in range(5000):
        deep = _list(b"INFO", deep)
    yield hostile(
        "avi/5000 lists in each other", _avi([_film(), deep], frames), PREPARED, UNREADABLE
    )
    index = b"".join(struct.pack("<4sIII", b"00dc", 16, 4, 100) for _ in range(200_000))
    content = _avi([_film()], frames) + chunk(b"idx1", index)
    yield hostile("avi/an index of 200,000 entries", content, PREPARED, TRUNCATED, LONG, UNREADABLE)
    tags = _list(b"INFO", *(chunk(b"INAM", b"x" * 100) for _ in range(20_000)))
    yield hostile("avi/20,000 names", _avi([_film(), tags], frames), PREPARED)


def _wav(form: bytes, data: bytes, *more: bytes) -> bytes:
    return chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", form) + b"".join(more) + chunk(b"data", data))


def _form(
    tag: int = 1, channels: int = 1, rate: int = 16_000, align: int = 2, bits: int = 16
) -> bytes:
    return struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align, bits)


def _sounds(seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    data = seeds["wav"][-32000:]
    yield hostile("wav/by hand", _wav(_form(), data), PREPARED)
    ends = (PREPARED, UNREADABLE, UNSUPPORTED, LONG, TRUNCATED)
    for name, form in {
        "no rate": _form(rate=0),
        "a rate of 4 billion": _form(rate=2**32 - 1),
        "a rate of 1": _form(rate=1),
        "no channels": _form(channels=0),
        "65,535 channels": _form(channels=65535, align=65535),
        "255 channels": _form(channels=255, align=510),
        "no alignment": _form(align=0),
        "65,535 bits": _form(bits=65535),
        "no bits": _form(bits=0),
        "nothing": b"",
        "a long form": _form() + struct.pack("<H", 65000),
    }.items():
        yield hostile(f"wav/{name}", _wav(form, data), *ends)
    for tag in (0x0045, 0x0133, 0x2000, 0xA106, 0xFFFE, 0x674F, 0x0270, 0xFFFF):
        yield hostile(f"wav/a codec {tag:#06x}", _wav(_form(tag=tag), data), *ends)
    for size in (0, 1, 2**31, 2**32 - 1):
        content = _wav(_form(), data)
        at = content.index(b"data") + 4
        content = content[:at] + struct.pack("<I", size) + content[at + 4 :]
        yield hostile(f"wav/{size} bytes of sound announced", content, *ends)
    long = chunk(b"LIST", b"adtl" + struct.pack("<4sI", b"labl", 2**31))
    yield hostile("wav/a list that goes past its end", _wav(_form(), data, long), *ends)
    many = chunk(b"cue ", struct.pack("<I", 2**32 - 1) + bytes(24))
    yield hostile("wav/4 billion cue points", _wav(_form(), data, many), *ends)
    head = b"RF64" + b"\xff" * 4 + b"WAVE"
    sizes = chunk(b"ds64", struct.pack("<QQQI", 2**63, 2**63, 2**63, 2**32 - 1))
    content = head + sizes + chunk(b"fmt ", _form()) + b"data\xff\xff\xff\xff" + data
    yield hostile("wav/2^63 bytes announced", content, *ends)
