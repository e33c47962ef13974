"""Lets a request be followed: its identifier in, out and in every line of the log; and a line for each."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from relay.domain.actors import Role
from relay.logs import Followed, following, members
from relay.metrics import HTTP_REQUESTS, HTTP_SECONDS

REQUEST_ID: Final = "X-Request-Id"
CALLER_LEFT: Final = 499
"""What the log says of a request whose caller did not wait for the answer."""

FOLLOWED: Final = web.RequestKey("followed", Followed)
ROLE: Final = web.RequestKey("role", Role)
"""Of the caller, once it is known."""

_OURS: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-.*)?"
)

_access: Final = logging.getLogger("relay.access")


def followed(request: web.Request) -> Followed:
    """The identifier that the caller gave, where it can be one, or a new one; and the caller's trace."""
    given = request.headers.getall(REQUEST_ID, [])
    is_ours = len(given) == 1 and _OURS.fullmatch(given[0])
    traces = request.headers.getall("traceparent", [])
    return Followed(
        request_id=given[0] if is_ours else str(uuid.uuid4()),
        trace_id=_trace_id(traces[0]) if len(traces) == 1 else None,
    )


def _trace_id(traceparent: str) -> str | None:
    """The trace identifier of W3C Trace Context, also of a later version; None where it is not one."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    is_zero = not int(found["trace"], 16) or not int(found["parent"], 16)
    return None if is_zero else found["trace"]


def pattern(request: web.Request) -> str:
    """The route, not the path: a path holds identifiers."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no route)"


@web.middleware
async def follow(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around all others: whatever is logged inside is of this request, and at its end comes its own line."""
    request[FOLLOWED] = followed(request)
    with following(request[FOLLOWED]):
        began = time.monotonic()
        status, size = int(HTTPStatus.INTERNAL_SERVER_ERROR), 0
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            status = error.status
            raise
        except asyncio.CancelledError:
            status = CALLER_LEFT
            raise
        else:
            status, size = answer.status, _size(request, answer)
            return answer
        finally:
            _tell(request, status, size, time.monotonic() - began)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer says which request it is to."""
    if FOLLOWED in request:
        response.headers[REQUEST_ID] = request[FOLLOWED].request_id


def _size(request: web.Request, answer: web.StreamResponse) -> int:
    """The bytes of the body: of one that was streamed those that were sent."""
    if request.method == hdrs.METH_HEAD:
        return 0
    return answer.body_length if answer.prepared else answer.content_length or 0


def _tell(request: web.Request, status: int, size: int, seconds: float) -> None:
    method = request.method if request.method in hdrs.METH_ALL else "(other)"
    route = pattern(request)
    HTTP_REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    HTTP_SECONDS.labels(route, method).observe(seconds)
    role = request[ROLE].value if ROLE in request else "nobody"
    milliseconds = round(seconds * 1000, 1)
    _access.info(
        "%s %s %d, %.1f ms, %d bytes, %s",
        *(method, route, status, milliseconds, size, role),
        extra=members(
            method=method,
            route=route,
            status=status,
            duration_ms=milliseconds,
            bytes=size,
            role=role,
        ),
    )
