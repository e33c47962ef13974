"""Finds out who calls, from the bearer alone: a session, a link, or a token of the case system."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from relay.crypto.encoding import b64u_decode
from relay.domain.actors import Actor, Nobody, Role, Service
from relay.domain.cases import CaseDisposed
from relay.domain.tokens import Scope, ScopeMissing
from relay.errors import CryptoError, Forbidden, NotFound, ServiceStopping, Unauthenticated
from relay.handlers.following import ROLE
from relay.handlers.routing import Call, Relay, Route
from relay.services import cases, links, sessions

_BEARER = "Bearer "


async def identify(
    request: web.Request, relay: Relay, roles: frozenset[Role], scope: Scope | None = None
) -> Actor:
    """The caller, whose role is one of `roles`; Unauthenticated or Forbidden otherwise.

    ScopeMissing where it is the case system, with a token that is not for `scope`.
    """
    if Role.PUBLIC in roles:
        return Nobody()
    authorization = request.headers.get(hdrs.AUTHORIZATION, "")
    if not authorization.startswith(_BEARER):
        raise Unauthenticated("no bearer")
    bearer = authorization.removeprefix(_BEARER)
    if not bearer.isascii():
        raise Unauthenticated("no bearer of ours")
    actor: Actor
    if Role.LINK in roles:
        actor = await _link_holder(request, relay, bearer)
    elif "." in bearer:
        actor = await relay.service_tokens.verify(bearer)
    else:
        actor = await sessions.find_actor(relay.database, bearer)
    if actor.role not in roles:
        raise Forbidden(f"{actor.role} on a route for {', '.join(sorted(roles))}")
    if isinstance(actor, Service) and scope is not None and scope not in actor.scopes:
        raise ScopeMissing(scope)
    return actor


async def _link_holder(request: web.Request, relay: Relay, bearer: str) -> Actor:
    try:
        link_id = uuid.UUID(request.match_info["link"])
        auth = b64u_decode(bearer)
    except (ValueError, CryptoError):
        raise NotFound("no such link") from None
    return await links.find_holder(relay.database, link_id, auth)


def guarded(route: Route, relay: Callable[[], Relay]) -> Handler:
    """The aiohttp handler of a route: identify, then handle. `relay` is there once the app has started."""

    async def handle(request: web.Request) -> web.StreamResponse:
        wired = relay()
        if wired.stopping.has_begun and not route.is_probe:
            raise ServiceStopping("no new work")
        actor = await identify(request, wired, route.roles, route.scope)
        request[ROLE] = actor.role
        try:
            return await route.handler(Call(request=request, relay=wired, actor=actor))
        except CaseDisposed as disposed:
            if await cases.is_known_to(wired.database, actor, disposed.case_id):
                raise
            raise NotFound("disposed of, and never theirs") from None

    return handle
