"""Server-sent events: which cases of a mediator changed, which messages of a participant look otherwise now.

An event names what to ask for again, and holds nothing of it. Nothing is lost with a broken stream: each
begins by saying that all of it is to be looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec
from aiohttp import hdrs, web

from relay.domain.actors import Actor, Participant
from relay.domain.correspondence import NAMED_MAX, MessagesChanged
from relay.domain.reviews import QueueChanged
from relay.errors import NotFound, Unauthenticated, Unavailable
from relay.handlers.authentication import identify
from relay.handlers.routing import Call, Load, Role, route
from relay.services.correspondence import Seen, look
from relay.services.feed import EVERYTHING, Change, FeedEnded, Watch

LOOK_AGAIN_SECONDS: Final = 1.0
"""Where something is due and not yet there: the clock of the database may be late."""
SIGN_OF_LIFE: Final = b": still here\n\n"

_log = logging.getLogger(__name__)

Events: TypeAlias = AsyncGenerator[bytes, None]


class Rhythm:
    """When it is time for a sign of life: by what was sent, never by what changed unseen.

    A late one would tell an author that something happened to their message.
    """

    def __init__(self, call: Call) -> None:
        self._seconds = call.settings.events_keepalive_seconds
        self._silent_until = 0.0
        self._look_again_from = 0.0
        self.restart()

    def restart(self) -> None:
        """Something was sent just now."""
        self._silent_until = asyncio.get_running_loop().time() + self._seconds

    async def wait(self, watch: Watch, due: datetime | None = None) -> set[Change] | None:
        """What changes; nothing where it is `due`; None when it is time for a sign of life."""
        now = asyncio.get_running_loop().time
        until = self._silent_until
        if due is not None:
            due_at = now() + (due - datetime.now(UTC)).total_seconds()
            until = min(until, max(due_at, self._look_again_from))
        try:
            async with asyncio.timeout_at(until):
                return await watch.next()
        except TimeoutError:
            if until < self._silent_until:
                self._look_again_from = now() + LOOK_AGAIN_SECONDS
                return set()
            self._silent_until += self._seconds
            return None


async def watch_queue(call: Call) -> web.StreamResponse:
    """In which of the caller's cases something happened."""

    async def events(watch: Watch) -> Events:
        yield _event("queue", QueueChanged(cases=[], everything=True))
        rhythm = Rhythm(call)
        while True:
            changes = await rhythm.wait(watch)
            await _admitted(call)
            if changes is None:
                yield SIGN_OF_LIFE
                continue
            cases = {change.case_id for change in changes if change.case_id is not None}
            is_all = EVERYTHING in changes or len(cases) > NAMED_MAX
            named = [] if is_all else sorted(cases)
            yield _event("queue", QueueChanged(cases=named, everything=is_all))
            rhythm.restart()

    return await _stream(call, call.relay.feed.watch(call.mediator.credential_id), events)


async def watch_messages(call: Call) -> web.StreamResponse:
    """Which messages look otherwise to the caller now; of what others alone can see there is no sound."""

    async def events(watch: Watch) -> Events:
        async with call.short():
            seen = await look(call.database, call.participant)
        yield _event("messages", MessagesChanged(messages=[], everything=True))
        rhythm = Rhythm(call)
        while True:
            changes = await rhythm.wait(watch, seen.due)
            # A mediator may have verified the caller's claim since.
            actor = await _admitted(call)
            assert isinstance(actor, Participant)  # noqa: S101 - by the role
            if changes is None:
                yield SIGN_OF_LIFE
                continue
            async with call.short():
                before, seen = seen, await _look_again(call, actor, seen, changes)
            changed = seen.changed_since(before)
            if changed or seen.access != before.access:
                is_all = len(changed) > NAMED_MAX or seen.access != before.access
                named = [] if is_all else sorted(changed)
                yield _event("messages", MessagesChanged(messages=named, everything=is_all))
                rhythm.restart()

    return await _stream(call, call.relay.feed.watch(call.participant.case_id), events)


async def _look_again(call: Call, actor: Participant, seen: Seen, changes: set[Change]) -> Seen:
    """What the caller sees now; only the messages that changed are looked at, where it is known which."""
    named = {change.message_id for change in changes if change.message_id is not None}
    if not changes or any(change.message_id is None for change in changes):
        return await look(call.database, actor)
    return seen.with_others(named, await look(call.database, actor, sorted(named)))


async def _admitted(call: Call) -> Actor:
    """The caller as they are now; Unauthenticated or NotFound where their session has ended."""
    return await identify(call.request, call.relay, frozenset({call.actor.role}))


def _event(name: str, value: msgspec.Struct) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


async def _stream(
    call: Call,
    watching: AbstractAsyncContextManager[Watch],
    events: Callable[[Watch], Events],
) -> web.StreamResponse:
    """Say what there is to say until the caller leaves, or their session or this process ends."""
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: "text/event-stream",
            hdrs.CACHE_CONTROL: "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    response.set_status(HTTPStatus.OK)
    await response.prepare(call.request)
    if call.request.method == hdrs.METH_HEAD:
        return response
    with contextlib.suppress(ConnectionResetError, Unauthenticated, NotFound, FeedEnded):
        try:
            async with watching as watch:
                async for event in events(watch):
                    await response.write(event)
        except Unavailable as error:
            # It is too late for another answer; who listens comes back, and is told to look at everything.
            _log.warning("a live feed ends: %s", error)
    return response


ROUTES = (
    route("GET", "/v1/queue/events", watch_queue, Role.MEDIATOR, load=Load.FEED),
    route(
        "GET",
        "/v1/messages/events",
        watch_messages,
        Role.PARTICIPANT,
        Role.UPLOADER,
        load=Load.FEED,
    ),
)
