"""What a sender does with an upload: begin it, ask how far it has come, add to it, end it; and the sweeps."""

from __future__ import annotations

import contextlib
import enum
import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.domain.actors import Participant
from relay.domain.uploads import (
    OPEN_UPLOADS,
    ChecksumMismatch,
    Patch,
    Progress,
    TakenOver,
    Upload,
    UploadNotExpected,
    UploadRequest,
    UploadTooLong,
    object_prefix,
    require_checkable,
    require_open,
    require_size,
    require_target,
    require_writable,
)
from relay.errors import NotFound, RelayError, ServiceStopping
from relay.metrics import UPLOAD_BYTES, UPLOAD_CONNECTIONS, UPLOAD_CONNECTIONS_ENDED
from relay.services import quotas
from relay.services.upload_connections import Idle, Receive, UploadConnection
from relay.services.upload_receiver import Intake, Receiver
from relay.storage import orphans
from relay.storage import uploads as stored
from relay.storage.buffers import sha256
from relay.storage.database import Connection, Database
from relay.storage.objects import Objects, StoreUnavailable, is_piece

ORPHAN_GRACE_SECONDS: Final = 15 * 60
"""Longer than any write to the store takes with all its attempts, so that none lands after the sweep."""
ORPHAN_BATCH: Final = 100

_log = logging.getLogger(__name__)


class _End(enum.StrEnum):
    """How a request ended whose bytes were stored as far as they came."""

    READ = "read"
    BROKEN = "broken"
    IDLE = "idle"


async def create(intake: Intake, sender: Participant, request: UploadRequest) -> Upload:
    """Begin an upload for a draft of the sender's.

    Another one may be open for the same draft, in a second window or from before a reload: each continues
    by itself, and the signed statement says by its digests which was meant. Beyond OPEN_UPLOADS the one
    that was idle for longest ends, an unfinished one first.
    """
    require_size(request.size_bytes, intake.settings.upload_max_bytes)
    upload_id = uuid.uuid4()
    async with intake.database.transaction() as connection:
        target = await stored.lock_target(connection, request.message_id, sender)
        if target is None:
            raise NotFound("no such message of this sender")
        require_target(target, request.revision)
        is_open = await stored.list_open(connection, request.message_id)
        for surplus in is_open[: max(0, len(is_open) - OPEN_UPLOADS + 1)]:
            await stored.discard(connection, surplus, "replaced")
        await quotas.require_space(connection, intake.settings, sender, request.size_bytes)
        expires = datetime.now(UTC) + timedelta(seconds=intake.settings.upload_expires_seconds)
        await stored.insert_upload(connection, upload_id, request, expires)
        return await _find(connection, sender, upload_id)


async def find(intake: Intake, sender: Participant, upload_id: uuid.UUID) -> Upload:
    """How far an upload has come, after a connection of this process that still wrote to it has ended."""
    async with intake.database.connection() as connection:
        await _find(connection, sender, upload_id)
    await intake.upload_connections.stop(upload_id)
    async with intake.database.connection() as connection:
        upload = await _find(connection, sender, upload_id)
    require_open(upload, datetime.now(UTC))
    return upload


async def append(intake: Intake, sender: Participant, patch: Patch, receive: Receive) -> Progress:
    """Add to an upload until the bytes end, break off, stop coming, or another connection takes over.

    Whatever arrived is stored in each of these cases, and counts only once it is. With a checksum all
    or nothing is stored: what broke off could not be verified.
    """
    async with intake.database.connection() as connection:
        await _find(connection, sender, patch.upload_id)
    if patch.checksum is not None:
        require_checkable(patch.size_bytes or 0)
    end = await intake.upload_connections.outlive(_counted(intake, sender, patch, receive))
    async with intake.database.connection() as connection:
        upload = await _find(connection, sender, patch.upload_id)
    return Progress(
        upload_id=upload.upload_id,
        offset_bytes=upload.offset_bytes,
        expires_at=upload.expires_at,
        is_body_read=end is _End.READ,
    )


async def terminate(intake: Intake, sender: Participant, upload_id: uuid.UUID) -> None:
    """End an upload and remove what it left; one that was submitted is part of its message."""
    async with intake.database.connection() as connection:
        await _find(connection, sender, upload_id)
    await intake.upload_connections.stop(upload_id)
    async with intake.database.transaction() as connection:
        prefixes = await stored.discard(connection, upload_id, "terminated")
        if not prefixes:
            raise UploadNotExpected("submitted, or ended in the meantime")
    await _remove(intake.objects, prefixes)


async def sweep_uploads(database: Database, objects: Objects, now: datetime) -> int:
    """End the uploads that were left until their time was over; how many there were."""
    async with database.transaction() as connection:
        prefixes = await stored.discard_expired(connection, now)
    await _remove(objects, prefixes)
    return len(prefixes)


async def sweep_pieces(database: Database, objects: Objects, now: datetime) -> int:
    """Remove the pieces that submitted uploads no longer consist of; how many objects there were.

    They stay where the store or the database failed at the wrong moment, or a process ended.
    """
    swept = 0
    submitted_before = now - timedelta(seconds=ORPHAN_GRACE_SECONDS)
    while True:
        async with database.connection() as connection:
            untidy = await stored.list_untidy(connection, submitted_before, ORPHAN_BATCH)
        if not untidy:
            return swept
        for upload_id in untidy:
            left = [key for key in await objects.keys(object_prefix(upload_id)) if is_piece(key)]
            await objects.delete(left)
            async with database.connection() as connection:
                await stored.mark_tidy(connection, upload_id)
            swept += len(left)


async def sweep_orphans(database: Database, objects: Objects, now: datetime) -> int:
    """Remove the objects that nothing refers to any more; how many prefixes there were."""
    swept = 0
    noted_before = now - timedelta(seconds=ORPHAN_GRACE_SECONDS)
    while True:
        async with database.connection() as connection:
            prefixes = await orphans.list_orphans(connection, noted_before, ORPHAN_BATCH)
        if not prefixes:
            return swept
        for prefix in prefixes:
            await objects.delete_prefix(prefix)
        async with database.connection() as connection:
            await orphans.forget_orphans(connection, prefixes)
        swept += len(prefixes)


async def _find(connection: Connection, sender: Participant, upload_id: uuid.UUID) -> Upload:
    upload = await stored.find_upload(connection, upload_id, sender)
    if upload is None:
        raise NotFound("no such upload of this sender")
    return upload


async def _counted(intake: Intake, sender: Participant, patch: Patch, receive: Receive) -> _End:
    """Write, and count the connection, what came over it, and how it ended."""

    async def received() -> bytes:
        chunk = await receive()
        UPLOAD_BYTES.inc(len(chunk))
        return chunk

    reason = RelayError.code
    try:
        with UPLOAD_CONNECTIONS.track_inprogress():
            end = await _write(intake, sender, patch, received)
    except RelayError as error:
        reason = error.code
        raise
    else:
        reason = end.value
        return end
    finally:
        UPLOAD_CONNECTIONS_ENDED.labels(reason).inc()


async def _write(intake: Intake, sender: Participant, patch: Patch, receive: Receive) -> _End:
    """Take over an upload and add to it; where `patch` does not continue it, nothing is changed."""
    async with intake.upload_connections.only(patch.upload_id) as writer:
        async with intake.database.transaction() as connection:
            await stored.take_over(connection, patch.upload_id)
            upload = await _find(connection, sender, patch.upload_id)
            require_writable(upload, patch, datetime.now(UTC))
            pieces = await stored.list_pieces(connection, patch.upload_id)
        async with contextlib.aclosing(Receiver(intake, upload, pieces)) as receiver:
            if patch.checksum is None:
                return await _take_all(intake, writer, receiver, receive)
            return await _take_checked(intake, writer, receiver, receive, patch.checksum)


async def _take_all(
    intake: Intake, writer: UploadConnection, receiver: Receiver, receive: Receive
) -> _End:
    """Take what comes and store it; how the request ended."""
    ended_by: RelayError | None = None
    end = _End.READ
    try:
        while chunk := await writer.next(receive, intake.settings.upload_idle_seconds):
            await receiver.take(chunk)
    except ConnectionError:
        end = _End.BROKEN
    except Idle:
        end = _End.IDLE
    except (TakenOver, ServiceStopping, UploadTooLong) as error:
        ended_by = error
    await receiver.keep()
    if ended_by is not None:
        raise ended_by
    return end


async def _take_checked(
    intake: Intake, writer: UploadConnection, receiver: Receiver, receive: Receive, checksum: bytes
) -> _End:
    """Take everything or nothing; how the request ended."""
    buffers = intake.objects.buffers
    body = buffers.take()
    try:
        while chunk := await writer.next(receive, intake.settings.upload_idle_seconds):
            require_checkable(len(body) + len(chunk))
            await buffers.room(len(chunk))
            body.write(chunk)
    except ConnectionError:
        return _End.BROKEN
    except Idle:
        return _End.IDLE
    if await sha256(body.view()) != checksum:
        raise ChecksumMismatch(f"{len(body)} bytes")
    await receiver.take(body.view())
    buffers.give_back(body)
    await receiver.keep()
    return _End.READ


async def _remove(objects: Objects, prefixes: Sequence[str]) -> None:
    """Remove them now if possible; they are noted as orphans, so the sweep comes by in any case."""
    try:
        for prefix in prefixes:
            await objects.delete_prefix(prefix)
    except StoreUnavailable as error:
        _log.warning("objects of ended uploads stay for now: %s", error.code)
