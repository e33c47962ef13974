"""Roots, credentials, and the keyrings of mediators."""

from __future__ import annotations

from aiohttp import web

from relay.domain.credentials import NewKeyring, Roots
from relay.domain.sessions import SignedRequest
from relay.handlers.routing import Call, Role, Scope, answer, no_content, route
from relay.services import credentials


async def roots(call: Call) -> web.Response:
    """The public keys of the organization roots."""
    return answer(Roots(roots=await credentials.roots(call.database, call.settings)))


async def succeed(call: Call) -> web.Response:
    """A new root in the place of an old one; the signature of either is what admits it."""
    request = await call.body(SignedRequest)
    await credentials.succeed(call.database, call.settings, request.statement)
    return no_content()


async def add(call: Call) -> web.Response:
    """A new credential; the signature of a root is what admits it."""
    request = await call.body(SignedRequest)
    await credentials.add(call.database, call.settings, request.statement)
    return no_content()


async def revoke(call: Call) -> web.Response:
    """The end of a credential; the signature of a root is what admits it."""
    request = await call.body(SignedRequest)
    await credentials.revoke(
        call.database, call.settings, call.uuid("credential"), request.statement
    )
    return no_content()


async def list_all(call: Call) -> web.Response:
    """Every credential of the organization."""
    return answer(await credentials.list_all(call.database, call.settings))


async def store_keyring(call: Call) -> web.Response:
    """The caller's own keyring."""
    request = await call.body(NewKeyring)
    await credentials.store_keyring(call.database, call.mediator, request.keyring)
    return no_content()


async def read_keyring(call: Call) -> web.Response:
    """A mediator's keyring, for the console that the case system embeds."""
    keyring = await credentials.read_keyring(call.database, call.uuid("credential"))
    return answer(NewKeyring(keyring=keyring))


ROUTES = (
    route("GET", "/v1/roots", roots, Role.PUBLIC),
    route("POST", "/v1/roots/successions", succeed, Role.PUBLIC),
    route("POST", "/v1/credentials", add, Role.PUBLIC),
    route("PUT", "/v1/credentials/{credential}/revocation", revoke, Role.PUBLIC),
    route(
        "GET",
        "/v1/credentials",
        list_all,
        Role.MEDIATOR,
        Role.SERVICE,
        scope=Scope.CREDENTIALS_READ,
    ),
    route("PUT", "/v1/keyring", store_keyring, Role.MEDIATOR),
    route(
        "GET",
        "/v1/credentials/{credential}/keyring",
        read_keyring,
        Role.SERVICE,
        scope=Scope.KEYRING_READ,
    ),
)
