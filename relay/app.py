"""The one place where the web service is wired."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

from relay.domain.page_rules import ALWAYS, API_POLICY
from relay.handlers import (
    cases,
    credentials,
    health,
    links,
    live,
    messages,
    notifications,
    pages,
    parts,
    profile,
    reviews,
    sessions,
    unsent,
    uploads,
    webhooks,
)
from relay.handlers.authentication import guarded
from relay.handlers.following import follow, name_request
from relay.handlers.metrics import monitored
from relay.handlers.problems import problems
from relay.handlers.routing import BODY_MAX_BYTES, Relay, Route, heads
from relay.handlers.unread import unread
from relay.queue import Queue
from relay.services.addresses import Addresses
from relay.services.feed import Feed
from relay.services.limits import Limits
from relay.services.pages import BUILT, Pages, embed_origins
from relay.services.precedence import Precedence
from relay.services.profile import Programme
from relay.services.rates import Rates
from relay.services.refusals import Refusals
from relay.services.stopping import Stopping
from relay.services.tokens import ServiceTokens
from relay.services.upload_connections import UploadConnections
from relay.settings import Settings
from relay.storage.database import IDLE_SECONDS, Database
from relay.storage.objects import Objects

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *sessions.ROUTES,
    *credentials.ROUTES,
    *cases.ROUTES,
    *links.ROUTES,
    *live.ROUTES,
    *notifications.ROUTES,
    *webhooks.ROUTES,
    *messages.ROUTES,
    *unsent.ROUTES,
    *reviews.ROUTES,
    *uploads.ROUTES,
    *parts.ROUTES,
    *profile.ROUTES,
    *pages.ROUTES,
)

RELAY = web.AppKey("relay", Relay)


@contextlib.asynccontextmanager
async def wire(settings: Settings) -> AsyncIterator[Relay]:
    """Everything the service needs, connected; closed in the opposite order."""
    programme = Programme.read(settings.profile_file)
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.connect(
            settings.database_url,
            connections=settings.database_pool_connections,
            wait_seconds=settings.database_wait_seconds,
            idle_seconds=IDLE_SECONDS,
        )
        stack.push_async_callback(database.close)
        await database.warn_of_power()
        precedence = Precedence()
        objects = await Objects.connect(settings, precedence.give_way)
        stack.push_async_callback(objects.close)
        await objects.ensure_bucket()
        queue = await Queue.connect(settings.redis_url)
        stack.push_async_callback(queue.close)
        rates = Rates(settings)
        stack.push_async_callback(rates.close)
        limits = Limits(settings)
        feed = Feed(settings.database_url)
        await feed.start()
        stack.push_async_callback(feed.close)
        service_tokens = ServiceTokens(settings)
        service_tokens.start()
        stack.push_async_callback(service_tokens.close)
        upload_connections = UploadConnections()
        await stack.enter_async_context(
            monitored(settings, database=database, objects=objects, queue=queue)
        )
        yield Relay(
            settings=settings,
            database=database,
            objects=objects,
            queue=queue,
            feed=feed,
            service_tokens=service_tokens,
            pages=Pages.read(
                BUILT,
                embed_origins=embed_origins(settings.embed_origins),
                public_url=settings.public_url,
            ),
            programme=programme,
            upload_connections=upload_connections,
            stopping=Stopping(feed, upload_connections),
            limits=limits,
            rates=rates,
            addresses=Addresses(settings),
            precedence=precedence,
            refusals=Refusals(limits, rates, seconds=settings.limit_refusal_seconds),
        )


def create_app(settings: Settings) -> web.Application:
    """The web application; it connects when it starts and lets go when it is cleaned up."""
    nowhere = pages.nowhere(lambda: app[RELAY].pages)
    app = web.Application(
        middlewares=[unread(), follow, problems, nowhere], client_max_size=BODY_MAX_BYTES
    )

    async def connected(app: web.Application) -> AsyncIterator[None]:
        async with wire(settings) as relay:
            app[RELAY] = relay
            yield

    async def stop(app: web.Application) -> None:
        await app[RELAY].stopping.finish()

    async def close_connection(_request: web.Request, response: web.StreamResponse) -> None:
        if app[RELAY].stopping.has_begun:
            response.headers[hdrs.CONNECTION] = "close"
            response.force_close()

    app.cleanup_ctx.append(connected)
    app.on_shutdown.append(stop)
    app.on_response_prepare.append(_harden)
    app.on_response_prepare.append(close_connection)
    app.on_response_prepare.append(name_request)
    for route in (*ROUTES, *pages.PAGES, *heads(ROUTES)):
        app.router.add_route(route.method, route.path, guarded(route, lambda: app[RELAY]))
    return app


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries: no sniffing, no framing, no referrer."""
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(hdrs.CONTENT_SECURITY_POLICY, API_POLICY)
    response.headers.pop(hdrs.SERVER, None)
