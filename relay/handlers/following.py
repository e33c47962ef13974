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
from relay.tracing import context, spans
from relay.tracing.context import TraceContext
from relay.tracing.spans import Kind, Span

REQUEST_ID: Final = "X-Request-Id"
CALLER_LEFT: Final = 499
"""What the log says of a request whose caller did not wait for the answer."""

FOLLOWED: Final = web.RequestKey("followed", Followed)
ROLE: Final = web.RequestKey("role", Role)
"""Of the caller, once it is known."""
PROBLEM: Final = web.RequestKey("problem", str)
"""The code of the problem document that is the answer."""

_OURS: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_access: Final = logging.getLogger("relay.access")


def followed(request: web.Request, trace: TraceContext | None) -> Followed:
    """The identifier that the caller gave, where it can be one, or a new one; and the caller's trace."""
    given = request.headers.getall(REQUEST_ID, [])
    is_ours = len(given) == 1 and _OURS.fullmatch(given[0])
    return Followed(
        request_id=given[0] if is_ours else str(uuid.uuid4()),
        trace_id=None if trace is None else trace.trace_id,
    )


def pattern(request: web.Request) -> str:
    """The route, not the path: a path holds identifiers."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no route)"


@web.middleware
async def follow(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around all others: whatever is logged inside is of this request, and at its end comes its own line."""
    caller = context.given(request.headers.getall("traceparent", []))
    request[FOLLOWED] = followed(request, caller)
    serving = spans.trace(_title(request), Kind.SERVER, _attributes(request), parent=caller)
    with following(request[FOLLOWED]), serving as span:
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
            _describe(span, request, status)
            _tell(request, status, size, time.monotonic() - began)


def _title(request: web.Request) -> str:
    """How a span of this request is called: method and route, or the method alone where there is no route."""
    route = request.match_info.route.resource
    return _method(request) if route is None else f"{_method(request)} {route.canonical}"


def _attributes(request: web.Request) -> dict[str, str]:
    """What is known at its beginning; address, path and headers say who asks, and are left out."""
    resource = request.match_info.route.resource
    known = {"http.request.method": _method(request)}
    return known if resource is None else {**known, "http.route": resource.canonical}


def _describe(span: Span, request: web.Request, status: int) -> None:
    """What is known at its end. A refusal is named, and is no error of the span's: those are relay's own."""
    span.set("http.response.status_code", status)
    span.set("relay.role", _role(request))
    code = request.get(PROBLEM)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.fail(code or str(status))
    elif code is not None:
        span.set("error.type", code)


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
    method, route = _method(request, other="(other)"), pattern(request)
    HTTP_REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    HTTP_SECONDS.labels(route, method).observe(seconds)
    role = _role(request)
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


def _method(request: web.Request, other: str = "_OTHER") -> str:
    return request.method if request.method in hdrs.METH_ALL else other


def _role(request: web.Request) -> str:
    return request[ROLE].value if ROLE in request else "nobody"
