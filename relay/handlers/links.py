"""Links, claims, and their verification."""

from __future__ import annotations

from aiohttp import web

from relay.domain.links import KeyringRequest, NewClaim, NewLink, NewVerification
from relay.domain.sessions import SignedRequest
from relay.handlers.routing import Call, Role, Scope, answer, no_content, route
from relay.services import links


async def make(call: Call) -> web.Response:
    """A new link."""
    link = await call.body(NewLink)
    await links.make(call.database, call.settings, call.professional, call.uuid("link"), link)
    return no_content()


async def show(call: Call) -> web.Response:
    """What a link leads to."""
    return answer(await links.show(call.database, call.settings, call.link_holder))


async def claim(call: Call) -> web.Response:
    """A participant takes their link into their own hands."""
    new = await call.body(NewClaim)
    await links.claim(call.database, call.settings, call.link_holder, new)
    return no_content()


async def open_keyring(call: Call) -> web.Response:
    """The keyring of a claimed link, for anyone who knows its passphrase."""
    request = await call.body(KeyringRequest)
    return answer(await links.open_keyring(call.database, call.link_holder, request.proof))


async def verify(call: Call) -> web.Response:
    """A mediator has checked a claim."""
    new = await call.body(NewVerification)
    await links.verify(call.database, call.settings, call.mediator, new)
    return no_content()


async def list_links(call: Call) -> web.Response:
    """The links of a case."""
    return answer(await links.list_links(call.database, call.mediator, call.uuid("case")))


async def end(call: Call) -> web.Response:
    """The end of a link."""
    request = await call.body(SignedRequest)
    await links.end(
        call.database, call.settings, call.professional, call.uuid("link"), request.statement
    )
    return no_content()


ROUTES = (
    route("PUT", "/v1/links/{link}", make, Role.MEDIATOR, Role.SERVICE, scope=Scope.LINKS_WRITE),
    route("GET", "/v1/links/{link}", show, Role.LINK),
    route(
        "PUT", "/v1/links/{link}/ending", end, Role.MEDIATOR, Role.SERVICE, scope=Scope.LINKS_WRITE
    ),
    route("PUT", "/v1/links/{link}/claim", claim, Role.LINK),
    route("POST", "/v1/links/{link}/keyring", open_keyring, Role.LINK),
    route("POST", "/v1/verifications", verify, Role.MEDIATOR),
    route("GET", "/v1/cases/{case}/links", list_links, Role.MEDIATOR),
)
