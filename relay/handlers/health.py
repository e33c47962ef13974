"""Whether this process lives, and whether it can do its work; and the sentences for failed videos."""

from __future__ import annotations

import asyncio
import enum
from typing import Final

import msgspec
from aiohttp import hdrs, web

from relay.domain.jobs import VideoFailed
from relay.errors import RelayError, Unavailable
from relay.handlers.routing import RETRY_SECONDS, Call, Load, Role, answer, probe, route
from relay.media.errors import MediaRefused
from relay.queue import Queue
from relay.storage.database import is_migrated
from relay.storage.objects import Objects

PROBE_SECONDS: Final = 2
"""How long a service may take to answer before it counts as away."""


class Fitness(enum.StrEnum):
    """Whether this process can do its work; `degraded`: all of it but what videos need."""

    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"
    STOPPING = "stopping"


class Reach(enum.StrEnum):
    """Whether a service answers; `unmigrated`: a database on which this release cannot work."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    UNMIGRATED = "unmigrated"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this process can do its work, and which of the services that it needs answer."""

    status: Fitness
    database: Reach
    objects: Reach
    redis: Reach


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a video could not be prepared, and what to do about it."""

    code: str
    en: str
    fr: str


async def live(_call: Call) -> web.Response:
    """The process answers."""
    return web.Response(text="ok\n", headers={hdrs.CACHE_CONTROL: "no-store"})


async def ready(call: Call) -> web.Response:
    """The process can do its work: 200, also without what letters do not need; or 503."""
    database, objects, redis = await asyncio.gather(
        _database(call), _reach(call.relay.objects), _reach(call.relay.queue)
    )
    status = Fitness.OK if objects is redis is Reach.OK else Fitness.DEGRADED
    if database is not Reach.OK:
        status = Fitness.UNAVAILABLE
    if call.relay.stopping.has_begun:
        status = Fitness.STOPPING
    readiness = Readiness(status=status, database=database, objects=objects, redis=redis)
    if status in {Fitness.OK, Fitness.DEGRADED}:
        return answer(readiness)
    refusal = answer(readiness, status=503)
    refusal.headers[hdrs.RETRY_AFTER] = str(RETRY_SECONDS)
    return refusal


async def _database(call: Call) -> Reach:
    try:
        async with asyncio.timeout(PROBE_SECONDS), call.database.connection() as connection:
            return Reach.OK if await is_migrated(connection) else Reach.UNMIGRATED
    except (Unavailable, TimeoutError):
        return Reach.UNREACHABLE


async def _reach(service: Objects | Queue) -> Reach:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return Reach.OK if await service.is_reachable() else Reach.UNREACHABLE
    except TimeoutError:
        return Reach.UNREACHABLE


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
    probe("/livez", live),
    probe("/readyz", ready),
    route("GET", "/v1/failures", failures, Role.PUBLIC, load=Load.STATIC),
)
