"""What the case system is told, for one that asks."""

from __future__ import annotations

from aiohttp import web

from relay.domain.notifications import NotificationsQuery
from relay.handlers.routing import Call, Role, Scope, answer, route
from relay.services import notifications


async def list_events(call: Call) -> web.Response:
    """The events after a given one, at once or when there is one."""
    query = call.query(NotificationsQuery)
    return answer(await notifications.list_events(call.database, query, call.relay.stopping))


ROUTES = (route("GET", "/v1/events", list_events, Role.SERVICE, scope=Scope.EVENTS_READ),)
