"""Takes the bytes of an upload as they come, and makes them last: segment by segment, and the tail.

The next segment fills while one or two are on their way to the store: an upload holds 24 MiB at most,
and 12 MiB where many are under way at once. All of them together hold little more than ENOUGH_BYTES while the
store keeps up, and RELAY_UPLOAD_MEMORY_BYTES where many people send slowly: then each stores what it has.
Nothing counts before it is in the object store and then, in one statement, in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.domain.segments import SEGMENT_BYTES, segment_end
from relay.domain.uploads import Piece, Upload, object_prefix, pieces_to_join, require_room
from relay.services.upload_connections import UploadConnections
from relay.settings import KIB, MIB, Settings
from relay.storage import uploads as stored
from relay.storage.buffers import BytesLike, SegmentBuffer, sha256
from relay.storage.database import Database
from relay.storage.objects import (
    ObjectMissing,
    Objects,
    StoreUnavailable,
    piece_key,
    segment_key,
)

READ_AHEAD_BYTES: Final = 4 * MIB
"""How far a segment fills while the one before is still on its way to the store."""
TAIL_SECONDS: Final = 60
"""What came longer ago is stored, though its segment is not whole."""
TAIL_BYTES: Final = 64 * KIB
"""Less is stored at the end alone."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What uploads are received with."""

    database: Database
    objects: Objects
    upload_connections: UploadConnections
    settings: Settings


class Receiver:
    """What one connection adds to an upload, from its offset."""

    def __init__(self, intake: Intake, upload: Upload, pieces: Sequence[Piece]) -> None:
        self._database = intake.database
        self._objects = intake.objects
        self._expires = timedelta(seconds=intake.settings.upload_expires_seconds)
        self._most_bytes = intake.settings.upload_memory_bytes
        self._upload = upload
        self._prefix = object_prefix(upload.upload_id)
        self._pieces = pieces
        self._start = upload.offset_bytes
        self._segment = self._objects.buffers.take()
        self._begun = time.monotonic()
        self._storing: list[asyncio.Task[None]] = []

    @property
    def position(self) -> int:
        """Where the next byte goes."""
        return self._start + len(self._segment)

    async def take(self, chunk: BytesLike) -> None:
        """Take the next bytes; waits where the store is slower. UploadTooLong if there is no room."""
        require_room(self._upload, self.position, len(chunk))
        rest = memoryview(chunk)
        while rest:
            await self._objects.buffers.room(len(rest))
            await self._keep_what_is_too_much(len(rest))
            end = segment_end(self._start, self._upload.size_bytes)
            room = end - self.position
            self._segment.write(rest[:room])
            rest = rest[room:]
            if self.position == end:
                await self._stored(all_but=1 if self._objects.buffers.are_plenty else 0)
                self._store(end)
            elif len(self._segment) >= READ_AHEAD_BYTES and not self._objects.buffers.are_plenty:
                await self._stored(all_but=0)

    async def keep(self) -> int:
        """Make everything last that was taken; the offset that the upload has now reached."""
        await self._stored(all_but=0)
        if len(self._segment):
            await self._keep_tail()
        return self.position

    async def _keep_what_is_too_much(self, more: int) -> None:
        """Store what there is of a segment that is held for too long, or beside too much of others."""
        is_old = time.monotonic() - self._begun > TAIL_SECONDS
        is_much = self._objects.buffers.is_too_much(more, self._most_bytes)
        if (is_old or is_much) and len(self._segment) >= TAIL_BYTES:
            await self._stored(all_but=0)
            await self._keep_tail()

    async def aclose(self) -> None:
        """Give up what is still on its way: it was not counted."""
        for storing in self._storing:
            storing.cancel()
        await asyncio.gather(*self._storing, return_exceptions=True)
        if not len(self._segment):
            self._objects.buffers.give_back(self._segment)

    def _advance(self, stop: int) -> stored.Advance:
        return stored.Advance(
            upload_id=self._upload.upload_id,
            writer=self._upload.writer,
            start=self._start,
            stop=stop,
            expires_at=datetime.now(UTC) + self._expires,
        )

    async def _stored(self, *, all_but: int) -> None:
        """Wait until no more than `all_but` segments are on their way."""
        while len(self._storing) > all_but:
            await self._storing.pop(0)

    def _store(self, end: int) -> None:
        """Send the segment that ends here on its way, and begin the next."""
        before = self._storing[-1] if self._storing else None
        self._storing.append(
            asyncio.create_task(
                self._store_segment(before, self._advance(end), self._segment, self._pieces)
            )
        )
        self._start, self._segment, self._pieces = end, self._objects.buffers.take(), ()
        self._begun = time.monotonic()

    async def _store_segment(
        self,
        before: asyncio.Task[None] | None,
        advance: stored.Advance,
        segment: SegmentBuffer,
        pieces: Sequence[Piece],
    ) -> None:
        with self._objects.buffers.emptying(segment):
            async with self._joined(pieces, segment) as whole:
                digest = await sha256(whole.view())
                key = segment_key(self._prefix, (advance.stop - 1) // SEGMENT_BYTES)
                await self._objects.put(key, whole.view(), digest=digest)
                if before is not None:
                    await before  # it counts first
                async with self._database.connection() as connection:
                    await stored.finish_segment(connection, advance, digest)
            self._objects.buffers.give_back(segment)
        await self._remove(pieces)

    async def _keep_tail(self) -> None:
        """Store what came of the segment, joined with what was stored of it before; and go on behind it."""
        advance, tail = self._advance(self.position), self._segment
        joined = pieces_to_join(self._pieces, len(tail))
        first = joined[0].start_bytes if joined else advance.start
        buffers = self._objects.buffers
        with buffers.emptying(tail):
            async with buffers.turns, self._joined(joined, tail) as whole:
                await self._objects.put(piece_key(self._prefix, first, advance.stop), whole.view())
                async with self._database.connection() as connection:
                    await stored.keep_piece(connection, advance, first)
            tail.free()
        kept = Piece(start_bytes=first, size_bytes=advance.stop - first)
        self._start, self._begun = advance.stop, time.monotonic()
        self._pieces = (*self._pieces[: len(self._pieces) - len(joined)], kept)
        await self._remove(joined)

    @contextlib.asynccontextmanager
    async def _joined(
        self, pieces: Sequence[Piece], tail: SegmentBuffer
    ) -> AsyncIterator[SegmentBuffer]:
        """What these pieces and the tail are together, in a buffer that is given back where all goes well."""
        if not pieces:
            yield tail
            return
        whole = self._objects.buffers.take()
        with self._objects.buffers.emptying(whole):
            for piece in pieces:
                key = piece_key(self._prefix, piece.start_bytes, piece.stop_bytes)
                kept = await self._objects.get(key)
                if len(kept) != piece.size_bytes:
                    raise ObjectMissing(f"{key} is not as long as its name says")
                whole.write(kept)
            whole.write(tail.view())
            yield whole
            self._objects.buffers.give_back(whole)

    async def _remove(self, pieces: Sequence[Piece]) -> None:
        """They are part of something longer now; what stays goes with the upload's prefix."""
        keys = [piece_key(self._prefix, p.start_bytes, p.stop_bytes) for p in pieces]
        try:
            await self._objects.delete(keys)
        except StoreUnavailable as error:
            _log.warning("pieces of an upload stay for now: %s", error.code)
