"""What is done with a body that nobody reads, because the request is refused before: little, and slowly.

Whoever still sends may not read the answer before they are done, or before the connection ends; and where it
ends with bytes unread they may lose the answer. So some of the rest is taken, at a pace at which nobody notices,
of a few connections at a time. aiohttp itself would take it for ten seconds as fast as it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

SMALL_BYTES: Final = 128 * 1024
"""A body that is no longer is taken as it comes, and the connection lives on."""
PLACES: Final = 8
"""The rest of so many bodies is taken at once in a process; further connections end with the answer."""
LONGEST_SECONDS: Final = 10
PIECE_SECONDS: Final = 0.1
"""After a piece, as much as has come by then, the next is left to wait for so long."""


def unread(
    *, places: int = PLACES, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Middleware:
    """The middleware around all others: answers, and then takes some of what is still sent."""
    taken = 0

    @web.middleware
    async def answer_first(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal taken
        answer = await handler(request)
        if not _is_long(request) or answer.keep_alive is False:
            return answer
        answer.force_close()
        await answer.prepare(request)
        await answer.write_eof()
        try:
            if taken < places:
                taken += 1
                try:
                    await _take_some(request, sleep)
                finally:
                    taken -= 1
        finally:
            request.protocol.force_close()
        return answer

    return answer_first


def _is_long(request: web.Request) -> bool:
    """Whether a body is still to come, and not soon over."""
    size = request.content_length
    return not request.content.is_eof() and (size is None or size > SMALL_BYTES)


async def _take_some(request: web.Request, sleep: Callable[[float], Awaitable[None]]) -> None:
    broken = (ConnectionError, TimeoutError, aiohttp.ClientError, web.RequestPayloadError)
    with contextlib.suppress(*broken, HttpProcessingError):
        async with asyncio.timeout(LONGEST_SECONDS):
            while not request.content.at_eof():
                await request.content.readany()
                await sleep(PIECE_SECONDS)
