"""What is done with a body that nobody reads, because the request is refused before: little, and slowly.

Whoever still sends may read the answer only when they are done, and may lose it where the connection ends
with bytes unread. So some of the rest is taken, slowly, of a few connections at a time. aiohttp itself would
take it for ten seconds as fast as it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
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

_BROKEN: Final = (
    ConnectionError,
    TimeoutError,
    aiohttp.ClientError,
    HttpProcessingError,
    web.RequestPayloadError,
)


def unread(*, places: int = PLACES, seconds: float = LONGEST_SECONDS) -> Middleware:
    """The middleware around all others: answers, and then takes some of what is still sent, for `seconds`."""
    taken = 0

    @web.middleware
    async def answer_first(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal taken
        answer = await handler(request)
        if not _is_long(request):
            return answer
        answer.force_close()
        taken += 1
        try:
            with contextlib.suppress(*_BROKEN):
                await answer.prepare(request)
                await answer.write_eof()
                if taken <= places:
                    await _take_some(request, seconds)
        finally:
            taken -= 1
            request.protocol.force_close()
        return answer

    return answer_first


def _is_long(request: web.Request) -> bool:
    """Whether a body is still to come, and not soon over."""
    size = request.content_length
    return not request.content.is_eof() and (size is None or size > SMALL_BYTES)


async def _take_some(request: web.Request, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not request.content.at_eof():
            await request.content.readany()
            await asyncio.sleep(PIECE_SECONDS)
