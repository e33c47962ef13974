"""Fetches a sealed video and opens it into memory: hashed, verified and opened while it still arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import PayloadError
from relay.crypto.fields import Part
from relay.domain.jobs import VideoAltered
from relay.errors import CryptoError
from relay.media.memory import MemoryFile
from relay.services.processing import Source
from relay.settings import MIB
from relay.storage.objects import Objects
from workers.threads import in_thread

BATCH_BYTES: Final = 2 * MIB
"""Opened at once, in a thread, while the next batch arrives."""


async def fetch(objects: Objects, source: Source, told: Callable[[float], None]) -> MemoryFile:
    """The opened video, in memory alone; the caller closes it.

    `told` hears how much of it has arrived, 0 to 1. VideoAltered where the bytes are not those that the
    sender signed and sealed; StoreUnavailable or ObjectMissing where they do not come.
    """
    opened = MemoryFile()
    try:
        await _fetch_into(_Intake(source, opened), objects, source, told)
    except CryptoError as error:
        opened.close()
        raise VideoAltered(f"{type(error).__name__}: {error.detail}") from None
    except BaseException:
        opened.close()
        raise
    return opened


async def _fetch_into(
    intake: _Intake, objects: Objects, source: Source, told: Callable[[float], None]
) -> None:
    arrived = 0
    batch = bytearray()
    opening: asyncio.Task[None] | None = None
    body = objects.read(source.object_prefix, 0, source.part.size)
    try:
        async with contextlib.aclosing(body) as chunks:
            async for chunk in chunks:
                batch += chunk
                arrived += len(chunk)
                if len(batch) >= BATCH_BYTES or arrived == source.part.size:
                    if opening is not None:
                        await opening
                        told(arrived / source.part.size)
                    opening = asyncio.create_task(in_thread(intake.take, batch))
                    batch = bytearray()
        if opening is not None:
            await opening
    finally:
        if opening is not None:
            await asyncio.gather(opening, return_exceptions=True)
    await in_thread(intake.finish)


class _Intake:
    """Hashes and opens a body in order, batch by batch."""

    def __init__(self, source: Source, opened: MemoryFile) -> None:
        self._part: Part = source.part
        self._hasher = age.SegmentHasher()
        self._opener = age.Opener(source.file_key)
        self._opened = opened

    def take(self, batch: bytearray) -> None:
        """The next bytes of the body."""
        self._hasher.update(batch)
        self._opened.write(self._opener.update(batch))

    def finish(self) -> None:
        """Nothing follows; PayloadError unless it is whole and as it was signed."""
        self._opened.write(self._opener.finish())
        if [b64u_encode(digest) for digest in self._hasher.finish()] != self._part.segments:
            raise PayloadError("not the segments that were signed")
