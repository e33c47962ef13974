"""The sealed bytes of parts over HTTP, whole or one range of them; never a header, never a key."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from relay.crypto.encoding import b64u_decode
from relay.domain.parts import ByteRange, requested_range
from relay.domain.uploads import RangeNotSatisfiable
from relay.errors import CryptoError, NotFound
from relay.handlers.problems import problem
from relay.handlers.routing import Call, Load, Role, Route, route
from relay.services.parts import SealedBody, find_body

COMMITMENT_BYTES: Final = 32


async def read(call: Call) -> web.StreamResponse:
    """A part, or a range of it, as fast as the caller takes it."""
    actor = call.mediator if call.actor.role is Role.MEDIATOR else call.participant
    body = await find_body(call.database, call.relay.objects, actor, _commitment(call))
    try:
        asked = _asked_range(call.request, body.size_bytes)
    except RangeNotSatisfiable as error:
        answer: web.StreamResponse = problem(error, call.request)
        answer.headers[hdrs.CONTENT_RANGE] = f"bytes */{body.size_bytes}"
        return answer
    span = asked or ByteRange(start=0, stop=body.size_bytes)
    answer = web.StreamResponse(
        status=HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK,
        headers={
            hdrs.ACCEPT_RANGES: "bytes",
            hdrs.CACHE_CONTROL: "no-store",
            hdrs.CONTENT_LENGTH: str(span.stop - span.start),
            hdrs.CONTENT_TYPE: "application/octet-stream",
        },
    )
    if asked:
        answer.headers[hdrs.CONTENT_RANGE] = f"bytes {span.start}-{span.stop - 1}/{body.size_bytes}"
    if call.request.method == hdrs.METH_HEAD:
        await answer.prepare(call.request)
        return answer
    await _send(call, answer, body, span)
    return answer


async def _send(call: Call, answer: web.StreamResponse, body: SealedBody, span: ByteRange) -> None:
    """Send the bytes; the first are read before anything is promised.

    A caller who leaves, or takes nothing for too long, loses the connection and nothing else. A store
    that fails on the way can only be told by a connection that ends too early.
    """
    async with contextlib.aclosing(body.read(span.start, span.stop)) as chunks:
        chunk: bytes | None = await anext(chunks)
        try:
            await answer.prepare(call.request)
            while chunk is not None:
                async with asyncio.timeout(call.settings.download_idle_seconds):
                    await answer.write(chunk)
                await call.relay.precedence.give_way()
                chunk = await anext(chunks, None)
            await answer.write_eof()
        except (ConnectionError, TimeoutError):
            _cut(call.request)
        except BaseException:
            _cut(call.request)
            raise


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _commitment(call: Call) -> bytes:
    try:
        commitment = b64u_decode(call.request.match_info["commitment"])
    except CryptoError:
        commitment = b""
    if len(commitment) != COMMITMENT_BYTES:
        raise NotFound("not a commitment")
    return commitment


def _asked_range(request: web.Request, size: int) -> ByteRange | None:
    """Nothing here has a validator, so that a range on condition of one is never met: all is sent."""
    if hdrs.IF_RANGE in request.headers or len(request.headers.getall(hdrs.RANGE, [])) > 1:
        return None
    return requested_range(request.headers.get(hdrs.RANGE), size)


ROUTES: Final[tuple[Route, ...]] = tuple(
    route(
        method, "/v1/parts/{commitment}", read, Role.PARTICIPANT, Role.MEDIATOR, load=Load.DOWNLOAD
    )
    for method in (hdrs.METH_GET, hdrs.METH_HEAD)
)
