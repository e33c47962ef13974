"""Memory for one segment of a body: taken from the system page by page as it fills, given back at once.

Not a bytes object, because the allocator keeps freed blocks of this size for later, and with many
uploads at once it would come to hold half as much again as they need. Very few are kept for the next
to use: with a fast sender, taking fresh pages costs a third of all the work.
"""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import weakref
from typing import Final, TypeAlias

from relay.domain.segments import SEGMENT_BYTES

SPARE_SEGMENTS: Final = 2
PLENTY_SEGMENTS: Final = 4
"""In use at once in this process, before uploads are told to hold fewer."""

BytesLike: TypeAlias = bytes | bytearray | memoryview


class SegmentBuffer:
    """Up to 8 MiB, written from the start on."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SEGMENT_BYTES)
        self._size = 0

    def __len__(self) -> int:
        """How many bytes were written."""
        return self._size

    @property
    def room(self) -> int:
        """How many bytes may still be written."""
        return SEGMENT_BYTES - self._size

    def write(self, data: BytesLike) -> None:
        """Add bytes, of which there are no more than there is room for."""
        self._memory[self._size : self._size + len(data)] = data
        self._size += len(data)

    def clear(self) -> None:
        """Forget what was written, and keep the memory."""
        self._size = 0

    def view(self) -> memoryview:
        """What was written, without a copy."""
        return memoryview(self._memory)[: self._size]


class SegmentBuffers:
    """Hands out buffers, and keeps at most SPARE_SEGMENTS that came back."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[SegmentBuffer] = weakref.WeakSet()
        self._spare: list[SegmentBuffer] = []

    @property
    def are_plenty(self) -> bool:
        """Whether so few are in use that an upload may take one more to be faster."""
        return len(self._all) - len(self._spare) <= PLENTY_SEGMENTS

    def take(self) -> SegmentBuffer:
        """An empty buffer."""
        if self._spare:
            return self._spare.pop()
        buffer = SegmentBuffer()
        self._all.add(buffer)
        return buffer

    def give_back(self, buffer: SegmentBuffer) -> None:
        """Take a buffer back that nothing reads any more: never one whose sending broke off."""
        if len(self._spare) < SPARE_SEGMENTS:
            buffer.clear()
            self._spare.append(buffer)


async def sha256(view: memoryview) -> bytes:
    """SHA-256 of bytes that do not change meanwhile, in a thread."""
    return await asyncio.to_thread(lambda: hashlib.sha256(view).digest())
