"""Jobs and their leases, and what a media worker reads before it touches a video."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from relay.domain.jobs import Job, JobState, Stage
from relay.storage.database import Connection, one
from relay.storage.queries import named_queries

_SQL = named_queries("jobs")


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    job_id: uuid.UUID
    message_id: uuid.UUID
    revision: int
    state: JobState
    attempts: int
    lease_token: uuid.UUID | None
    traceparent: str | None
    age_seconds: float
    is_available: bool
    """Whether it may be leased now: it waits and its time has come, or its lease ran out."""


class OriginalRow(msgspec.Struct, frozen=True, kw_only=True):
    """The original of a video with one worker's grant, and the statement that declares it."""

    commitment: bytes
    size_bytes: int
    object_prefix: str
    header: bytes
    compact: str


async def find_message(connection: Connection, job_id: uuid.UUID) -> uuid.UUID | None:
    """The message that a job is for."""
    found: uuid.UUID | None = await connection.fetchval(_SQL["find_message_of_job"], job_id)
    return found


async def lock_job(connection: Connection, job_id: uuid.UUID) -> JobRow | None:
    """The job, which nobody else changes until this transaction ends; its message is locked before."""
    return one(await connection.fetchrow(_SQL["lock_job"], job_id), JobRow)


async def is_for_worker(
    connection: Connection, message_id: uuid.UUID, credential_id: uuid.UUID
) -> bool:
    """Whether this worker was given the video, by a charter that still names it."""
    return bool(await connection.fetchval(_SQL["is_for_worker"], message_id, credential_id))


async def lease_job(connection: Connection, row: JobRow, seconds: int) -> Job:
    """Take a job that was locked, under a new lease."""
    lease_token = uuid.uuid4()
    attempts: int = await connection.fetchval(
        _SQL["lease_job"], row.job_id, lease_token, seconds, Stage.FETCHING
    )
    return Job(
        job_id=row.job_id,
        message_id=row.message_id,
        revision=row.revision,
        attempts=attempts,
        lease_token=lease_token,
        traceparent=row.traceparent,
        age_seconds=row.age_seconds,
    )


async def renew_job(
    connection: Connection, job: Job, seconds: int, stage: Stage, fraction: float
) -> bool:
    """Keep a lease for `seconds` from now and say how far the work is; False where it is lost."""
    renewed = await connection.fetchval(
        _SQL["renew_job"], job.job_id, job.lease_token, seconds, stage, fraction
    )
    return bool(renewed)


async def give_back_job(
    connection: Connection, job: Job, *, after_seconds: int, error: str | None, counts: bool
) -> bool:
    """Let a job wait again; `counts` says whether this was an attempt. False where the lease is lost."""
    given = await connection.fetchval(
        _SQL["give_back_job"], job.job_id, job.lease_token, after_seconds, error, counts
    )
    return bool(given)


async def end_job(
    connection: Connection, job_id: uuid.UUID, state: JobState, error: str | None = None
) -> None:
    """End a job that was locked."""
    await connection.execute(_SQL["end_job"], job_id, state, error)


async def is_sender_busy(connection: Connection, job_id: uuid.UUID) -> bool:
    """Whether another job of the same person runs now; the job's case is locked."""
    return bool(await connection.fetchval(_SQL["is_sender_busy"], job_id))


async def list_next(
    connection: Connection, credential_ids: Sequence[uuid.UUID], limit: int
) -> list[uuid.UUID]:
    """Jobs that one of these workers may lease now, in the order of whose turn it is."""
    rows = await connection.fetch(_SQL["list_next"], credential_ids, limit)
    return [row["job_id"] for row in rows]


async def list_available(connection: Connection, limit: int) -> list[uuid.UUID]:
    """Jobs that may be leased now, oldest first."""
    rows = await connection.fetch(_SQL["list_available"], limit)
    return [row["job_id"] for row in rows]


async def list_stranded(
    connection: Connection, limit: int, only: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Jobs that no worker in good standing can open the video of, oldest first; all, or `only` this one."""
    rows = await connection.fetch(_SQL["list_stranded"], limit, only)
    return [row["job_id"] for row in rows]


async def find_original(
    connection: Connection, statement_hash: bytes, credential_id: uuid.UUID
) -> OriginalRow | None:
    """The original that a statement declares, with this worker's grant."""
    row = await connection.fetchrow(_SQL["find_original"], statement_hash, credential_id)
    return one(row, OriginalRow)


async def keep_notes(connection: Connection, prefixes: Sequence[str], max_age_seconds: int) -> bool:
    """Have the sweep leave alone what is being written; False where a note is gone or older than that."""
    rows = await connection.fetch(_SQL["keep_notes"], prefixes, max_age_seconds)
    return len(rows) == len(prefixes)


async def take_notes(connection: Connection, prefixes: Sequence[str], max_age_seconds: int) -> bool:
    """Take back the notes on what was written; False where one is gone or older than that."""
    rows = await connection.fetch(_SQL["take_notes"], prefixes, max_age_seconds)
    return len(rows) == len(prefixes)
