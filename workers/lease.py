"""Keeps the lease of a job while the work on it continues, and tells the database how far it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from relay.domain.jobs import Job, Stage
from relay.services import processing
from relay.settings import Settings
from relay.storage.database import Database
from relay.tracing.spans import unseen

PROGRESS_SECONDS: Final = 1
"""Progress is written this often at most."""
RENEWALS_PER_LEASE: Final = 3

_log = logging.getLogger(__name__)


class Lease:
    """The lease of one job; `stage`, `fraction` and `writing` go out with the next renewal."""

    def __init__(self, database: Database, settings: Settings, job: Job) -> None:
        self._database = database
        self._settings = settings
        self._job = job
        self._moved = asyncio.Event()
        self._stage = Stage.FETCHING
        self._fraction = 0.0
        self._writing: Sequence[str] = ()
        self._resting = False

    def tell(self, stage: Stage, fraction: float) -> None:
        """The work is at `stage`, and `fraction` of all of it is done."""
        self._stage, self._fraction = stage, fraction
        self._moved.set()

    def write(self, prefixes: Sequence[str]) -> None:
        """From now on, something is being written under these prefixes."""
        self._writing = prefixes

    def rest(self) -> None:
        """From now on the work is being handed in, which tells by itself whether the lease still holds."""
        self._resting = True

    async def keep(self) -> None:
        """Renew until another has the lease, or the job was cancelled; then return.

        While the database is away the work continues: whether the lease still holds is asked again at the
        end, and until then nobody else can have taken the job either.
        """
        with unseen():  # thousands of renewals of one job
            while True:
                await self._pause(self._settings.job_lease_seconds / RENEWALS_PER_LEASE)
                if not self._resting and not await self._renewed():
                    return

    async def _renewed(self) -> bool:
        try:
            async with asyncio.timeout(self._settings.job_lease_seconds):
                renewed = await processing.renew(
                    self._database,
                    self._settings,
                    self._job,
                    self._stage,
                    self._fraction,
                    self._writing,
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
            _log.warning(
                "job %s: the lease was not renewed: %s", self._job.job_id, type(error).__name__
            )
            return True
        # A refusal that arrives while the work is handed in is the hand-in's own doing.
        return renewed or self._resting

    async def _pause(self, longest: float) -> None:
        """Wait until it is time for a renewal, or for news."""
        self._moved.clear()
        shortest = min(PROGRESS_SECONDS, longest)
        await asyncio.sleep(shortest)
        try:
            async with asyncio.timeout(longest - shortest):
                await self._moved.wait()
        except TimeoutError:
            return
