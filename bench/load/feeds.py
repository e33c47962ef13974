"""People who listen to their live feeds, and ask again for what these name, as the pages do."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiohttp
import msgspec

from bench.load.crowd import Found, Heard
from relay.client.connection import SignedConnection, problem

SILENT_SECONDS: Final = 45
"""Relay gives a sign of life every 15 seconds."""
SESSION_SECONDS: Final = 15 * 60
OPENED_AT_ONCE: Final = 16
NAMED: Final = 3
"""So many of the cases that an event names are looked at."""


class _Named(msgspec.Struct):
    """What an event names: messages or cases."""

    everything: bool
    messages: list[uuid.UUID] = []
    cases: list[uuid.UUID] = []


@dataclasses.dataclass(frozen=True, slots=True)
class Listener:
    """Somebody with a live feed."""

    who: uuid.UUID
    session: SignedConnection
    is_mediator: bool


class Feeds:
    """All live feeds of one process."""

    def __init__(self, http: aiohttp.ClientSession, found: Found) -> None:
        self._http = http
        self._found = found
        self._asking: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self, listeners: Sequence[Listener]) -> AsyncIterator[None]:
        """Everybody listens during the block; what ends or falls silent before is an error."""
        slots = asyncio.Semaphore(OPENED_AT_ONCE)
        begun = [asyncio.Event() for _ in listeners]
        listening = [
            asyncio.create_task(self._listen(one, first, slots))
            for one, first in zip(listeners, begun, strict=True)
        ]
        try:
            await asyncio.gather(*(first.wait() for first in begun))
            yield
        finally:
            for task in (*listening, *self._asking):
                task.cancel()
            await asyncio.gather(*listening, *self._asking, return_exceptions=True)

    async def _listen(
        self, listener: Listener, begun: asyncio.Event, slots: asyncio.Semaphore
    ) -> None:
        while True:
            signed_in = time.monotonic()
            async with slots:
                listener.session.forget_session()
                bearer = await listener.session.bearer()
                opening = self._http.get(
                    f"{listener.session.connection.url}/v1/"
                    f"{'queue' if listener.is_mediator else 'messages'}/events",
                    headers={"Authorization": f"Bearer {bearer}"},
                )
                with self._found.noting("a feed is opened"):
                    stream = await opening
                    if not stream.ok:
                        raise problem(stream.status, await stream.read())
            with self._found.noting("a feed"):
                async with stream:
                    await self._read(listener, stream.content, begun)
            if time.monotonic() - signed_in < SESSION_SECONDS:
                self._found.error("a feed ended")
            begun.set()

    async def _read(
        self, listener: Listener, stream: aiohttp.StreamReader, begun: asyncio.Event
    ) -> None:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                line = await stream.readline()
            if not line:
                return
            if line.startswith(b"data: "):
                named = msgspec.json.decode(line[6:], type=_Named)
                what = None if named.everything else [*named.messages, *named.cases]
                self._found.heard.append(Heard(listener.who, time.monotonic(), what))
                if begun.is_set():
                    asking = asyncio.create_task(self._ask_again(listener, named))
                    self._asking.add(asking)
                    asking.add_done_callback(self._asking.discard)
                begun.set()

    async def _ask_again(self, listener: Listener, named: _Named) -> None:
        if listener.is_mediator:
            paths = [f"/v1/queue?case={case}" for case in named.cases[:NAMED]] or ["/v1/queue"]
        elif named.messages:
            paths = [f"/v1/messages?messages={','.join(map(str, named.messages))}"]
        else:
            paths = ["/v1/messages"]
        with self._found.noting("a list after an event"):
            for path in paths:
                await listener.session.call("GET", path)
