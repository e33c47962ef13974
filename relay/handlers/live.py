"""Server-sent events: the queue of a mediator, the messages of a participant.

An event says that something changed and carries what the caller may see of it now; nothing is lost with
a broken stream, since each begins with everything as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web

from relay.domain.actors import Participant
from relay.errors import NotFound, Unauthenticated
from relay.handlers.authentication import identify
from relay.handlers.routing import Call, Role, route
from relay.services import reading, reviews
from relay.services.feed import Change

Snapshot = Callable[[], Awaitable[msgspec.Struct]]


async def watch_queue(call: Call) -> web.StreamResponse:
    """The figures of the queue whenever they change."""

    async def figures() -> msgspec.Struct:
        return await reviews.figures(call.database, call.mediator)

    return await _stream(call, "queue", figures)


async def watch_messages(call: Call) -> web.StreamResponse:
    """Everything a participant sees, whenever what they see changes; never when it does not."""

    async def correspondence() -> msgspec.Struct:
        # A mediator may have verified the caller's claim since.
        actor = await identify(call.request, call.relay, frozenset({call.actor.role}))
        assert isinstance(actor, Participant)  # noqa: S101 - by the role
        return await reading.correspondence(call.database, actor)

    return await _stream(call, "messages", correspondence)


async def _stream(call: Call, name: str, snapshot: Snapshot) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: "text/event-stream",
            hdrs.CACHE_CONTROL: "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    response.set_status(HTTPStatus.OK)
    await response.prepare(call.request)
    with contextlib.suppress(ConnectionResetError):
        async for event in _events(call, name, snapshot):
            await response.write(event)
    return response


async def _events(call: Call, name: str, snapshot: Snapshot) -> AsyncIterator[bytes]:
    """A snapshot at first and after every change that alters it, and a comment while nothing does.

    The comments keep time by what was sent, never by what changed unseen: a late one would tell an author
    that something happened to their message. With a session that has ended nothing is sent any more.
    """
    loop = asyncio.get_running_loop()
    keepalive = call.settings.events_keepalive_seconds
    sent: bytes | None = None
    silent_until = loop.time()
    async with call.relay.feed.watch() as changes:
        while True:
            try:
                current = msgspec.json.encode(await snapshot())
            except (Unauthenticated, NotFound):
                return
            if current != sent:
                if sent is not None and not await _is_still_admitted(call):
                    return
                yield b"event: " + name.encode() + b"\ndata: " + current + b"\n\n"
                sent = current
                silent_until = loop.time() + keepalive
            while not await _changed(call, changes, silent_until):
                if not await _is_still_admitted(call):
                    return
                yield b": still here\n\n"
                silent_until += keepalive


async def _changed(call: Call, changes: asyncio.Queue[Change], deadline: float) -> bool:
    """Wait for a change that may concern the caller; False when it is time for a sign of life."""
    case_id = getattr(call.actor, "case_id", None)
    loop = asyncio.get_running_loop()
    while True:
        try:
            change = await asyncio.wait_for(changes.get(), deadline - loop.time())
        except TimeoutError:
            return False
        if case_id is None or change.case_id in {None, case_id}:
            return True


async def _is_still_admitted(call: Call) -> bool:
    try:
        await identify(call.request, call.relay, frozenset({call.actor.role}))
    except (Unauthenticated, NotFound):
        return False
    return True


ROUTES = (
    route("GET", "/v1/queue/events", watch_queue, Role.MEDIATOR),
    route("GET", "/v1/messages/events", watch_messages, Role.PARTICIPANT, Role.UPLOADER),
)
