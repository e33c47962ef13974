"""Uploads on their way: what of each is kept, who writes, and which stand whole."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from relay.domain.actors import Participant
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import (
    FinishedUpload,
    Piece,
    TakenOver,
    Upload,
    UploadNotExpected,
    UploadRequest,
    UploadTarget,
    object_prefix,
)
from relay.metrics import UPLOADS_ENDED
from relay.storage.database import Connection, many, one
from relay.storage.orphans import note_orphans
from relay.storage.queries import named_queries

_SQL = named_queries("uploads")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """One durable step of an upload; refused unless it stands at `start` under this very `writer`."""

    upload_id: uuid.UUID
    writer: int
    start: int
    stop: int
    expires_at: datetime


async def lock_target(
    connection: Connection, message_id: uuid.UUID, sender: Participant
) -> UploadTarget | None:
    """The message of this sender (through this upload link), held until the transaction ends."""
    row = await connection.fetchrow(
        _SQL["lock_target"], message_id, sender.participant_id, sender.link_id, sender.only_kid
    )
    return one(row, UploadTarget)


async def list_open(connection: Connection, message_id: uuid.UUID) -> list[uuid.UUID]:
    """The open uploads of a message, those that nobody would miss first."""
    return _ids(await connection.fetch(_SQL["list_open"], message_id))


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of uploads already."""

    open_uploads: int
    """Of the sender."""
    person_bytes: int
    case_bytes: int


async def sum_up(connection: Connection, sender: Participant) -> Taken:
    """What the uploads of a participant and of their case take up; nobody else adds to them meanwhile."""
    await connection.execute(_SQL["lock_sums"], str(sender.case_id))
    row = await connection.fetchrow(_SQL["sum_up"], sender.participant_id, sender.case_id)
    return msgspec.convert(row, Taken)


async def insert_upload(
    connection: Connection, upload_id: uuid.UUID, request: UploadRequest, expires_at: datetime
) -> None:
    """Begin an upload."""
    await connection.execute(
        _SQL["insert_upload"],
        upload_id,
        request.message_id,
        request.revision,
        request.size_bytes,
        expires_at,
    )


async def find_upload(
    connection: Connection, upload_id: uuid.UUID, sender: Participant
) -> Upload | None:
    """An upload of this sender; of the holder of an upload link, only that of the link's message."""
    row = await connection.fetchrow(
        _SQL["find_upload"], upload_id, sender.participant_id, sender.link_id, sender.only_kid
    )
    return one(row, Upload)


async def take_over(connection: Connection, upload_id: uuid.UUID) -> bool:
    """Become the one writer: every write under an earlier number is refused from now on."""
    return bool(await connection.fetchval(_SQL["take_over"], upload_id))


async def list_pieces(connection: Connection, upload_id: uuid.UUID) -> list[Piece]:
    """The pieces of the one segment that is begun but not whole, in order."""
    return many(await connection.fetch(_SQL["list_pieces"], upload_id), Piece)


async def finish_segment(connection: Connection, advance: Advance, digest: bytes) -> None:
    """Count the segment that ends at `stop`, forget its pieces; TakenOver where it is refused."""
    done = await connection.fetchval(
        _SQL["finish_segment"],
        advance.upload_id,
        advance.writer,
        advance.start,
        advance.stop,
        (advance.stop - 1) // SEGMENT_BYTES,
        digest,
        advance.expires_at,
    )
    if not done:
        raise TakenOver(f"segment at {advance.start} refused")


async def keep_piece(connection: Connection, advance: Advance, piece_start: int) -> None:
    """Count the piece from `piece_start` to `stop`, in place of those it begins with; or TakenOver."""
    done = await connection.fetchval(
        _SQL["keep_piece"],
        advance.upload_id,
        advance.writer,
        advance.start,
        advance.stop,
        piece_start,
        advance.expires_at,
    )
    if not done:
        raise TakenOver(f"piece at {advance.start} refused")


async def finished_upload(
    connection: Connection,
    message_id: uuid.UUID,
    revision: int,
    digests: Sequence[bytes] | None = None,
) -> FinishedUpload | None:
    """The upload that stands whole for this revision, held until the transaction ends.

    There may be several, from two windows say: the one with exactly these `digests` comes back, else
    the one that moved last. None where none is whole.
    """
    newest = None
    for row in await connection.fetch(_SQL["list_finished"], message_id, revision):
        found = await connection.fetch(_SQL["list_digests"], row["upload_id"])
        finished = FinishedUpload(
            upload_id=row["upload_id"],
            size_bytes=row["size_bytes"],
            digests=[entry["digest"] for entry in found],
        )
        if digests is None or finished.digests == list(digests):
            return finished
        newest = newest or finished
    return newest


async def mark_submitted(connection: Connection, upload_id: uuid.UUID) -> None:
    """Bind a whole upload to its message for good, and drop the message's other uploads."""
    message_id = await connection.fetchval(_SQL["mark_submitted"], upload_id)
    if message_id is None:
        raise UploadNotExpected("not whole, or submitted before")
    UPLOADS_ENDED.labels("submitted").inc()
    await orphan_uploads(connection, message_id)


async def discard(
    connection: Connection, upload_id: uuid.UUID, why: Literal["terminated", "replaced"]
) -> list[str]:
    """End an upload unless it was submitted; the prefixes of what it left in the store."""
    rows = await connection.fetch(_SQL["delete_upload"], upload_id)
    return await _orphaned(connection, rows, why)


async def orphan_uploads(connection: Connection, message_id: uuid.UUID) -> list[str]:
    """End every open upload of a message, as before its draft is discarded; as `discard`."""
    rows = await connection.fetch(_SQL["delete_open"], message_id)
    return await _orphaned(connection, rows, "dropped")


async def discard_expired(connection: Connection, now: datetime) -> list[str]:
    """End every upload that was left until its time was over; as `discard`."""
    rows = await connection.fetch(_SQL["delete_expired"], now)
    return await _orphaned(connection, rows, "expired")


async def list_untidy(
    connection: Connection, submitted_before: datetime, limit: int
) -> list[uuid.UUID]:
    """Submitted uploads beside which pieces of their connections may have stayed, the oldest first."""
    return _ids(await connection.fetch(_SQL["list_untidy"], submitted_before, limit))


async def mark_tidy(connection: Connection, upload_id: uuid.UUID) -> None:
    """Nothing stands in the store any more but what the upload consists of."""
    await connection.execute(_SQL["mark_tidy"], upload_id)


async def _orphaned(connection: Connection, rows: Sequence[asyncpg.Record], why: str) -> list[str]:
    UPLOADS_ENDED.labels(why).inc(len(rows))
    prefixes = [object_prefix(upload_id) for upload_id in _ids(rows)]
    await note_orphans(connection, prefixes)
    return prefixes


def _ids(rows: Sequence[asyncpg.Record]) -> list[uuid.UUID]:
    return [row["upload_id"] for row in rows]
