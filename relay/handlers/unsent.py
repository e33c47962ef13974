"""What the caller has written and not sent."""

from __future__ import annotations

from aiohttp import web

from relay.domain.actors import Mediator, Participant
from relay.domain.unsent import NewUnsentText, UnsentVersion
from relay.handlers.routing import Call, Role, answer, no_content, route
from relay.services import unsent


async def list_own(call: Call) -> web.Response:
    """The caller's unsent texts."""
    return answer(await unsent.list_own(call.database, _writer(call)))


async def keep(call: Call) -> web.Response:
    """A new version of a text."""
    new = await call.body(NewUnsentText)
    await unsent.keep(call.database, _writer(call), call.uuid("text"), new)
    return no_content()


async def discard(call: Call) -> web.Response:
    """The end of a text."""
    seen = call.query(UnsentVersion)
    await unsent.discard(call.database, _writer(call), call.uuid("text"), seen.version)
    return no_content()


def _writer(call: Call) -> Participant | Mediator:
    actor = call.actor
    assert isinstance(actor, Participant | Mediator)  # noqa: S101 - by the route's roles
    return actor


_WRITERS = (Role.PARTICIPANT, Role.MEDIATOR)

ROUTES = (
    route("GET", "/v1/unsent", list_own, *_WRITERS),
    route("PUT", "/v1/unsent/{text}", keep, *_WRITERS),
    route("DELETE", "/v1/unsent/{text}", discard, *_WRITERS),
)
