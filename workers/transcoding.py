"""One job from its lease to its end: fetch and open, transcode in the jail, seal and store, hand in."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
import traceback
import uuid
from collections.abc import Coroutine, Sequence
from typing import Final

from relay.domain.jobs import (
    Job,
    LeaseLost,
    Stage,
    VideoFailed,
    poster_prefix,
    rendition_prefix,
)
from relay.errors import RelayError
from relay.media.errors import MediaRefused
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.media.transcode import Progress, Transcoded, transcode
from relay.metrics import JOB_SECONDS, TRANSCODE_RATIO
from relay.queue import MESSAGING, QUEUE_NAME, Queue
from relay.services import processing
from relay.services.processing import MediaWorker, Prepared, Source
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects
from relay.tracing import context, spans
from relay.tracing.spans import Kind, Span, Spanning
from workers.lease import Lease
from workers.result import store
from workers.source import fetch

FETCHED: Final = 0.05
TRANSCODED: Final = 0.95
"""Where the parts of the work end, as shares of all of it."""

SAME_TRACE_SECONDS: Final = 10 * 60
"""A first attempt that begins within so long of its request is in the same trace."""
_PROCESSING: Final = {
    **MESSAGING,
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
}

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transcoder:
    """Everything that a job needs; the same for each."""

    settings: Settings
    database: Database
    objects: Objects
    worker: MediaWorker
    tools: MediaTools

    async def run(self, job: Job) -> None:
        """Do a job that was leased, and note how it ended; only cancelling makes it raise."""
        with _tracing(job) as span:
            await self._do(job, span)

    async def _do(self, job: Job, span: Span) -> None:
        _log.info("job %s: attempt %d", job.job_id, job.attempts)
        began = time.monotonic()
        try:
            outcome = await self._attempt(job)
        except asyncio.CancelledError:
            _count("given-back", began, span)
            await self._note(job, processing.give_back(self.database, job))
            _log.info("job %s: given back", job.job_id)
            raise
        _count(_name_of(outcome), began, span)
        if outcome is not None:
            span.fail(spans.name_of(outcome))
        await self._note(job, self._end(job, outcome))

    async def _note(self, job: Job, note: Coroutine[None, None, None]) -> None:
        """Write down how it ended; where that fails the lease runs out, and another attempt follows."""
        try:
            await note
        except Exception as error:  # noqa: BLE001 - the database may be away for any reason
            _log.warning("job %s: its end could not be noted: %s", job.job_id, _place(error))

    async def _attempt(self, job: Job) -> BaseException | None:
        """Work while the lease holds; the error it ended with."""
        lease = Lease(self.database, self.settings, job)
        keeping = asyncio.create_task(lease.keep())
        working = asyncio.create_task(self._work(job, lease))
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (keeping, working):
                task.cancel()
            await asyncio.wait({keeping, working})
        if working.cancelled():
            return LeaseLost("not renewed")
        return working.exception()

    async def _end(self, job: Job, error: BaseException | None) -> None:
        if error is None:
            _log.info("job %s: done", job.job_id)
        elif isinstance(error, MediaRefused | VideoFailed):
            _log.info("job %s: failed: %s (%s)", job.job_id, error.code, error.detail)
            await processing.fail(self.database, self.worker, job, error.code)
        else:
            code = error.code if isinstance(error, RelayError) else type(error).__name__
            _log.warning("job %s: to be tried again: %s", job.job_id, _place(error))
            await processing.try_later(self.database, self.settings, job, code)

    async def _work(self, job: Job, lease: Lease) -> None:
        async with asyncio.timeout(self.settings.job_seconds):
            source = await processing.find_source(self.database, self.settings, self.worker, job)
            with await self._fetch(source, lease) as original:
                made = await self._transcode(original, lease)
            with made.rendition, made.poster:
                prepared = await self._store(source.message.case, made, lease)
            lease.rest()
            with spans.span("hand in"):
                await processing.finish(self.database, self.worker, job, source, prepared)

    async def _fetch(self, source: Source, lease: Lease) -> MemoryFile:
        def told(part: float) -> None:
            lease.tell(Stage.FETCHING, FETCHED * part)

        with spans.span("fetch"):
            return await fetch(self.objects, source, told)

    async def _transcode(self, original: MemoryFile, lease: Lease) -> Transcoded:
        def told(progress: Progress) -> None:
            share = FETCHED + (TRANSCODED - FETCHED) * progress.fraction
            stage = Stage(progress.stage)
            steps.at(stage)
            lease.tell(stage, share)

        limits = MediaLimits.from_settings(self.settings)
        began = time.monotonic()
        with spans.span("transcode"), spans.Steps() as steps:
            made = await transcode(original, limits=limits, tools=self.tools, progress=told)
        TRANSCODE_RATIO.observe(made.duration_ms / 1000 / (time.monotonic() - began))
        return made

    async def _store(self, case_id: uuid.UUID, made: Transcoded, lease: Lease) -> Prepared:
        work_id = uuid.uuid4()
        prefixes = (rendition_prefix(work_id), poster_prefix(work_id))
        await processing.note_writing(self.database, prefixes)
        lease.write(prefixes)
        lease.tell(Stage.STORING, TRANSCODED)
        with spans.span("seal and store"):
            rendition = await store(
                self.objects,
                made.rendition,
                case_id=case_id,
                object_prefix=prefixes[0],
                role="rendition",
                media_type="video/mp4" if made.kind == "video" else "audio/mp4",
            )
            poster = await store(
                self.objects,
                made.poster,
                case_id=case_id,
                object_prefix=prefixes[1],
                role="poster",
                media_type="image/jpeg",
            )
        return Prepared(
            rendition=rendition,
            poster=poster,
            size=made.size,
            duration_ms=made.duration_ms,
            width=made.width,
            height=made.height,
            profile=made.profile,
        )


class Transcoders:
    """The keys of one process: each job is done with those that it was sealed for."""

    def __init__(self, transcoders: Sequence[Transcoder], queue: Queue) -> None:
        """`queue` wakes the next worker where something is left to do."""
        self._transcoders = {one.worker.credential_id: one for one in transcoders}
        self._workers = [one.worker for one in transcoders]
        self._settings, self._database = transcoders[0].settings, transcoders[0].database
        self._queue = queue

    def __str__(self) -> str:
        """As the log names them."""
        return ", ".join(map(str, self._workers))

    async def run(self, woken_for: uuid.UUID) -> None:
        """Do the job whose turn it is, whichever it was woken for; only cancelling makes it raise."""
        try:
            taken = await processing.lease_next(self._database, self._settings, self._workers)
        except Exception as error:  # noqa: BLE001 - whatever it is, the sweep comes back to the job
            _log.warning("woken for job %s: none could be leased: %s", woken_for, _place(error))
            return
        if taken is None:
            return
        worker, job = taken
        await self._transcoders[worker.credential_id].run(job)
        await self._pass_on()

    async def _pass_on(self) -> None:
        """Wake a worker for what is due next: it may have waited for the one that has just ended."""
        try:
            due = await processing.find_next(self._database, self._workers)
        except Exception as error:  # noqa: BLE001 - the sweep will
            _log.warning("what is due next was not found: %s", _place(error))
            return
        if due is not None:
            await self._queue.wake(due)


def _tracing(job: Job) -> Spanning:
    """The span of an attempt: in the trace of the request that made the job, or in one of its own.

    The first attempt continues that trace where it begins soon. What is tried again, or was waited for long,
    has a trace of its own with a link to the request: nobody who assembles traces waits so long for one.
    """
    of_request = context.parse(job.traceparent) if job.traceparent else None
    is_soon = job.attempts == 1 and job.age_seconds <= SAME_TRACE_SECONDS
    return spans.trace(
        f"process {QUEUE_NAME}",
        Kind.CONSUMER,
        {
            **_PROCESSING,
            "relay.job.attempt": job.attempts,
            "relay.job.age": round(job.age_seconds, 3),
        },
        parent=of_request if is_soon else None,
        link=None if is_soon else of_request,
    )


def _count(outcome: str, began: float, span: Span) -> None:
    JOB_SECONDS.labels(outcome).observe(time.monotonic() - began)
    span.set("relay.job.outcome", outcome)


def _name_of(error: BaseException | None) -> str:
    """What an attempt that ended with this is counted as."""
    match error:
        case None:
            return "done"
        case MediaRefused() | VideoFailed():
            return "failed"
        case LeaseLost():
            return "lost"
        case _:
            return "retry"


def _place(error: BaseException) -> str:
    """Which error and where it arose; its text might quote what nobody may read in a log."""
    name = type(error).__name__
    if isinstance(error, RelayError):
        name = f"{name}({error.code}: {error.detail})"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{name} at {frames[-1].filename}:{frames[-1].lineno}" if frames else name
