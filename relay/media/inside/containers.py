"""Reads the outside of a container in plain Python: which one, whole or cut off, locked, or a pointer.

Runs in the jail. Every refusal is a code of `relay.media.errors`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

HEAD_BYTES = 4096
MOOV_MAX_BYTES = 256 * 1024 * 1024
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"<mpd", b"<smil", b"[playlist]", b"<asx", b"rtsptext")
_XML_PLAYLISTS = (b"<mpd", b"<smil", b"<playlist", b"<asx", b"urn:mpeg:dash")
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
    head = os.pread(descriptor, HEAD_BYTES, 0)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PLAYLISTS) or (
        text.startswith(b"<") and any(mark in text for mark in _XML_PLAYLISTS)
    ):
        raise RefusedError("video-playlist")
    if head[:4] == b"PK\x03\x04" and head[6:7] and head[6] & 1:
        raise RefusedError("video-protected")
    demuxer = _by_magic(head)
    if demuxer is None and head[:3] == b"ID3":
        after = 10 + sum(
            byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False)
        )
        demuxer = _by_magic(os.pread(descriptor, 16, after)) or "mp3"
    if demuxer is None:
        raise RefusedError("video-not-recognized")
    return demuxer


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
    size = os.fstat(descriptor).st_size
    if demuxer == "mov":
        _check_mov(descriptor, size)
    elif demuxer == "matroska":
        _check_matroska(descriptor, 0, size)
    elif demuxer in {"avi", "wav"}:
        declared = struct.unpack("<I", os.pread(descriptor, 4, 4))[0]
        # A recorder that could not seek back leaves 0 or one of the largest numbers.
        if size < declared < _LARGEST_RIFF:
            raise RefusedError("video-truncated")
    elif demuxer == "aiff":
        if struct.unpack(">I", os.pread(descriptor, 4, 4))[0] > size:
            raise RefusedError("video-truncated")
    elif demuxer == "asf":
        _check_asf(descriptor, size)


def _check_asf(descriptor: int, size: int) -> None:
    length = int.from_bytes(os.pread(descriptor, 8, 16), "little")
    if length > size:
        raise RefusedError("video-truncated")
    header = os.pread(descriptor, min(length, _ASF_HEADER_MAX_BYTES), 0)
    if any(lock in header for lock in _ASF_LOCKS):
        raise RefusedError("video-protected")
    _, _, properties = header.partition(_ASF_PROPERTIES)
    declared = int.from_bytes(properties[24:32], "little")
    is_broadcast = int.from_bytes(properties[72:76], "little") & 1
    # Of a broadcast the size was not known when its header was written.
    if declared > size and not is_broadcast:
        raise RefusedError("video-truncated")


def boxes(
    descriptor: int, start: int, end: int, *, trailer: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte of the content and end of each box; refuses one that goes past `end`.

    With `trailer` it stops instead at what is no box at all, for some cameras append notes of their own; and
    among fragments, of which each can be decoded by itself: a phone whose battery ran out has left them.
    """
    fragments = False
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", os.pread(descriptor, 8, start))
        content = start + 8
        if length == 1:
            length = int.from_bytes(os.pread(descriptor, 8, content))
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


def _check_mov(descriptor: int, size: int) -> None:
    seen = set()
    for kind, start, end in boxes(descriptor, 0, size, trailer=True):
        seen.add(kind)
        if kind == b"moov":
            if end - start > MOOV_MAX_BYTES:
                raise RefusedError("video-expands-too-much")
            _check_moov(descriptor, start, end)
    if b"moov" not in seen:
        # HEIC and AVIF photographs are made of the same boxes, but have no such index.
        raise RefusedError("video-not-recognized" if b"meta" in seen else "video-truncated")


def _check_moov(descriptor: int, start: int, end: int) -> None:
    for kind, inner, stop in boxes(descriptor, start, end):
        if kind in _MOV_PARENTS:
            _check_moov(descriptor, inner, stop)
        elif kind == b"stsd":
            if any(entry in _LOCKED_ENTRIES for entry, _, _ in boxes(descriptor, inner + 8, stop)):
                raise RefusedError("video-protected")
        elif kind == b"dref":
            for _, entry, _ in boxes(descriptor, inner + 8, stop):
                # The lowest flag says that the content is in this very file.
                if (
                    not os.pread(descriptor, 4, entry)[3:]
                    or not os.pread(descriptor, 4, entry)[3] & 1
                ):
                    raise RefusedError("video-playlist")


def _vint(descriptor: int, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """An EBML number and how many bytes it takes; 0 bytes at the end of the file."""
    first = os.pread(descriptor, 1, at)
    if not first or not first[0]:
        return 0, 0
    length = 9 - first[0].bit_length()
    number = int.from_bytes(os.pread(descriptor, length, at))
    return number if keep_marker else number & ((1 << 7 * length) - 1), length


def _check_matroska(descriptor: int, at: int, end: int) -> None:
    while at < end:
        kind, kind_bytes = _vint(descriptor, at, keep_marker=True)
        length, length_bytes = _vint(descriptor, at + kind_bytes, keep_marker=False)
        if not kind_bytes or not length_bytes or kind == _CLUSTER:
            return
        content = at + kind_bytes + length_bytes
        unknown = length == (1 << 7 * length_bytes) - 1
        if not unknown and content + length > end:
            raise RefusedError("video-truncated")
        if kind == _ENCRYPTION:
            raise RefusedError("video-protected")
        if kind in _EBML_PARENTS:
            _check_matroska(descriptor, content, end if unknown else content + length)
        if unknown:
            return
        at = content + length
