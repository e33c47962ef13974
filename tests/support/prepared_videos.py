"""Results of a media worker for tests that are not about video: everything but the bytes is real."""

from __future__ import annotations

import io
import uuid
from collections.abc import AsyncIterator
from typing import Final, Literal

from relay.client.sealing import Role, seal_file
from relay.crypto.age import FileKey
from relay.domain.jobs import Job
from relay.services import processing
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects

FILM: Final = b"a film"

_MADE: dict[str, tuple[tuple[Role, str], ...]] = {
    "h264-720p": (("rendition", "video/mp4"), ("poster", "image/jpeg")),
    "audio": (("rendition", "audio/mp4"), ("poster", "image/jpeg")),
}


async def hand_in(
    database: Database,
    settings: Settings,
    worker: processing.MediaWorker,
    job: Job,
    profile: Literal["h264-720p", "audio"] = "h264-720p",
    objects: Objects | None = None,
) -> tuple[str, dict[str, FileKey]]:
    """Verify the original and hand in a rendition of it, as a worker does; its bytes go to `objects`.

    The statement that the worker signed, and the file keys of what it made by their commitments.
    """
    source = await processing.find_source(database, settings, worker, job)
    bodies = [io.BytesIO() for _ in _MADE[profile]]
    made = [
        seal_file(source.message.case, role, io.BytesIO(FILM), media_type, body)
        for (role, media_type), body in zip(_MADE[profile], bodies, strict=True)
    ]
    rendition, poster = (
        processing.SealedResult(
            part=sealed.part, object_prefix=f"tests/{uuid.uuid4()}", file_key=sealed.file_key
        )
        for sealed in made
    )
    prefixes = [rendition.object_prefix, poster.object_prefix]
    await processing.note_writing(database, prefixes)
    if objects is not None:
        for prefix, body in zip(prefixes, bodies, strict=True):
            await objects.put_segments(prefix, _once(body.getvalue()))
    prepared = processing.Prepared(
        rendition=rendition,
        poster=poster,
        size=6,
        duration_ms=1000,
        width=1280,
        height=720,
        profile=profile,
    )
    await processing.finish(database, worker, job, source, prepared)
    async with database.connection() as connection:
        compact: str = await connection.fetchval(
            "select compact from statements inner join messages "
            "on messages.rendition_hash = statements.statement_hash where message_id = $1",
            job.message_id,
        )
    return compact, {sealed.part.commit: sealed.file_key for sealed in made}


async def prepare(
    settings: Settings,
    worker: processing.MediaWorker,
    message_id: uuid.UUID,
    profile: Literal["h264-720p", "audio"] = "h264-720p",
    objects: Objects | None = None,
) -> dict[str, FileKey]:
    """Take the job of a video and hand in a rendition of it; as `hand_in` does."""
    database = await Database.connect(settings.database_url, connections=2)
    try:
        async with database.connection() as connection:
            job_id = await connection.fetchval(
                "select job_id from jobs where message_id = $1 and state = 'waiting'", message_id
            )
        job = await processing.lease_job(database, settings, job_id, worker)
        assert job is not None
        return (await hand_in(database, settings, worker, job, profile, objects))[1]
    finally:
        await database.close()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
