"""Cuts a sealed body into 8 MiB segments and hashes each, so that an upload is checked as it arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

from relay.domain.segments import SEGMENT_BYTES

BytesLike: TypeAlias = bytes | bytearray | memoryview


class SegmentHasher:
    """Takes a body in pieces of any size and collects the SHA-256 of each of its segments."""

    __slots__ = ("_current", "_digests", "_room")

    def __init__(self) -> None:
        self._digests: list[bytes] = []
        self._current = hashlib.sha256()
        self._room = SEGMENT_BYTES

    def update(self, data: BytesLike) -> None:
        """Take the next piece of the body."""
        rest = memoryview(data).cast("B")
        while rest:
            piece = rest[: self._room]
            rest = rest[self._room :]
            self._current.update(piece)
            self._room -= len(piece)
            if self._room == 0:
                self._close()

    def finish(self) -> list[bytes]:
        """The digests of all segments, in order; the last may be of a shorter one."""
        if self._room < SEGMENT_BYTES:
            self._close()
        return list(self._digests)

    def _close(self) -> None:
        self._digests.append(self._current.digest())
        self._current = hashlib.sha256()
        self._room = SEGMENT_BYTES


def segment_count(size: int) -> int:
    """How many segments a body of `size` bytes has."""
    return -(-size // SEGMENT_BYTES)


def segment_digests(body: Iterable[BytesLike]) -> list[bytes]:
    """SHA-256 of each segment of a body given in pieces of any size."""
    hasher = SegmentHasher()
    for piece in body:
        hasher.update(piece)
    return hasher.finish()
