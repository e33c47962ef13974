"""Challenges and sessions."""

from __future__ import annotations

from aiohttp import hdrs, web

from relay.domain.sessions import SignedRequest
from relay.handlers.routing import Call, Role, answer, no_content, route
from relay.services import sessions


async def challenge(call: Call) -> web.Response:
    """A challenge to sign."""
    return answer(await sessions.challenge(call.database, call.settings), status=201)


async def open_session(call: Call) -> web.Response:
    """A session for a signed challenge."""
    request = await call.body(SignedRequest)
    opened = await sessions.open_session(call.database, call.settings, request.statement)
    return answer(opened, status=201)


async def open_upload_session(call: Call) -> web.Response:
    """A session for the holder of an upload link."""
    opened = await sessions.open_upload_session(call.database, call.settings, call.link_holder)
    return answer(opened, status=201)


async def end_session(call: Call) -> web.Response:
    """The end of the caller's session."""
    bearer = call.request.headers[hdrs.AUTHORIZATION].removeprefix("Bearer ")
    await sessions.end_session(call.database, bearer)
    return no_content()


ROUTES = (
    route("POST", "/v1/challenges", challenge, Role.PUBLIC),
    route("POST", "/v1/sessions", open_session, Role.PUBLIC),
    route("POST", "/v1/links/{link}/sessions", open_upload_session, Role.LINK),
    route(
        "DELETE",
        "/v1/sessions/current",
        end_session,
        Role.PARTICIPANT,
        Role.UPLOADER,
        Role.MEDIATOR,
    ),
)
