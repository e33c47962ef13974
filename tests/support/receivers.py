"""A host that takes webhooks, as the settings name it, and a deliverer that sends to it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypedDict, Unpack

import msgspec
from aiohttp import web

from relay.crypto.webhooks import new_shared_secret
from relay.domain.webhooks import Receiver
from relay.services import webhooks
from relay.storage.database import Database
from workers.delivering import Deliverer
from workers.webhook_sender import WebhookSender

LOOPBACK: Final = ("127.0.0.0/8",)


class Changes(TypedDict, total=False):
    """What is otherwise with a receiver than usual."""

    url: str
    secrets: tuple[str, ...]
    events: tuple[str, ...]
    networks: tuple[str, ...]
    timeout_seconds: float
    first_retry_seconds: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One request, as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The same for each attempt at an event."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The event in it."""
        found: dict[str, Any] = json.loads(self.body)
        return found


Answer: TypeAlias = Callable[[Webhook], Awaitable[web.Response]]


class ReceivingHost:
    """Every attempt in its order, and what was taken: by default all of it."""

    def __init__(self) -> None:
        self.attempts: list[Webhook] = []
        self.taken: list[Webhook] = []
        self.answer: Answer = self.take
        self.url = ""
        self._is_gone = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def take(self, webhook: Webhook) -> web.Response:
        """Take it."""
        self.taken.append(webhook)
        return web.Response(status=204)

    @property
    def types(self) -> list[str]:
        """The types of what was taken."""
        return [webhook.event["type"] for webhook in self.taken]

    async def until(self, done: Callable[[], bool], seconds: float = 15) -> None:
        """Wait for something; TimeoutError."""
        async with asyncio.timeout(seconds):
            while not done():  # noqa: ASYNC110 - what is waited for is anything
                await asyncio.sleep(0.02)

    def receiver(self, name: str = "case-system", **changes: Unpack[Changes]) -> Receiver:
        """How the settings would name it."""
        usual = Receiver(
            name=name,
            url=self.url,
            secrets=(new_shared_secret(),),
            networks=LOOPBACK,
            first_retry_seconds=0.05,
            timeout_seconds=2,
        )
        return msgspec.structs.replace(usual, **changes)

    async def come(self) -> None:
        """Listen on loopback, at the same port as before."""
        self._is_gone = asyncio.Event()
        application = web.Application()
        application.router.add_post("/events", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/events"

    async def go(self) -> None:
        """Break off what is under way, and listen no more."""
        self._is_gone.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def hang(self) -> web.Response:
        """Give no answer for as long as this host is there."""
        await self._is_gone.wait()
        return web.Response(status=503)

    async def _handle(self, request: web.Request) -> web.Response:
        webhook = Webhook(headers=dict(request.headers), body=await request.read())
        self.attempts.append(webhook)
        return await self.answer(webhook)


@contextlib.asynccontextmanager
async def receiving_host() -> AsyncIterator[ReceivingHost]:
    """A host on loopback."""
    host = ReceivingHost()
    await host.come()
    try:
        yield host
    finally:
        await host.go()


@contextlib.asynccontextmanager
async def delivering(database: Database, *receivers: Receiver) -> AsyncIterator[None]:
    """A process that delivers, in this one; it stops in order at the end."""
    for receiver in receivers:
        await webhooks.register(database, receiver)
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        running = [
            asyncio.create_task(
                Deliverer(
                    database,
                    receiver,
                    await stack.enter_async_context(WebhookSender(receiver, connections=32)),
                ).run(stop)
            )
            for receiver in receivers
        ]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*running)


def of_case(taken: Sequence[Webhook], case: object) -> list[int]:
    """The numbers of a case's events, as they came."""
    return [one.event["id"] for one in taken if one.event["case"] == str(case)]
