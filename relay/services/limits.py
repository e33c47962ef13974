"""What one caller may ask of this process at once, so that others do not notice.

Each kind of work is counted apart: whoever uploads a video reads their letters meanwhile. Who has not shown
yet who they are is counted by address, where relay is told it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final, TypeAlias

from relay.domain.actors import Actor, LinkHolder, Mediator, Nobody, Participant, Service
from relay.domain.limits import Limit, TooManyAtOnce, TooManyFeeds
from relay.services.minutes import WINDOW_SECONDS
from relay.services.pacing import Pace
from relay.services.turns import Turns
from relay.settings import Settings

Key: TypeAlias = uuid.UUID | str | bytes

NO_WAIT: Final = 0


class Load(StrEnum):
    """What a request takes of a process."""

    SHORT = "requests"
    """A statement or a few, and an answer."""
    UPLOAD = "uploads"
    """Memory, for as long as bytes come."""
    DOWNLOAD = "downloads"
    """Memory, for as long as bytes go."""
    FEED = "feeds"
    """A place, for as long as somebody listens."""
    STATIC = "static"
    """Next to nothing: the same answer for everybody, from memory."""


class Limits:
    """The turns of every caller of this process."""

    def __init__(self, settings: Settings) -> None:
        seconds = settings.limit_wait_seconds
        quotas = {
            Load.SHORT: settings.limit_requests_at_once,
            Load.UPLOAD: settings.limit_uploads_at_once,
            Load.DOWNLOAD: settings.limit_downloads_at_once,
        }
        self._turns: Mapping[Load, Turns] = {
            **{
                load: Turns(
                    Limit(name=f"{load}-at-once", quota=quota),
                    TooManyAtOnce,
                    waiting=settings.limit_requests_waiting,
                    seconds=seconds,
                )
                for load, quota in quotas.items()
            },
            Load.FEED: Turns(
                Limit(name="feeds", quota=settings.limit_feeds),
                TooManyFeeds,
                waiting=NO_WAIT,
                seconds=seconds,
            ),
        }
        self._bearers = Turns(
            Limit(name="requests-at-once", quota=settings.limit_requests_at_once),
            TooManyAtOnce,
            waiting=settings.limit_requests_waiting,
            seconds=seconds,
        )
        self._strangers = Turns(
            Limit(name="address-requests-at-once", quota=settings.limit_address_requests_at_once),
            TooManyAtOnce,
            waiting=settings.limit_requests_waiting,
            seconds=seconds,
        )

        self._paces = {
            kind: Pace(
                Limit(name=f"{kind}-pace", quota=quota, window_seconds=WINDOW_SECONDS),
                waiting=settings.limit_requests_waiting,
            )
            for kind, quota in (
                ("person", settings.limit_person_requests),
                ("address", settings.limit_address_requests),
            )
        }

    async def paced(self, actor: Actor, address: str | None) -> None:
        """Wait until a request of this caller is due, of nobody yet by their address; TooManyAtOnce."""
        if isinstance(actor, Service):
            return
        if not isinstance(actor, Nobody):
            await self._paces["person"].wait(key_of(actor))
        elif address is not None:
            await self._paces["address"].wait(address)

    @contextlib.asynccontextmanager
    async def identifying(self, bearer: bytes, address: str | None) -> AsyncIterator[None]:
        """While it is found out whose bearer this is a hash of; TooManyAtOnce."""
        async with self._bearers.turn(bearer), self.serving(address):
            yield

    def serving(self, address: str | None) -> AbstractAsyncContextManager[None]:
        """While something is done for somebody at this address, whoever it is; TooManyAtOnce."""
        if address is None:
            return contextlib.nullcontext()
        return self._strangers.turn(address)

    def working(self, load: Load, actor: Actor) -> AbstractAsyncContextManager[None]:
        """While a request of somebody who is known is handled; TooManyAtOnce, TooManyFeeds."""
        return self._turns[load].turn(key_of(actor))

    def require_room(self, load: Load, actor: Actor) -> None:
        """TooManyAtOnce, TooManyFeeds where one more would be refused at once; nothing is counted."""
        if not isinstance(actor, Service):
            self._paces["person"].require_room(key_of(actor))
        self._turns[load].require_room(key_of(actor))


def key_of(actor: Actor) -> Key:
    """Whose work it is: of one person by all their sessions."""
    match actor:
        case Participant():
            return actor.participant_id
        case Mediator():
            return actor.credential_id
        case LinkHolder():
            return actor.link_id
        case Service():
            return str(actor)
        case _:
            raise TypeError("nobody in particular")
