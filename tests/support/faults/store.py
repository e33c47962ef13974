"""An object store as it is on a bad day, with the real one behind it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

CHUNK_BYTES: Final = 64 * 1024
_HOPS: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade"}
)


class Mood(enum.StrEnum):
    """What it does with requests."""

    WELL = "well"
    ANSWERS_500 = "answer-500"
    ANSWERS_503 = "answer-503"
    NO_ROOM = "no-room"
    """Whatever is to be stored is refused."""
    BREAKS_BODIES = "break-bodies"
    """Connections are reset in the middle of a body, of requests and answers by turns."""
    LOSES_ANSWERS = "lose-answers"
    """What is asked for is done, and the connection is reset before the answer."""


_REFUSALS: Final = {
    Mood.ANSWERS_500: (500, "InternalError"),
    Mood.ANSWERS_503: (503, "SlowDown"),
    Mood.NO_ROOM: (507, "XMinioStorageFull"),
}


class Store:
    """Takes requests at `port` and passes them on, as its mood has it."""

    def __init__(self, endpoint: str) -> None:
        self.mood = Mood.WELL
        self.port = 0
        self._endpoint = URL(endpoint)
        self._broken = 0

    async def start(self) -> None:
        """Listen on loopback."""
        self._http = aiohttp.ClientSession(
            auto_decompress=False,
            skip_auto_headers={hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT},
            timeout=aiohttp.ClientTimeout(total=None),
        )
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()
        await self._http.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        mood = self.mood
        if mood in _REFUSALS and (mood is not Mood.NO_ROOM or request.method == hdrs.METH_PUT):
            await request.read()
            status, code = _REFUSALS[mood]
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
            return web.Response(status=status, text=body, content_type="application/xml")
        breaks = mood is Mood.BREAKS_BODIES
        self._broken += breaks
        if breaks and self._broken % 2 and request.body_exists:
            await request.content.read(max(1, (request.content_length or 2) // 2))
            return _reset(request)
        url = self._endpoint.with_path(request.rel_url.raw_path, encoded=True)
        url = (
            url.with_query(None)
            if not request.query_string
            else URL(f"{url}?{request.rel_url.raw_query_string}", encoded=True)
        )
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOPS
        )
        async with self._http.request(
            request.method,
            url,
            headers=headers,
            data=_body(request) if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            if mood is Mood.LOSES_ANSWERS:
                await answer.read()
                return _reset(request)
            return await self._answer(request, answer, breaks=breaks)

    async def _answer(
        self, request: web.Request, answer: aiohttp.ClientResponse, *, breaks: bool
    ) -> web.StreamResponse:
        kept = [(n, v) for n, v in answer.headers.items() if n.lower() not in _HOPS]
        response = web.StreamResponse(status=answer.status, headers=CIMultiDict(kept))
        await response.prepare(request)
        left = (answer.content_length or 0) // 2 if breaks else None
        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
            if left is not None and len(chunk) > left:
                await response.write(chunk[:left])
                return _reset(request)
            left = None if left is None else left - len(chunk)
            await response.write(chunk)
        await response.write_eof()
        return response


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        yield chunk


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
