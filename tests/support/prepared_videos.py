"""Results of a media worker for tests that are not about video: everything but the bytes is real."""

from __future__ import annotations

import io
import uuid
from typing import Literal

from relay.client.sealing import Role, seal_file
from relay.crypto.age import FileKey
from relay.domain.jobs import Job
from relay.services import processing
from relay.settings import Settings
from relay.storage.database import Database

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
) -> tuple[str, dict[str, FileKey]]:
    """Verify the original and hand in a rendition of it, as a worker does.

    The statement that the worker signed, and the file keys of what it made by their commitments.
    """
    source = await processing.find_source(database, settings, worker, job)
    made = [
        seal_file(source.message.case, role, io.BytesIO(b"a film"), media_type, io.BytesIO())
        for role, media_type in _MADE[profile]
    ]
    rendition, poster = (
        processing.SealedResult(
            part=sealed.part, object_prefix=f"tests/{uuid.uuid4()}", file_key=sealed.file_key
        )
        for sealed in made
    )
    prefixes = [rendition.object_prefix, poster.object_prefix]
    await processing.note_writing(database, prefixes)
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
) -> dict[str, FileKey]:
    """Take the job of a video and hand in a rendition of it; the keys as by `hand_in`."""
    database = await Database.connect(settings.database_url, connections=2)
    try:
        async with database.connection() as connection:
            job_id = await connection.fetchval(
                "select job_id from jobs where message_id = $1 and state = 'waiting'", message_id
            )
        job = await processing.lease_job(database, settings, job_id, worker)
        assert job is not None
        return (await hand_in(database, settings, worker, job, profile))[1]
    finally:
        await database.close()
