"""A route says who may call it; a call carries what a handler needs and nothing else.

Default deny: a route cannot be written without roles, nor one for the case system without the scope that its
token needs; both are checked before the handler runs. Handlers decode, call one service function, and encode.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias, TypeVar

import msgspec
from aiohttp import hdrs, web

from relay.decoding import NotDecodable, decode_json
from relay.domain.actors import Actor, LinkHolder, Mediator, Participant, Role, Service
from relay.domain.preconditions import Preconditions, entity_tag, is_known
from relay.domain.tokens import Scope
from relay.errors import InvalidRequest, NotFound, TooLarge
from relay.queue import Queue
from relay.services.addresses import Addresses
from relay.services.feed import Feed
from relay.services.limits import Limits, Load
from relay.services.pages import Pages
from relay.services.precedence import Precedence
from relay.services.profile import Programme
from relay.services.rates import Rates
from relay.services.refusals import Refusals
from relay.services.stopping import Stopping
from relay.services.tokens import ServiceTokens
from relay.services.upload_connections import UploadConnections
from relay.settings import MIB, Settings
from relay.storage.database import Database
from relay.storage.objects import Objects

BODY_MAX_BYTES: Final = 2 * MIB
RETRY_SECONDS: Final = 5
"""What every 503 says in `Retry-After`."""

__all__ = [
    "BODY_MAX_BYTES",
    "RETRY_SECONDS",
    "Call",
    "Handler",
    "Load",
    "Relay",
    "Role",
    "Route",
    "Scope",
    "answer",
    "heads",
    "no_content",
    "probe",
    "read_body",
    "read_query",
    "route",
    "tagged",
]

_Value = TypeVar("_Value")
_ENCODER: Final = msgspec.json.Encoder()


def read_query(given: Mapping[str, str], value: type[_Value]) -> _Value:
    """A query string as a struct; InvalidRequest for a name unknown or repeated, or a wrong value."""
    if len(set(given)) != len(given):
        raise InvalidRequest("a query parameter is given twice")
    try:
        return msgspec.convert(dict(given), value, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"query: {error}", problem=str(error)) from None


def read_body(content: bytes, value: type[_Value]) -> _Value:
    """A JSON body as a struct; InvalidRequest says which member is wrong."""
    try:
        return decode_json(content, value)
    except NotDecodable as error:
        raise InvalidRequest(f"body: {error}", problem=str(error)) from None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Everything the service is wired from; made once, in relay/app.py."""

    settings: Settings
    database: Database
    objects: Objects
    queue: Queue
    feed: Feed
    service_tokens: ServiceTokens
    pages: Pages
    programme: Programme
    upload_connections: UploadConnections
    stopping: Stopping
    limits: Limits
    rates: Rates
    addresses: Addresses
    refusals: Refusals
    precedence: Precedence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, by a caller whose role the route admits."""

    request: web.Request
    relay: Relay
    actor: Actor
    caller: Hashable
    """What callers are told apart by, where several ask at once."""

    def short(self) -> AbstractAsyncContextManager[None]:
        """While this call does what takes a process little; it waits for its share of that."""
        return self.relay.precedence.short(self.caller)

    @property
    def database(self) -> Database:
        """The pool of database connections."""
        return self.relay.database

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.relay.settings

    def uuid(self, name: str) -> uuid.UUID:
        """The identifier in the path; anything that is not one names nothing: NotFound."""
        try:
            return uuid.UUID(self.request.match_info[name])
        except ValueError:
            raise NotFound(f"{name} is not a UUID") from None

    def number(self, name: str) -> int:
        """The positive whole number in the path; NotFound otherwise."""
        text = self.request.match_info[name]
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0  # noqa: PLR2004
        if not 0 < number < 2**31:
            raise NotFound(f"{name} is not a number")
        return number

    def query(self, value: type[_Value]) -> _Value:
        """The query string as a struct; unknown or repeated names are an InvalidRequest."""
        return read_query(self.request.query, value)

    @property
    def preconditions(self) -> Preconditions:
        """What the request says of the state that it was made for."""
        headers = self.request.headers
        return Preconditions(
            match=headers.get(hdrs.IF_MATCH), none_match=headers.get(hdrs.IF_NONE_MATCH)
        )

    async def body(self, value: type[_Value]) -> _Value:
        """The JSON body as a struct; InvalidRequest says which member is wrong."""
        if self.request.content_type != "application/json":
            raise InvalidRequest(
                "not JSON", problem="The body must be JSON, with Content-Type: application/json."
            )
        if (self.request.content_length or 0) > BODY_MAX_BYTES:
            raise TooLarge("body")
        try:
            content = await self.request.read()
        except web.RequestPayloadError:
            raise InvalidRequest(
                "body", problem="The body is not whole, or not encoded as it says."
            ) from None
        return read_body(content, value)

    @property
    def mediator(self) -> Mediator:
        """The caller, on a route for mediators alone."""
        assert isinstance(self.actor, Mediator)  # noqa: S101 - the route's roles guarantee it
        return self.actor

    @property
    def professional(self) -> Mediator | Service:
        """The caller, on a route for mediators and the case system alone."""
        assert isinstance(self.actor, Mediator | Service)  # noqa: S101 - by the route's roles
        return self.actor

    @property
    def participant(self) -> Participant:
        """The caller, on a route for participants and uploaders alone."""
        assert isinstance(self.actor, Participant)  # noqa: S101 - the route's roles guarantee it
        return self.actor

    @property
    def link_holder(self) -> LinkHolder:
        """The caller, on a route for the holder of a link alone."""
        assert isinstance(self.actor, LinkHolder)  # noqa: S101 - the route's roles guarantee it
        return self.actor

    @property
    def service(self) -> Service:
        """The caller, on a route for the case system alone."""
        assert isinstance(self.actor, Service)  # noqa: S101 - the route's roles guarantee it
        return self.actor


Handler: TypeAlias = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """Method, path and handler, and who may call it."""

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role]
    scope: Scope | None = None
    """What a token of the case system must be for; None where the route is not open to it."""
    is_probe: bool = False
    """Asks how this process is: answered also while it stops."""
    load: Load = Load.SHORT
    """What it is counted with, where a caller may do so much at once."""

    def __post_init__(self) -> None:
        if not self.roles:
            raise RuntimeError(f"{self.method} {self.path} is open to nobody")
        if (Role.SERVICE in self.roles) != (self.scope is not None):
            raise RuntimeError(f"{self.method} {self.path}: a scope goes with {Role.SERVICE!r}")
        if self.load is Load.STATIC and self.roles != {Role.PUBLIC}:
            raise RuntimeError(f"{self.method} {self.path}: static answers are for everybody")


def route(
    method: str,
    path: str,
    handler: Handler,
    *roles: Role,
    scope: Scope | None = None,
    load: Load = Load.SHORT,
) -> Route:
    """One row of a handler module's table of routes."""
    return Route(method, path, handler, frozenset(roles), scope, load=load)


def probe(path: str, handler: Handler) -> Route:
    """A route on which anybody may ask how this process is, also while it stops."""
    return Route(
        hdrs.METH_GET,
        path,
        handler,
        frozenset({Role.PUBLIC}),
        is_probe=True,
        load=Load.STATIC,
    )


def heads(routes: Sequence[Route]) -> list[Route]:
    """A HEAD route for each GET route that has none: the same headers, and nothing after them."""
    there = {route.path for route in routes if route.method == hdrs.METH_HEAD}
    return [
        dataclasses.replace(route, method=hdrs.METH_HEAD)
        for route in routes
        if route.method == hdrs.METH_GET and route.path not in there
    ]


def answer(value: object, *, status: int = 200) -> web.Response:
    """A struct as a JSON answer that nobody may cache."""
    return web.Response(
        body=_ENCODER.encode(value),
        status=status,
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )


def tagged(value: object, *, status: int = 200, known: str | None = None) -> web.Response:
    """The same with its entity tag; 304 without a body for a reader who has it, by their `If-None-Match`."""
    tag = entity_tag(value)
    response = (
        web.Response(status=304, headers={hdrs.CACHE_CONTROL: "no-store"})
        if is_known(known, tag)
        else answer(value, status=status)
    )
    response.headers[hdrs.ETAG] = tag
    return response


def no_content() -> web.Response:
    """204 No Content."""
    return web.Response(status=204, headers={hdrs.CACHE_CONTROL: "no-store"})
