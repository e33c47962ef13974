"""How far the receivers of events are, for one that looks after them, and dead letters sent again."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from relay.domain.webhooks import DeadLettersQuery, RedeliveryRequest
from relay.handlers.routing import Call, Role, Scope, answer, no_content, route
from relay.services import notifications, webhooks


async def list_receivers(call: Call) -> web.Response:
    """How far each receiver is."""
    return answer(await webhooks.list_receivers(call.database))


async def list_dead_letters(call: Call) -> web.Response:
    """The events that a receiver did not take in time."""
    query = call.query(DeadLettersQuery)
    receiver = call.request.match_info["receiver"]
    return answer(await webhooks.list_dead_letters(call.database, receiver, query))


async def redeliver(call: Call) -> web.Response:
    """Send dead letters again."""
    request = await call.body(RedeliveryRequest)
    receiver = call.request.match_info["receiver"]
    sent = await webhooks.redeliver(call.database, receiver, request)
    return answer(sent, status=HTTPStatus.ACCEPTED)


async def send_test(call: Call) -> web.Response:
    """Have an event made for nothing but to see that it arrives."""
    await notifications.tell_of_test(call.database)
    return no_content()


_RECEIVER = "/v1/webhooks/{receiver}"

ROUTES = (
    route("GET", "/v1/webhooks", list_receivers, Role.SERVICE, scope=Scope.WEBHOOKS_READ),
    route(
        *("GET", f"{_RECEIVER}/dead-letters", list_dead_letters, Role.SERVICE),
        scope=Scope.WEBHOOKS_READ,
    ),
    route(
        *("POST", f"{_RECEIVER}/redeliveries", redeliver, Role.SERVICE),
        scope=Scope.WEBHOOKS_WRITE,
    ),
    route("POST", "/v1/events/test", send_test, Role.SERVICE, scope=Scope.WEBHOOKS_WRITE),
)
