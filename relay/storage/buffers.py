"""Memory for one segment of a body: taken from the system page by page as it fills, given back at once.

Not a bytes object, because the allocator keeps freed blocks of this size for later, and with many
uploads at once it would come to hold half as much again as they need. Very few are kept for the next
to use: with a fast sender, taking fresh pages costs a third of all the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import mmap
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from relay.domain.segments import SEGMENT_BYTES
from relay.settings import MIB

SPARE_SEGMENTS: Final = 2
PLENTY_SEGMENTS: Final = 4
"""In use at once in this process, before uploads are told to hold fewer."""
ENOUGH_BYTES: Final = 40 * MIB
"""What all uploads of a process hold before they wait for each other; not where people are slow to send."""

TAILS_AT_ONCE: Final = 8
"""So many uploads store what there is of a segment at the same time; further ones wait, and then send on."""
MUCH_OF_MOST: Final = 0.75
"""Of what all uploads may hold: beyond it they begin to store what they have."""
_HASHING: Final = ThreadPoolExecutor(1, thread_name_prefix="sha256")
"""One thread hashes faster than a process takes bytes in; more of them would leave others no processor."""

BytesLike: TypeAlias = bytes | bytearray | memoryview


@dataclasses.dataclass(slots=True)
class Held:
    """How many bytes some buffers hold together."""

    size_bytes: int = 0


class SegmentBuffer:
    """Up to 8 MiB, written from the start on."""

    def __init__(self, held: Held) -> None:
        """What is in it is counted in `held`."""
        self._memory = mmap.mmap(-1, SEGMENT_BYTES)
        self._size = 0
        self._held = held

    def __del__(self) -> None:
        """It is counted no longer, whichever way it went."""
        self.clear()

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
        self._held.size_bytes += len(data)

    def clear(self) -> None:
        """Forget what was written, and keep the memory."""
        self._held.size_bytes -= self._size
        self._size = 0

    def free(self) -> None:
        """Give the memory back to the system; what is written later takes it anew."""
        self.clear()
        self._memory.madvise(mmap.MADV_DONTNEED)

    def view(self) -> memoryview:
        """What was written, without a copy."""
        return memoryview(self._memory)[: self._size]


class SegmentBuffers:
    """Hands out buffers, and keeps at most SPARE_SEGMENTS that came back while few are in use."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[SegmentBuffer] = weakref.WeakSet()
        self._spare: list[SegmentBuffer] = []
        self._held = Held()
        self._on_their_way: set[SegmentBuffer] = set()
        self.turns = asyncio.Semaphore(TAILS_AT_ONCE)
        """For storing what there is of a segment, which takes as much memory again."""
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def held_bytes(self) -> int:
        """What is in all buffers now."""
        return self._held.size_bytes

    @property
    def staying_bytes(self) -> int:
        """What is in buffers that are not on their way to the store."""
        return self.held_bytes - sum(map(len, self._on_their_way))

    @contextlib.contextmanager
    def emptying(self, buffer: SegmentBuffer) -> Iterator[None]:
        """While a buffer is on its way to the store: its memory is about to be free."""
        self._on_their_way.add(buffer)
        try:
            yield
        finally:
            self._on_their_way.remove(buffer)
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                if not one.done():
                    one.set_result(None)

    async def room(self, size: int) -> None:
        """Wait while there is enough in memory already, and what is on its way to the store makes room.

        Nobody waits for somebody who is slow to send: what they hold does not become less by waiting.
        """
        while self.staying_bytes + size <= ENOUGH_BYTES < self.held_bytes + size:
            stored = asyncio.get_running_loop().create_future()
            self._waiting.append(stored)
            await stored

    def is_too_much(self, more: int, most: int) -> bool:
        """Whether somebody who holds some of it, and is sent so many more, has to store what they have.

        That begins well before there is as much as `most`, and counts what others are storing as gone: else
        all of them would do it at the same moment, and hold up everybody.
        """
        is_full = self.held_bytes + more > most
        return is_full or self.staying_bytes + more > most * MUCH_OF_MOST

    @property
    def are_plenty(self) -> bool:
        """Whether so few are in use that an upload may take one more to be faster."""
        return len(self._all) - len(self._spare) <= PLENTY_SEGMENTS

    def take(self) -> SegmentBuffer:
        """An empty buffer."""
        if self._spare:
            return self._spare.pop()
        buffer = SegmentBuffer(self._held)
        self._all.add(buffer)
        return buffer

    def give_back(self, buffer: SegmentBuffer) -> None:
        """Take a buffer back that nothing reads any more: never one whose sending broke off."""
        if self.are_plenty and len(self._spare) < SPARE_SEGMENTS:
            buffer.clear()
            self._spare.append(buffer)
        else:
            buffer.free()


async def sha256(view: memoryview) -> bytes:
    """SHA-256 of bytes that do not change meanwhile, in a thread: one at a time in this process."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_HASHING, lambda: hashlib.sha256(view).digest())
