"""Proves that nothing identifying is left in a rendition and its poster; what is not known is refused.

Two looks: PyAV's facts (read in a fresh jail), and a walk over the bytes here, in plain Python,
that knows every box and segment which may be there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from relay.media.errors import TracesRemained
from relay.media.facts import Facts
from relay.media.memory import MemoryFile
from relay.settings import MIB

MOOV_MAX_BYTES = 64 * MIB

_TOP = {b"ftyp", b"moov", b"mdat", b"free"}
_PARENTS = {
    b"moov": {b"mvhd", b"trak", b"udta"},
    b"trak": {b"tkhd", b"edts", b"mdia"},
    b"edts": {b"elst"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"smhd", b"dinf", b"stbl"},
    b"dinf": {b"dref"},
    b"stbl": {
        b"stsd",
        b"stts",
        b"ctts",
        b"stss",
        b"stsc",
        b"stsz",
        b"stco",
        b"co64",
        b"sgpd",
        b"sbgp",
    },
}
_NO_TAGS = (
    b"\0\0\0\x35meta\0\0\0\0\0\0\0\x21hdlr\0\0\0\0\0\0\0\0mdirappl" + bytes(9) + b"\0\0\0\x08ilst"
)
"""The empty list of tags that the muxer writes; any other is refused."""
_ENTRIES = {b"avc1": (78, {b"avcC", b"colr", b"pasp", b"btrt"}), b"mp4a": (28, {b"esds", b"btrt"})}
"""Sample entries: bytes before the boxes in them, and which those may be."""
_FILE_TAGS = {"major_brand", "minor_version", "compatible_brands"}
_STREAM_TAGS = {"language": {"und"}, "handler_name": {"VideoHandler", "SoundHandler"}}
_STREAM_TAGS |= {"vendor_id": {"[0][0][0][0]"}, "encoder": {"Lavc libx264"}}
_SHORTEST_HEADER = 24
"""Bytes of the mdhd of version 0; the others are longer."""
_IDENTITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_JPEG_SEGMENTS = {0xDB, 0xC0, 0xC4, 0xDA, 0xDD}
_JFIF, _JFIF_BYTES, _SCAN = 0xE0, 16, 0xDA


def check_rendition(rendition: MemoryFile, facts: Facts) -> None:
    """Raise TracesRemained, naming the place, where anything but picture and sound is left."""
    _check_facts(facts)
    order = []
    for kind, start, end in _boxes(rendition, 0, rendition.size):
        if kind not in _TOP:
            raise TracesRemained("an unknown box")
        order.append(kind)
        if kind == b"moov":
            if end - start > MOOV_MAX_BYTES:
                raise TracesRemained("an index too large to look through")
            _check_children(rendition, kind, start, end)
        if kind == b"free" and rendition.read_at(start, end - start).strip(b"\0"):
            raise TracesRemained("something in free space")
    if [kind for kind in order if kind != b"free"] != [b"ftyp", b"moov", b"mdat"]:
        raise TracesRemained("an index that is not at the front")


def _check_facts(facts: Facts) -> None:
    if facts.chapters or set(facts.tags) - _FILE_TAGS:
        raise TracesRemained("tags of the file")
    for stream in facts.streams:
        if stream.kind not in {"video", "audio"}:
            raise TracesRemained("a stream that is neither picture nor sound")
        if stream.rotation:
            raise TracesRemained("a rotation")
        if any(value not in _STREAM_TAGS.get(name, ()) for name, value in stream.tags.items()):
            raise TracesRemained("tags of a stream")


def _check_children(file: MemoryFile, parent: bytes, start: int, end: int) -> None:
    for kind, inner, stop in _boxes(file, start, end):
        if kind not in _PARENTS[parent]:
            raise TracesRemained("an unknown box in the index")
        if kind in _PARENTS:
            _check_children(file, kind, inner, stop)
        elif kind == b"udta":
            if file.read_at(inner, stop - inner) != _NO_TAGS:
                raise TracesRemained("a list of tags")
        elif kind == b"stsd":
            _check_entries(file, inner + 8, stop)
        elif kind in {b"mvhd", b"tkhd", b"mdhd"}:
            _check_header(kind, file.read_at(inner, stop - inner))


def _check_entries(file: MemoryFile, start: int, end: int) -> None:
    for kind, inner, stop in _boxes(file, start, end):
        fixed, known = _ENTRIES.get(kind, (0, set[bytes]()))
        if not known or any(box not in known for box, _, _ in _boxes(file, inner + fixed, stop)):
            raise TracesRemained("an unknown box in a sample description")


def _check_header(kind: bytes, content: bytes) -> None:
    """No time of day, and no turning or mirroring left to the player."""
    if len(content) < _SHORTEST_HEADER:
        raise TracesRemained("a header that is cut short")
    times = content[4:20] if content[0] else content[4:12]
    if any(times):
        raise TracesRemained("a time of recording")
    if kind == b"tkhd" and content[-44:-8] != _IDENTITY_MATRIX:
        raise TracesRemained("a display matrix")


def _boxes(file: MemoryFile, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start < end:
        head = file.read_at(start, 16)
        if len(head) < 8:  # noqa: PLR2004 - length and type
            raise TracesRemained("bytes after the last box")
        length, kind = struct.unpack(">I4s", head[:8])
        content = start + 8
        if length == 1:
            length, content = int.from_bytes(head[8:16]), start + 16
        if length < content - start or start + length > end:
            raise TracesRemained("a box that does not fit")
        yield kind, content, start + length
        start += length


def check_poster(poster: MemoryFile) -> None:
    """Raise TracesRemained unless it is a bare JPEG: tables, one picture, no comment, no EXIF."""
    data = poster.read_at(0, poster.size)
    if data[:2] != _JPEG_START or data[-2:] != _JPEG_END:
        raise TracesRemained("a poster that is no JPEG")
    at = 2
    while at + 4 <= len(data):
        marker, length = struct.unpack(">HH", data[at : at + 4])
        kind = marker & 0xFF
        if marker >> 8 != 0xFF or not (  # noqa: PLR2004 - every marker starts so
            kind in _JPEG_SEGMENTS or (kind == _JFIF and length == _JFIF_BYTES)
        ):
            raise TracesRemained("a segment of the poster")
        at += 2 + length
        if kind == _SCAN:
            break
    else:
        raise TracesRemained("a poster without a picture")
    # In the scan 0xFF is followed by 0 or a restart marker, so the first other marker must be the end.
    rest = data[at:-2]
    for index in range(8):
        rest = rest.replace(bytes((0xFF, 0xD0 + index)), b"")
    if b"\xff" in rest.replace(b"\xff\x00", b""):
        raise TracesRemained("something after the picture of the poster")
