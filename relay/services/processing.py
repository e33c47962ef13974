"""What a media worker does with a job: take it, renew its lease, read the original, hand in the result.

The lease of a job is what makes all of it safe to repeat: two workers may work on one video at once, but
only the one whose lease it is hands something in, and that in one transaction.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from relay.crypto import age, chain, signing, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.fields import Part
from relay.crypto.keyrings import Keyring
from relay.crypto.verified import Standing, VerifiedCharter
from relay.domain.jobs import (
    Job,
    JobState,
    LeaseLost,
    Stage,
    VideoAltered,
    VideoFailed,
    WorkerRefused,
)
from relay.domain.messages import Audience, Grant
from relay.domain.transitions import Event, Mover, State
from relay.errors import CryptoError, RelayError
from relay.metrics import JOB_FAILURES, JOB_RETRIES
from relay.services.credentials import require_standing
from relay.services.stored_parts import StoredBody, checked_upload, store_parts
from relay.services.transitions import make_transition, require_transition
from relay.services.trust import charter as verified_charter
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import credentials as stored_credentials
from relay.storage import jobs as stored_jobs
from relay.storage import messages as stored
from relay.storage.database import Connection, Database
from relay.storage.orphans import note_orphans
from relay.storage.statements import insert_statement

CANDIDATES: Final = 8
"""So many jobs are looked at for one that may be taken; others may take some of them meanwhile."""
NOTE_SECONDS: Final = 10 * 60
"""A note on what is being written is younger than this, or the sweep may be removing what it is about."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MediaWorker:
    """A media worker by its credential, with the keys that belong to it."""

    credential_id: uuid.UUID
    keyring: Keyring = dataclasses.field(repr=False)

    def __str__(self) -> str:
        """As the log names it."""
        return f"media:{self.credential_id}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A video to prepare, after everything about it but its bytes was verified."""

    message: statements.Message
    statement_hash: bytes
    part: Part
    object_prefix: str
    file_key: age.FileKey = dataclasses.field(repr=False)
    case_recipient: str
    """From the charter, which was verified up to a root in the worker's own settings."""
    charter_hash: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SealedResult:
    """A rendition or a poster as it lies in the bucket, under a file key of its own."""

    part: Part
    object_prefix: str
    file_key: age.FileKey = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was made of a video."""

    rendition: SealedResult
    poster: SealedResult
    size: int
    """Bytes of the rendition, opened."""
    duration_ms: int
    width: int
    height: int
    profile: Literal["h264-720p", "audio"]


async def require_worker(database: Database, worker: MediaWorker) -> None:
    """Require that the worker's credential is in good standing and of its very keys; or WorkerRefused."""
    async with database.connection() as connection:
        row = await stored_credentials.find_credential(connection, worker.credential_id)
    if row is None or row.role != "media" or not row.in_good_standing:
        raise WorkerRefused("no media credential in good standing")
    keys = (worker.keyring.signer.public_key, str(worker.keyring.identity.recipient))
    if (row.signer, row.recipient) != keys:
        raise WorkerRefused("the credential is of other keys")


async def require_a_worker(database: Database, workers: Sequence[MediaWorker]) -> MediaWorker:
    """The first of these who may work; WorkerRefused, for the reason of the first, where none may."""
    refused: WorkerRefused | None = None
    for worker in workers:
        try:
            await require_worker(database, worker)
        except WorkerRefused as error:
            refused = refused or error
        else:
            return worker
    raise refused or WorkerRefused("no keys")


async def lease_next(
    database: Database, settings: Settings, workers: Sequence[MediaWorker]
) -> tuple[MediaWorker, Job] | None:
    """Take the job whose turn it is, with the keys that it is for; None where there is nothing to do.

    Cases have turns, and in each case people: whoever was served longest ago is next. Of one person only one
    video is prepared at a time, so that nobody takes up all workers. A RelayError where one kept every job
    from being taken.
    """
    failed: RelayError | None = None
    ids = [worker.credential_id for worker in workers]
    async with database.connection() as connection:
        candidates = await stored_jobs.list_next(connection, ids, CANDIDATES)
    for job_id in candidates:
        for worker in workers:
            try:
                job = await lease_job(database, settings, job_id, worker)
            except RelayError as error:  # of one of the keys, or of one job
                failed = error
                continue
            if job is not None:
                return worker, job
    if failed is not None:
        raise failed
    return None


async def find_next(database: Database, workers: Sequence[MediaWorker]) -> uuid.UUID | None:
    """The job whose turn it is, if there is one."""
    ids = [worker.credential_id for worker in workers]
    async with database.connection() as connection:
        return next(iter(await stored_jobs.list_next(connection, ids, 1)), None)


async def lease_job(
    database: Database, settings: Settings, job_id: uuid.UUID, worker: MediaWorker
) -> Job | None:
    """Take a job; None where it is done, another's, not for this worker, or was tried too often.

    None, too, while another video of the same person is prepared. One that was tried too often ends here:
    the message is then `failed`.
    """
    async with database.transaction() as connection:
        message, row = await _lock(connection, job_id)
        if message is None or row is None or not row.is_available:
            return None
        if message.state is not State.PROCESSING or message.revision != row.revision:
            await stored_jobs.end_job(connection, job_id, JobState.CANCELLED)
            return None
        await require_standing(connection, worker.credential_id, "media")
        if not await stored_jobs.is_for_worker(
            connection, message.message_id, worker.credential_id
        ):
            return None
        if row.attempts >= settings.job_attempts:
            await _fail(connection, message, job_id, worker, VideoFailed.code)
            return None
        if await stored_jobs.is_sender_busy(connection, job_id):
            return None
        return await stored_jobs.lease_job(connection, row, settings.job_lease_seconds)


async def renew(
    database: Database,
    settings: Settings,
    job: Job,
    stage: Stage,
    fraction: float,
    writing: Sequence[str],
) -> bool:
    """Keep the lease, say how far the work is, and have the sweep leave alone what is being written.

    False where the lease is another's, or the message was withdrawn.
    """
    async with database.transaction() as connection:
        # First the job, then the notes: in the order in which a result is handed in.
        renewed = await stored_jobs.renew_job(
            connection, job, settings.job_lease_seconds, stage, fraction
        )
        return renewed and await stored_jobs.keep_notes(connection, writing, NOTE_SECONDS)


async def give_back(database: Database, job: Job) -> None:
    """Let another worker have the job at once: this was no attempt."""
    async with database.connection() as connection:
        await stored_jobs.give_back_job(connection, job, after_seconds=0, error=None, counts=False)


async def try_later(database: Database, settings: Settings, job: Job, code: str) -> None:
    """Let the job wait after an attempt that failed for a reason that may pass."""
    wait = settings.job_retry_seconds * 2 ** (job.attempts - 1)
    async with database.connection() as connection:
        await stored_jobs.give_back_job(
            connection, job, after_seconds=wait, error=code, counts=True
        )
    JOB_RETRIES.labels(code).inc()


async def find_source(
    database: Database, settings: Settings, worker: MediaWorker, job: Job
) -> Source:
    """The original to prepare, verified as far as possible before its bytes are read.

    The worker trusts the roots in its own settings, not the relay: a case that a root does not vouch
    for gets nothing. VideoAltered where the sender's part of it does not hold, ChainError where the
    charter's does not, LeaseLost where there is nothing to prepare any more.
    """
    async with database.transaction() as connection:
        message = await stored.read_message(connection, job.message_id)
        if message is None or message.state is not State.PROCESSING or not message.statement_hash:
            raise LeaseLost("not processing")
        charter = await _verified_charter(connection, settings, worker, message.case_id)
        original = await stored_jobs.find_original(
            connection, message.statement_hash, worker.credential_id
        )
        origin = await stored.list_origin(connection, message.statement_hash)
    if original is None:
        raise VideoAltered("no original for this worker")
    try:
        if signing.statement_hash(original.compact) != message.statement_hash:
            raise ChainError("another statement than its hash says")
        said = _verify_message(original.compact, origin, charter, message)
        part = next(part for part in said.parts if part.role == "original")
        if b64u_decode(part.commit) != original.commitment or part.size != original.size_bytes:
            raise ChainError("another part than the statement says")
        file_key = age.unwrap_header(original.header, [worker.keyring.identity])
        age.check_commitment(file_key, original.commitment, said.case)
    except CryptoError as error:
        raise VideoAltered(f"{type(error).__name__}: {error.detail}") from None
    return Source(
        message=said,
        statement_hash=message.statement_hash,
        part=part,
        object_prefix=original.object_prefix,
        file_key=file_key,
        case_recipient=charter.recipient,
        charter_hash=charter.statement_hash,
    )


async def note_writing(database: Database, prefixes: Sequence[str]) -> None:
    """Say what is about to be written, so that a crash leaves nothing behind in the bucket."""
    async with database.connection() as connection:
        await note_orphans(connection, prefixes)


async def finish(
    database: Database, worker: MediaWorker, job: Job, source: Source, prepared: Prepared
) -> None:
    """Sign what was made, give it to the case, and take the workers' own access away: all or nothing.

    The author is given nothing: what of theirs may be shown to whom is the mediators' to say. LeaseLost
    where the job is not this worker's any more, or the charter changed since it was read.
    """
    results = (prepared.rendition, prepared.poster)
    rendition = _sign(worker, source, prepared)
    case = age.parse_recipient(source.case_recipient)
    grants = [
        Grant(
            commitment=result.part.commit,
            audience=Audience.CASE,
            audience_id=source.message.case,
            header=age.wrap_header(result.file_key, [case]),
        )
        for result in results
    ]
    async with database.transaction() as connection:
        message, row = await _lock(connection, job.job_id)
        if message is None or row is None or row.lease_token != job.lease_token:
            raise LeaseLost("another's by now")
        if message.statement_hash != source.statement_hash:
            raise LeaseLost("other words by now")
        charters = await stored_cases.list_charter_statements(connection, message.case_id)
        if signing.statement_hash(charters[-1]) != source.charter_hash:
            raise LeaseLost("another charter by now")
        await require_standing(connection, worker.credential_id, "media")
        prefixes = [result.object_prefix for result in results]
        if not await stored_jobs.take_notes(connection, prefixes, NOTE_SECONDS):
            raise LeaseLost("the sweep may have removed what was written")
        await insert_statement(connection, rendition)
        await store_parts(
            connection,
            message_id=message.message_id,
            statement_hash=rendition.hash,
            parts=[checked_upload(result.part, _stored(result)) for result in results],
            grants=grants,
        )
        await stored.set_rendition(connection, message.message_id, rendition.hash)
        await stored.delete_grants(connection, message.message_id, Audience.MEDIA)
        await stored_jobs.end_job(connection, job.job_id, JobState.DONE)
        await make_transition(
            connection,
            message,
            await require_transition(connection, message, Event.FINISH_PROCESSING, Mover.WORKER),
            actor=str(worker),
            statement_hash=rendition.hash,
        )


async def fail(database: Database, worker: MediaWorker, job: Job, code: str) -> None:
    """End a job whose video cannot be prepared; the sender is told why by `code`."""
    async with database.transaction() as connection:
        message, row = await _lock(connection, job.job_id)
        if message is None or row is None or row.lease_token != job.lease_token:
            raise LeaseLost("another's by now")
        await _fail(connection, message, job.job_id, worker, code)


async def fail_stranded(database: Database, worker: MediaWorker, job_id: uuid.UUID) -> bool:
    """End a job that no worker can do any more, so that the mediators may grant it to another one."""
    async with database.transaction() as connection:
        message, row = await _lock(connection, job_id)
        if message is None or row is None or message.state is not State.PROCESSING:
            return False
        if not await stored_jobs.list_stranded(connection, 1, only=job_id):
            return False
        await _fail(connection, message, job_id, worker, VideoFailed.code)
        return True


async def _lock(
    connection: Connection, job_id: uuid.UUID
) -> tuple[stored.MessageRow | None, stored_jobs.JobRow | None]:
    """The message of a job and the job, with the case between, in the order in which everybody locks them."""
    message_id = await stored_jobs.find_message(connection, job_id)
    if message_id is None:
        return None, None
    message = await stored.lock_message(connection, message_id)
    if message is not None:
        await stored_cases.lock_case(connection, message.case_id)
    return message, await stored_jobs.lock_job(connection, job_id)


async def _fail(
    connection: Connection,
    message: stored.MessageRow,
    job_id: uuid.UUID,
    worker: MediaWorker,
    code: str,
) -> None:
    await stored.delete_grants(connection, message.message_id, Audience.MEDIA)
    await stored_jobs.end_job(connection, job_id, JobState.FAILED, code)
    JOB_FAILURES.labels(code).inc()
    failed = await require_transition(connection, message, Event.FAIL_PROCESSING, Mover.WORKER)
    await make_transition(connection, message, failed, actor=str(worker), failure=code)


async def _verified_charter(
    connection: Connection, settings: Settings, worker: MediaWorker, case_id: uuid.UUID
) -> VerifiedCharter:
    """The case's charter up to a root of the worker's own, which names the worker; ChainError otherwise."""
    charter = await verified_charter(connection, settings, case_id)
    signers = [authority.signer for authority in charter.media_at(datetime.now(UTC))]
    if worker.keyring.signer.public_key not in signers:
        raise ChainError("not a case that this worker may work for")
    return charter


def _verify_message(
    compact: str,
    origin: Sequence[str],
    charter: VerifiedCharter,
    row: stored.MessageRow,
) -> statements.Message:
    """The sender's statement, checked against the row; a claim may still wait for its mediator here.

    Who claimed a link only its mediators can tell, and they do before anything is approved.
    """
    way = chain.verify_origin(origin, charter)
    said = chain.verify_message(compact, charter, way)
    if way.standing_at(said.at) is Standing.ENDED:
        raise ChainError("it came through a link that has ended")
    if said.sender != row.sender_id:
        raise ChainError("a message of another sender")
    if (said.message, said.revision, said.kind) != (row.message_id, row.revision, "video"):
        raise ChainError("a statement about another message")
    return said


def _sign(
    worker: MediaWorker, source: Source, prepared: Prepared
) -> statements.Verified[statements.Rendition]:
    signer = worker.keyring.signer
    compact = statements.sign(
        signer,
        statements.Rendition(
            case=source.message.case,
            charter=b64u_encode(source.charter_hash),
            message=source.message.message,
            revision=source.message.revision,
            source=b64u_encode(source.statement_hash),
            parts=[prepared.rendition.part, prepared.poster.part],
            size=prepared.size,
            duration_ms=prepared.duration_ms,
            width=prepared.width,
            height=prepared.height,
            profile=prepared.profile,
            at=datetime.now(UTC),
        ),
    )
    return statements.verified(compact, statements.Rendition, signer.public_key)


def _stored(result: SealedResult) -> StoredBody:
    return StoredBody(
        object_prefix=result.object_prefix,
        size_bytes=result.part.size,
        digests=[b64u_decode(digest) for digest in result.part.segments],
    )
