"""Finds out who calls, from the bearer alone: a session, a link, or a token of the case system."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from relay.crypto.encoding import b64u_decode
from relay.domain.actors import Actor, Nobody, Role, Service
from relay.domain.cases import CaseDisposed
from relay.domain.limits import LimitReached
from relay.domain.tokens import Scope, ScopeMissing
from relay.errors import CryptoError, Forbidden, NotFound, ServiceStopping, Unauthenticated
from relay.handlers.following import ROLE
from relay.handlers.routing import Call, Load, Relay, Route
from relay.services import cases, links, sessions
from relay.services.addresses import counted_as

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


async def _handled(
    route: Route, request: web.Request, relay: Relay, actor: Actor
) -> web.StreamResponse:
    request[ROLE] = actor.role
    anybody = isinstance(actor, Nobody)
    caller = _address(request, relay) if anybody else _bearer_hash(request)
    call = Call(request=request, relay=relay, actor=actor, caller=caller or object())
    try:
        if route.load is Load.SHORT:
            async with call.short():
                return await route.handler(call)
        return await route.handler(call)
    except CaseDisposed as disposed:
        if await cases.is_known_to(relay.database, actor, disposed.case_id):
            raise
        raise NotFound("disposed of, and never theirs") from None


def _bearer_hash(request: web.Request) -> bytes:
    """What callers are told apart by before it is known who they are."""
    bearer = request.headers.get(hdrs.AUTHORIZATION, "")
    return hashlib.sha256(bearer.encode("utf-8", "replace")).digest()


def _address(request: web.Request, relay: Relay) -> str | None:
    """What the request counts as by its address; None where the proxy does not say it."""
    header = relay.settings.address_header
    return counted_as(request.headers.get(header, "")) if header else None


async def _identified(
    route: Route, request: web.Request, relay: Relay, bearer: bytes, address: str | None
) -> Actor:
    """The caller; TooManyRequests in place of a refusal where too many from this address open nothing."""
    async with relay.limits.identifying(bearer, address):
        try:
            return await identify(request, relay, route.roles, route.scope)
        except (Unauthenticated, NotFound):
            relay.addresses.require(address)
            raise


def guarded(route: Route, relay: Callable[[], Relay]) -> Handler:
    """The aiohttp handler of a route: identify, then handle. `relay` is there once the app has started."""

    async def handle(request: web.Request) -> web.StreamResponse:
        wired = relay()
        if wired.stopping.has_begun and not route.is_probe:
            raise ServiceStopping("no new work")
        if route.load is Load.STATIC:
            return await _handled(route, request, wired, Nobody())
        async with contextlib.AsyncExitStack() as turn:
            actor = await _admitted(route, request, wired, turn)
            return await _handled(route, request, wired, actor)

    return handle


async def _admitted(
    route: Route, request: web.Request, relay: Relay, turn: contextlib.AsyncExitStack
) -> Actor:
    """Who may make this request now; it is under way until `turn` ends. LimitReached where it is too much."""
    bearer = _bearer_hash(request)
    address = _address(request, relay)
    try:
        if Role.PUBLIC in route.roles:
            await _admit_anybody(relay, address, turn)
            return Nobody()
        relay.refusals.require_room(bearer, route.load)
        async with relay.precedence.short(bearer):
            actor = await _identified(route, request, relay, bearer, address)
        try:
            async with relay.precedence.short(bearer):
                await relay.rates.require(actor)
            await relay.limits.paced(actor, address)
            await turn.enter_async_context(relay.limits.working(route.load, actor))
        except LimitReached:
            relay.refusals.remember(bearer, actor)
            raise
    except LimitReached:
        await relay.refusals.hold(bearer, address)
        raise
    return actor


async def _admit_anybody(
    relay: Relay, address: str | None, turn: contextlib.AsyncExitStack
) -> None:
    relay.addresses.require(address)
    await relay.limits.paced(Nobody(), address)
    await turn.enter_async_context(relay.limits.serving(address))
