"""Whether this process lives, and whether it can do its work; and the sentences for failed videos."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from relay.domain.jobs import VideoFailed
from relay.errors import RelayError
from relay.handlers.routing import Call, Role, answer, route
from relay.media.errors import MediaRefused
from relay.storage.database import is_migrated


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the services that relay needs answer. Without Redis everything works, only later."""

    database: bool
    objects: bool
    redis: bool


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a video could not be prepared, and what to do about it."""

    code: str
    en: str
    fr: str


async def alive(_call: Call) -> web.Response:
    """The process answers."""
    return web.Response(text="ok\n")


async def ready(call: Call) -> web.Response:
    """The process can do its work: 200, or 503."""
    database, objects, redis = await asyncio.gather(
        _database(call), call.relay.objects.is_reachable(), call.relay.queue.is_reachable()
    )
    readiness = Readiness(database=database, objects=objects, redis=redis)
    return answer(readiness, status=200 if database and objects else 503)


async def _database(call: Call) -> bool:
    try:
        async with call.database.connection() as connection:
            return await is_migrated(connection)
    except RelayError:
        return False


async def failures(_call: Call) -> web.Response:
    """Every reason for which a video may be refused, in both languages."""
    return answer(
        [
            Failure(code=refusal.code, en=refusal.sentence("en"), fr=refusal.sentence("fr"))
            for refusal in sorted(
                _tree(MediaRefused) + _tree(VideoFailed), key=lambda refusal: refusal.code
            )
        ]
    )


def _tree(branch: type[RelayError]) -> list[type[RelayError]]:
    return [branch] + [leaf for twig in branch.__subclasses__() for leaf in _tree(twig)]


ROUTES = (
    route("GET", "/healthz", alive, Role.PUBLIC),
    route("GET", "/readyz", ready, Role.PUBLIC),
    route("GET", "/v1/failures", failures, Role.PUBLIC),
)
