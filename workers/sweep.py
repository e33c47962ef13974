"""Finds what time has passed over: jobs, leases, sessions, uploads, orphans, drafts, texts, closed cases.

Every step may be repeated and may run in several workers at once: a transition is made after a second look,
under the row's lock, and what is gone already is no error. A step that fails leaves the others alone, and is
tried again with the next sweep.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from relay.domain.jobs import WorkerRefused
from relay.domain.transitions import Event, Mover, State
from relay.metrics import SWEEP_FAILURES
from relay.queue import Queue
from relay.services import disposal, processing, uploads
from relay.services.processing import MediaWorker
from relay.services.transitions import (
    CLOCK_ACTOR,
    lapse,
    make_transition,
    require_transition,
)
from relay.settings import Settings
from relay.storage import disposal as stored_disposal
from relay.storage import jobs as stored_jobs
from relay.storage import messages as stored
from relay.storage import notifications as stored_notifications
from relay.storage import reviews as stored_reviews
from relay.storage import sessions as stored_sessions
from relay.storage import unsent as stored_unsent
from relay.storage import uploads as stored_uploads
from relay.storage.database import Database
from relay.storage.objects import Objects
from relay.tracing import spans

BATCH: Final = 500
"""Of one kind in one sweep."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything that a sweep needs."""

    settings: Settings
    database: Database
    objects: Objects
    queue: Queue
    workers: tuple[MediaWorker, ...]

    async def run(self) -> None:
        """Sweep every `sweep_seconds` until cancelled; WorkerRefused once no key may work any more."""
        while True:
            await self._require_worker()
            await self.once()
            await asyncio.sleep(self.settings.sweep_seconds)

    async def _require_worker(self) -> None:
        try:
            await processing.require_a_worker(self.database, self.workers)
        except WorkerRefused:
            raise
        except Exception as error:  # noqa: BLE001 - a database that is away says nothing about the worker
            _log.warning("sweep: the credential was not checked: %s", type(error).__name__)

    @property
    def steps(self) -> tuple[Callable[[], Awaitable[int]], ...]:
        """Every step, in their order."""
        return (
            self.wake_jobs,
            self.fail_stranded_jobs,
            self.lapse_leases,
            self.end_sessions,
            self.expire_drafts,
            self.forget_unsent,
            self.forget_events,
            self.end_uploads,
            self.remove_pieces,
            self.dispose_of_cases,
            self.store_certificates,
            self.remove_orphans,
            self.sum_figures,
        )

    async def once(self) -> None:
        """Every step."""
        with spans.trace("sweep"):
            for step in self.steps:
                await self._try(step)

    async def _try(self, step: Callable[[], Awaitable[int]]) -> None:
        name = step.__name__
        try:
            with spans.span(f"sweep {name}"):
                count = await step()
        except Exception as error:  # noqa: BLE001 - whatever it is must not keep the others from their work
            _log.warning("sweep: %s failed: %s", name, type(error).__name__)
            SWEEP_FAILURES.labels(name).inc()
            return
        if count:
            _log.info("sweep: %s: %d", name, count)

    async def wake_jobs(self) -> int:
        """Wake a worker for each job that nobody works on."""
        async with self.database.connection() as connection:
            waiting = await stored_jobs.list_available(connection, BATCH)
        for number, job_id in enumerate(waiting):
            if not await self.queue.wake(job_id):
                return number  # nor would the others be: the next sweep tells them
        return len(waiting)

    async def fail_stranded_jobs(self) -> int:
        """End the jobs whose video no worker can open any more."""
        async with self.database.connection() as connection:
            stranded = await stored_jobs.list_stranded(connection, BATCH)
        ended = [
            await processing.fail_stranded(self.database, self.workers[0], job_id)
            for job_id in stranded
        ]
        return sum(ended)

    async def lapse_leases(self) -> int:
        """Put items back into the queue whose reviewer's lease ran out."""
        async with self.database.connection() as connection:
            lapsed = await stored_reviews.list_lapsed(connection, BATCH)
        return sum([await self._lapse(message_id) for message_id in lapsed])

    async def _lapse(self, message_id: uuid.UUID) -> bool:
        async with self.database.transaction() as connection:
            message = await stored.lock_message(connection, message_id)
            if message is None or not message.lease_is_over:
                return False
            await lapse(connection, message)
            return True

    async def end_sessions(self) -> int:
        """Forget sessions and challenges whose time is over."""
        async with self.database.connection() as connection:
            await stored_sessions.delete_expired(connection)
        return 0

    async def expire_drafts(self) -> int:
        """End drafts that nobody touched for long."""
        seconds = self.settings.draft_expires_seconds
        async with self.database.connection() as connection:
            stale = await stored_reviews.list_stale_drafts(connection, seconds, BATCH)
        return sum([await self._expire(message_id) for message_id in stale])

    async def _expire(self, message_id: uuid.UUID) -> bool:
        async with self.database.transaction() as connection:
            message = await stored.lock_message(connection, message_id)
            if message is None or message.state is not State.DRAFT:
                return False
            age_seconds = (datetime.now(UTC) - message.state_since).total_seconds()
            if age_seconds < self.settings.draft_expires_seconds:
                return False
            await stored_uploads.orphan_uploads(connection, message_id)
            expired = await require_transition(connection, message, Event.EXPIRE, Mover.CLOCK)
            await make_transition(connection, message, expired, actor=CLOCK_ACTOR)
            return True

    async def forget_unsent(self) -> int:
        """Remove unsent texts that nobody changed for long."""
        seconds = self.settings.unsent_expires_seconds
        async with self.database.connection() as connection:
            await stored_unsent.delete_old(connection, seconds)
        return 0

    async def forget_events(self) -> int:
        """Remove events that the case system could ask for long enough."""
        seconds = self.settings.events_expire_seconds
        async with self.database.connection() as connection:
            return await stored_notifications.delete_old(connection, seconds, BATCH)

    async def end_uploads(self) -> int:
        """End uploads that were left until their time was over."""
        return await uploads.sweep_uploads(self.database, self.objects, datetime.now(UTC))

    async def remove_pieces(self) -> int:
        """Remove what failed connections left beside uploads that were submitted."""
        return await uploads.sweep_pieces(self.database, self.objects, datetime.now(UTC))

    async def dispose_of_cases(self) -> int:
        """Dispose of closed cases whose time has come."""
        async with self.database.connection() as connection:
            due = await stored_disposal.list_due(connection, BATCH)
        if not due:
            return 0
        worker = await processing.require_a_worker(self.database, self.workers)
        disposed = 0
        for case_id in due:
            try:
                disposed += await disposal.dispose(self.database, self.settings, worker, case_id)
            except Exception as error:  # noqa: BLE001 - one case must not keep the others
                _log.warning("sweep: a case was not disposed of: %s", type(error).__name__)
                SWEEP_FAILURES.labels("dispose_of_cases").inc()
        return disposed

    async def store_certificates(self) -> int:
        """Write certificates of disposal to the bucket too."""
        return await disposal.store_certificates(self.database, self.objects, BATCH)

    async def remove_orphans(self) -> int:
        """Remove objects that nothing refers to."""
        return await uploads.sweep_orphans(self.database, self.objects, datetime.now(UTC))

    async def sum_figures(self) -> int:
        """Sum up the figures of the case system, so that it can read them at once."""
        async with self.database.connection() as connection:
            await stored_reviews.sum_queue_counts(connection)
        return 0
