"""Bodies that nobody reads: the answer comes first, and little of the rest is taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import pytest
from aiohttp import web

from relay.handlers.unread import PLACES, SMALL_BYTES, unread
from relay.settings import MIB

LONG_BYTES: Final = 512 * MIB
PIECE: Final = bytes(64 * 1024)
LITTLE_BYTES: Final = 64 * MIB
"""What is taken in a second is less, with everything that lies in sockets; as fast as it comes it is more."""
SECONDS: Final = 2
"""For so long bytes are taken after the answer."""
SOON_SECONDS: Final = 60


@contextlib.asynccontextmanager
async def serving(port: int, places: int = PLACES, seconds: float = SECONDS) -> AsyncIterator[int]:
    """A service that refuses each `PUT` unread, and reads each `POST` to its end."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, text="no")

    async def read(request: web.Request) -> web.StreamResponse:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        return web.Response(text=str(size))

    app = web.Application(middlewares=[unread(places=places, seconds=seconds)])
    app.router.add_put("/", refuse)
    app.router.add_post("/", read)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


class Sender:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.sent = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator[Sender]:
        """To the service at this port; broken off at the end of the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def ask(self, method: str, size: int) -> None:
        """The head of a request with a body of so many bytes."""
        head = f"{method} / HTTP/1.1\r\nHost: relay\r\nContent-Length: {size}\r\n\r\n"
        self.writer.write(head.encode())

    async def send(self, size: int) -> None:
        """So many bytes of it, or as many as are taken before the connection ends."""
        with contextlib.suppress(OSError):
            while self.sent < size:
                self.writer.write(PIECE[: size - self.sent])
                await self.writer.drain()
                self.sent += len(PIECE)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body


@pytest.fixture
async def port(unused_tcp_port: int) -> AsyncIterator[int]:
    """Of a service with its ordinary number of places."""
    async with serving(unused_tcp_port) as port:
        yield port


async def test_the_answer_comes_first_and_little_is_taken_after_it(port: int) -> None:
    """Whoever sends on regardless can read why, and keeps nobody busy; in the end nothing is taken."""
    async with Sender.open(port) as sender:
        sender.ask("PUT", LONG_BYTES)
        sending = asyncio.create_task(sender.send(LONG_BYTES))
        async with asyncio.timeout(SOON_SECONDS):
            status, headers, body = await sender.answer()
        assert (status, headers["connection"], body) == (429, "close", b"no")
        await asyncio.sleep(SECONDS / 2)
        assert 0 < sender.sent < LITTLE_BYTES
        async with asyncio.timeout(SOON_SECONDS):
            await sending
        assert sender.sent < LITTLE_BYTES


async def test_a_short_rest_is_taken_to_its_end(port: int) -> None:
    """Who sends what is little more than small can read the answer when they are done."""
    async with Sender.open(port) as sender:
        sender.ask("PUT", 2 * SMALL_BYTES)
        await asyncio.sleep(0.2)
        await sender.send(2 * SMALL_BYTES)
        async with asyncio.timeout(SOON_SECONDS):
            assert (await sender.answer())[0] == HTTPStatus.TOO_MANY_REQUESTS
            assert await sender.reader.read() == b""


async def test_a_small_body_does_not_end_the_connection(port: int) -> None:
    """Neither does a long one that is read."""
    async with Sender.open(port) as sender:
        for method, size, status in (
            ("PUT", SMALL_BYTES, HTTPStatus.TOO_MANY_REQUESTS),
            ("POST", 4 * SMALL_BYTES, HTTPStatus.OK),
            ("PUT", 1, HTTPStatus.TOO_MANY_REQUESTS),
        ):
            sender.sent = 0
            sender.ask(method, size)
            await sender.send(size)
            async with asyncio.timeout(SOON_SECONDS):
                assert (await sender.answer())[0] == status


async def test_the_rest_of_few_bodies_is_taken_at_once(unused_tcp_port: int) -> None:
    """Beyond the places connections end with the answer; a place that is free again is given again."""
    async with serving(unused_tcp_port, places=1, seconds=SOON_SECONDS) as port:
        async with refused(port) as sending:
            async with refused(port) as further, asyncio.timeout(SOON_SECONDS / 2):
                await further
            assert not sending.done()
        async with asyncio.timeout(SOON_SECONDS / 2):  # what lies in sockets is taken first
            while not await has_place(port):
                pass


async def has_place(port: int) -> bool:
    """Whether the rest of one more body is taken for a while."""
    async with refused(port) as sending:
        await asyncio.sleep(0.5)
        return not sending.done()


@contextlib.asynccontextmanager
async def refused(port: int) -> AsyncIterator[asyncio.Task[None]]:
    """A connection that has its answer, and what goes on sending over it."""
    async with Sender.open(port) as sender:
        sender.ask("PUT", LONG_BYTES)
        sending = asyncio.create_task(sender.send(LONG_BYTES))
        async with asyncio.timeout(SOON_SECONDS):
            await sender.answer()
        yield sending
    await sending
