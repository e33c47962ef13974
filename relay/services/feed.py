"""The live feed: one reader of the log for a process, fanned out to those whom a change concerns.

A change is found in the log, which is part of the transaction that made it: nothing has to be told after
the commit, and nothing is lost with a process. It reaches the watchers of its case and of the mediators of
that case alone, who read under their own rights what it is about. A watcher that falls behind is told to
look at everything.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec

from relay.crypto import statements
from relay.errors import CryptoError
from relay.storage.database import Connection, connect
from relay.storage.events import NewEvent, NewEvents, follow_events, latest_events

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
"""Between two looks at the log: how late a watcher hears of a change."""
RECONNECT_SECONDS: Final = 1.0
BACKLOG_MAX_CHANGES: Final = 256
EVENTS_AT_ONCE: Final = 1000


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something was written to the log of a case; both None: look at everything."""

    case_id: uuid.UUID | None
    message_id: uuid.UUID | None


EVERYTHING: Final = Change(case_id=None, message_id=None)


class FeedEnded(Exception):
    """This process tells nobody any more; another one does."""


class Watch:
    """What changes for one watcher from now on."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[Change] = asyncio.Queue(BACKLOG_MAX_CHANGES)
        self._has_ended = False

    def tell(self, change: Change) -> None:
        """Add a change; where there are too many of them, everything may have changed."""
        if self._changes.full():
            self._empty()
            change = EVERYTHING
        self._changes.put_nowait(change)

    async def next(self) -> set[Change]:
        """Wait for a change, and take all that are there; FeedEnded where none will come."""
        changes = {await self._changes.get(), *self._empty()}
        if self._has_ended:
            raise FeedEnded
        return changes

    def end(self) -> None:
        """Say that nothing more will come."""
        self._has_ended = True
        self.tell(EVERYTHING)

    def _empty(self) -> list[Change]:
        return [self._changes.get_nowait() for _ in range(self._changes.qsize())]


class Follower:
    """How far the log was read. Its numbers are given out before their transactions end, in any order."""

    def __init__(self, latest: Collection[int]) -> None:
        self.known = set(latest)
        self._floor = min(latest, default=1) - 1
        """Up to here nothing is missing any more."""
        self._mark: tuple[int, int] | None = None
        """The newest row of an earlier look, and the first transaction that began after that."""

    @property
    def newest(self) -> int:
        """The newest row that was read."""
        return max(self.known, default=self._floor)

    async def look(self, connection: Connection) -> list[NewEvent]:
        """What was not read before, also where its number is lower than that of what was."""
        found = await follow_events(
            connection, after=self._floor, known=self.known, limit=EVENTS_AT_ONCE
        )
        self.known.update(event.event_id for event in found.events)
        if len(found.events) < EVENTS_AT_ONCE:
            self._settle(found)
        return found.events

    def _settle(self, found: NewEvents) -> None:
        """Where all have ended that could hold a number below the mark, this look saw what became of them."""
        if self._mark is not None and found.undecided >= self._mark[1]:
            self._floor = self._mark[0]
            self.known = {event_id for event_id in self.known if event_id > self._floor}
            self._mark = None
        if self._mark is None and self.known:
            self._mark = (self.newest, found.unbegun)


class Feed:
    """Fans the log of one database out to the watchers of this process."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._watches: defaultdict[uuid.UUID, set[Watch]] = defaultdict(set)
        """By what they watch: a case, or the credential of a mediator."""
        self._reader: asyncio.Task[None] | None = None
        self._has_ended = False

    async def start(self) -> None:
        """Read until `close`; a lost connection is made again, also where there is none at the beginning."""
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(ready))
        await ready.wait()

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    @asynccontextmanager
    async def watch(self, concerned: uuid.UUID) -> AsyncIterator[Watch]:
        """What changes from now on in this case, or in the cases of this mediator."""
        watch = Watch()
        if self._has_ended:
            watch.end()
        self._watches[concerned].add(watch)
        try:
            yield watch
        finally:
            self._watches[concerned].discard(watch)
            if not self._watches[concerned]:
                del self._watches[concerned]

    def end_watches(self) -> None:
        """Have every watcher leave, those who are still to come as well."""
        self._has_ended = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    async def _read(self, ready: asyncio.Event) -> None:
        follower: Follower | None = None
        while True:
            try:
                connection = await connect(self._database_url)
                try:
                    latest = await latest_events(connection, EVENTS_AT_ONCE)
                    if follower is None or max(latest, default=0) < follower.newest:
                        # The first look; or another database, an older copy of this one.
                        follower = Follower(latest)
                        self._tell_all()
                    ready.set()
                    while True:
                        for event in await follower.look(connection):
                            self._tell(event)
                        await asyncio.sleep(LOOK_SECONDS)
                finally:
                    await connection.close(timeout=RECONNECT_SECONDS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                _log.warning("the live feed lost its connection: %s", type(error).__name__)
            ready.set()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _tell(self, event: NewEvent) -> None:
        concerned = {event.case_id, *event.mediators, *_dismissed(event)}
        change = Change(case_id=event.case_id, message_id=event.message_id)
        for one in concerned & self._watches.keys():
            for watch in self._watches[one]:
                watch.tell(change)

    def _tell_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.tell(EVERYTHING)


def _dismissed(event: NewEvent) -> set[uuid.UUID]:
    """The mediators of the charter before a new one, whom that may have dismissed: their queue is another."""
    if event.former_charter is None:
        return set()
    try:
        charter = statements.decode_unverified(event.former_charter, statements.Charter)
    except CryptoError:
        return set()  # the audit says what is wrong with it
    return {member.credential for member in charter.mediators}
