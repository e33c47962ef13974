"""Reads the outside of a container in plain Python: which one, whole or cut off, locked, or a pointer.

Runs in the jail. Every refusal is a code of `relay.media.errors`.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

Read: TypeAlias = Callable[[int, int], bytes]
"""Up to so many bytes from a place, fewer only at the end."""

HEAD_BYTES = 4096
MOOV_MAX_BYTES = 256 * 1024 * 1024
DEEPEST = 32
"""Boxes or elements in each other; a recorder's go eight deep."""
_PLAYLISTS = (
    *(b"#extm3u", b"ffconcat", b"<mpd", b"<smil", b"[playlist]", b"[reference]", b"<asx"),
    *(b"rtsptext", b"smiltext"),
)
_XML_PLAYLISTS = (
    *(b"<mpd", b"<smil", b"<playlist", b"<asx", b"urn:mpeg:dash", b"<smoothstreamingmedia"),
)
_MOV_STARTS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"}
_LOCKED_ENTRIES = {b"encv", b"enca", b"encs", b"enct", b"drms", b"drmi", b"drmt", b"p608"}
_MOV_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}
_EBML_PARENTS = {0x18538067, 0x1654AE6B, 0xAE, 0x6D80, 0x6240}
_SEGMENT, _TRACKS, _CLUSTER, _ENCRYPTION = 0x18538067, 0x1654AE6B, 0x1F43B675, 0x5035
_TS_PACKET, _M2TS_PACKET = 188, 192
_TS_SYNC, _AUDIO_SYNC, _AUDIO_SYNC_REST = 0x47, 0xFF, 0xE0
_MAGIC = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"\0\0\1\xba": "mpeg",
    b"#!AM": "amr",
    b"caff": "caf",
    b"FLV\1": "flv",
    b".snd": "au",
    b"\x1f\x07\0\x3f": "dv",
    b"\x1f\x07\0\xbf": "dv",
}
_LARGEST_RIFF = 0x7FFF0000
"""What is announced from here on is what programs write that do not know: 2 or 4 GiB, less a little."""
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_LOCKS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
    bytes.fromhex("338505438169e6499b74ad12cb86d58c"),
)
"""Content encryption, as such, extended and advanced."""
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEADER_MAX_BYTES = 1024 * 1024
_IFF_AUDIO = {b"AIFF", b"AIFC"}


class RefusedError(Exception):
    """The file is not taken; the argument is the code."""


def recognize(descriptor: int) -> str:
    """The one demuxer that may read this file, by its first bytes and never by its name."""
    read = _reader(descriptor)
    head = read(HEAD_BYTES, 0)
    text = _text(head)
    if text.startswith(_PLAYLISTS) or (
        text.startswith(b"<") and any(mark in text for mark in _XML_PLAYLISTS)
    ):
        raise RefusedError("video-playlist")
    if head[:4] == b"PK\x03\x04" and head[6:7] and head[6] & 1:
        raise RefusedError("video-protected")
    # Of text in UTF-16 the first two bytes look like those of a frame of MP1.
    demuxer = None if _is_utf16(head) else _by_magic(head)
    if demuxer is None and head[:3] == b"ID3":
        after = 10 + sum(
            byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False)
        )
        demuxer = _by_magic(read(16, after)) or "mp3"
    if demuxer is None:
        raise RefusedError("video-not-recognized")
    return demuxer


def _reader(descriptor: int) -> Read:
    return lambda count, at: os.pread(descriptor, count, at)


def _held(content: bytes) -> Read:
    return lambda count, at: content[at : at + count]


def _is_utf16(head: bytes) -> bool:
    """Whether this is text of two bytes for each letter, as some editors save it."""
    zeros = {b"\xff\xfe": head[3:32:2], b"\xfe\xff": head[2:32:2]}.get(head[:2], b"")
    return bool(zeros) and not any(zeros)


def _text(head: bytes) -> bytes:
    """The first bytes as text, if they are that, in small letters and without a mark."""
    if _is_utf16(head):
        order = "utf-16-le" if head[:1] == b"\xff" else "utf-16-be"
        head = head[2:].decode(order, "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()


def _by_magic(head: bytes) -> str | None:
    """The demuxer for these first bytes, None where they are nobody's."""
    if head[4:8] in _MOV_STARTS:
        return "mov"
    if head[:4] in {b"RIFF", b"RF64"}:
        return {b"AVI ": "avi", b"WAVE": "wav"}.get(head[8:12])
    if head[:4] == b"FORM":
        return "aiff" if head[8:12] in _IFF_AUDIO else None
    if head[:16] == _ASF_HEADER:
        return "asf"
    return _MAGIC.get(head[:4]) or _by_sync(head)


def _by_sync(head: bytes) -> str | None:
    """Streams without a header are known by a byte that comes back at equal distances."""
    for packet, first in ((_TS_PACKET, 0), (_M2TS_PACKET, 4)):
        if len(head) > first + 4 * packet and set(head[first : 5 * packet : packet]) == {_TS_SYNC}:
            return "mpegts"
    if len(head) > 1 and head[0] == _AUDIO_SYNC and head[1] & _AUDIO_SYNC_REST == _AUDIO_SYNC_REST:
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return None


def check_whole(descriptor: int, demuxer: str) -> None:
    """Refuse what is cut off, locked, or keeps its content in another file."""
    read = _reader(descriptor)
    size = os.fstat(descriptor).st_size
    if demuxer == "mov":
        _check_mov(read, size)
    elif demuxer == "matroska":
        _check_matroska(read, 0, size)
    elif demuxer in {"avi", "wav"}:
        declared = struct.unpack("<I", read(4, 4))[0]
        # A recorder that could not seek back leaves 0 or one of the largest numbers.
        if size < declared < _LARGEST_RIFF:
            raise RefusedError("video-truncated")
    elif demuxer == "aiff":
        if struct.unpack(">I", read(4, 4))[0] > size:
            raise RefusedError("video-truncated")
    elif demuxer == "asf":
        _check_asf(read, size)


def _check_asf(read: Read, size: int) -> None:
    length = int.from_bytes(read(8, 16), "little")
    if length > size:
        raise RefusedError("video-truncated")
    header = read(min(length, _ASF_HEADER_MAX_BYTES), 0)
    if any(lock in header for lock in _ASF_LOCKS):
        raise RefusedError("video-protected")
    _, _, properties = header.partition(_ASF_PROPERTIES)
    declared = int.from_bytes(properties[24:32], "little")
    is_broadcast = int.from_bytes(properties[72:76], "little") & 1
    # Of a broadcast the size was not known when its header was written.
    if declared > size and not is_broadcast:
        raise RefusedError("video-truncated")


def boxes(
    read: Read, start: int, end: int, *, trailer: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte of the content and end of each box; refuses one that goes past `end`.

    With `trailer` it stops instead at what is no box at all, for some cameras append notes of their own; and
    among fragments, of which each can be decoded by itself: a phone whose battery ran out has left them.
    """
    fragments = False
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", read(8, start))
        content = start + 8
        if length == 1:
            length = int.from_bytes(read(8, content))
            content += 8
        elif length == 0:
            length = end - start
        if length < content - start or start + length > end:
            if trailer and (fragments or kind not in _MOV_STARTS):
                return
            raise RefusedError("video-truncated")
        fragments = fragments or kind == b"moof"
        yield kind, content, start + length
        start += length


def _check_mov(read: Read, size: int) -> None:
    seen = set()
    for kind, start, end in boxes(read, 0, size, trailer=True):
        seen.add(kind)
        if kind == b"moov":
            if end - start > MOOV_MAX_BYTES:
                raise RefusedError("video-expands-too-much")
            _check_moov(read, start, end)
    if b"moov" not in seen:
        # HEIC and AVIF photographs are made of the same boxes, but have no such index.
        raise RefusedError("video-not-recognized" if b"meta" in seen else "video-truncated")


def _check_moov(read: Read, start: int, end: int, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise RefusedError("video-unreadable")
    for kind, inner, stop in boxes(read, start, end):
        if kind in _MOV_PARENTS:
            _check_moov(read, inner, stop, depth + 1)
        elif kind == b"cmov":
            index = _unpacked(read, inner, stop)
            _check_moov(_held(index), 0, len(index), depth + 1)
        elif kind == b"stsd":
            if any(entry in _LOCKED_ENTRIES for entry, _, _ in boxes(read, inner + 8, stop)):
                raise RefusedError("video-protected")
        elif kind == b"dref":
            for _, entry, _ in boxes(read, inner + 8, stop):
                # The lowest flag says that the content is in this very file.
                flags = read(4, entry)[3:]
                if not flags or not flags[0] & 1:
                    raise RefusedError("video-playlist")


def _unpacked(read: Read, start: int, end: int) -> bytes:
    """The index that a QuickTime of old has put into zlib."""
    for kind, inner, stop in boxes(read, start, end):
        if kind == b"cmvd":
            unpacking = zlib.decompressobj()
            try:
                # Before it stands how long it will be, which is not believed.
                index = unpacking.decompress(
                    read(max(0, stop - inner - 4), inner + 4), MOOV_MAX_BYTES
                )
            except zlib.error:
                raise RefusedError("video-unreadable") from None
            if unpacking.unconsumed_tail:
                raise RefusedError("video-expands-too-much")
            return index
    return b""


def _vint(read: Read, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """An EBML number and how many bytes it takes; 0 bytes at the end of the file."""
    first = read(1, at)
    if not first or not first[0]:
        return 0, 0
    length = 9 - first[0].bit_length()
    number = int.from_bytes(read(length, at))
    return number if keep_marker else number & ((1 << 7 * length) - 1), length


def _check_matroska(read: Read, at: int, end: int, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise RefusedError("video-unreadable")
    while at < end:
        kind, kind_bytes = _vint(read, at, keep_marker=True)
        length, length_bytes = _vint(read, at + kind_bytes, keep_marker=False)
        if not kind_bytes or not length_bytes or kind == _CLUSTER:
            return
        content = at + kind_bytes + length_bytes
        unknown = length == (1 << 7 * length_bytes) - 1
        if not unknown and content + length > end:
            raise RefusedError("video-truncated")
        if kind == _ENCRYPTION:
            raise RefusedError("video-protected")
        if kind in _EBML_PARENTS:
            _check_matroska(read, content, end if unknown else content + length, depth + 1)
        if unknown:
            return
        at = content + length
