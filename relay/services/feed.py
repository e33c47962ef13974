"""The live feed: one LISTEN connection for a process, fanned out to those who watch.

The database notifies `relay_events` with every row of the log; a watcher is told which case and message
changed and reads the rest under its own rights. A watcher that falls behind is told to look at everything.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec

_log = logging.getLogger(__name__)

CHANNEL: Final = "relay_events"
BACKLOG_MAX_CHANGES: Final = 256
RECONNECT_SECONDS: Final = 1.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something was written to the log of a case; both None: look at everything."""

    case_id: uuid.UUID | None
    message_id: uuid.UUID | None


EVERYTHING: Final = Change(case_id=None, message_id=None)


class Feed:
    """Fans the notifications of one database out to the watchers of this process."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._watchers: set[asyncio.Queue[Change]] = set()
        self._listener: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen until `close`; a lost connection is made again."""
        listening = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(listening))
        await listening.wait()

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[asyncio.Queue[Change]]:
        """A queue of what changes from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue(BACKLOG_MAX_CHANGES)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    async def _listen(self, listening: asyncio.Event) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self._database_url)
                try:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda *_, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._heard)
                    self._tell(EVERYTHING)  # what happened while nobody listened
                    listening.set()
                    await lost.wait()
                finally:
                    await connection.close(timeout=RECONNECT_SECONDS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                _log.warning("the live feed lost its connection: %s", type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """Tell of a row of the log; whoever may connect to the database can say other things here."""
        try:
            _event_id, case_id, message_id = str(payload).split(" ")
            change = Change(
                case_id=uuid.UUID(case_id),
                message_id=None if message_id == "-" else uuid.UUID(message_id),
            )
        except ValueError:
            _log.warning("the live feed heard what is no row of the log; dropped")
            return
        self._tell(change)

    def _tell(self, change: Change) -> None:
        for queue in self._watchers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(EVERYTHING)
            else:
                queue.put_nowait(change)
