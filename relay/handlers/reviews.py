"""What mediators do: the queue, leases, decisions, captions, offers."""

from __future__ import annotations

from aiohttp import web

from relay.domain.messages import ReviewRequest
from relay.domain.reviews import QueueQuery
from relay.handlers.routing import Call, Role, Scope, answer, no_content, route
from relay.services import message_views, offers, reviews


async def queue(call: Call) -> web.Response:
    """A page of the review queue."""
    return answer(await reviews.queue(call.database, call.mediator, call.query(QueueQuery)))


async def figures(call: Call) -> web.Response:
    """How much waits."""
    return answer(await reviews.figures(call.database, call.professional))


async def take(call: Call) -> web.Response:
    """A lease on an item, or its renewal."""
    message = await reviews.take(call.database, call.settings, call.mediator, call.uuid("message"))
    return answer(message)


async def let_go(call: Call) -> web.Response:
    """The end of a lease."""
    await reviews.let_go(call.database, call.mediator, call.uuid("message"))
    return no_content()


async def history(call: Call) -> web.Response:
    """What came before a message."""
    return answer(await message_views.history(call.database, call.mediator, call.uuid("message")))


async def decide(call: Call) -> web.Response:
    """A signed decision."""
    request = await call.body(ReviewRequest)
    message = await reviews.decide(
        call.database,
        call.relay.queue,
        call.settings,
        call.mediator,
        call.uuid("message"),
        request,
    )
    return answer(message)


async def caption(call: Call) -> web.Response:
    """Captions for a video, or the reason why it needs none."""
    request = await call.body(ReviewRequest)
    message = await reviews.caption(
        call.database, call.settings, call.mediator, call.uuid("message"), request
    )
    return answer(message)


async def offer(call: Call) -> web.Response:
    """An approved message, to be offered to its recipient."""
    request = await call.body(ReviewRequest)
    message = await offers.offer(
        call.database, call.settings, call.mediator, call.uuid("message"), request
    )
    return answer(message)


ROUTES = (
    route("GET", "/v1/queue", queue, Role.MEDIATOR),
    route(
        "GET", "/v1/queue/figures", figures, Role.MEDIATOR, Role.SERVICE, scope=Scope.FIGURES_READ
    ),
    route("PUT", "/v1/messages/{message}/lease", take, Role.MEDIATOR),
    route("DELETE", "/v1/messages/{message}/lease", let_go, Role.MEDIATOR),
    route("GET", "/v1/messages/{message}/history", history, Role.MEDIATOR),
    route("POST", "/v1/messages/{message}/decisions", decide, Role.MEDIATOR),
    route("PUT", "/v1/messages/{message}/captions", caption, Role.MEDIATOR),
    route("POST", "/v1/messages/{message}/offers", offer, Role.MEDIATOR),
)
