"""How much one person, link or case may ask in a minute, over all web processes; counted in Redis.

Few ever come near: the first share of each minute is counted in this process alone, and Redis is asked, and
learns that there is somebody, only about those who ask for more. Without Redis each process counts by itself.
Redis is told a hash, and can do no more than refuse people, or let somebody ask too much.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from typing import Final

import redis.exceptions
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio.connection import ConnectionPool

from relay.domain.actors import Actor, LinkHolder, Mediator, Participant, Service
from relay.domain.limits import Limit, TooManyRequests
from relay.queue import RATES_PREFIX
from relay.services.minutes import WINDOW_SECONDS, Minutes
from relay.settings import Settings

OWN_SHARE: Final = 8
"""The first part of a quota that a process lets through without asking anybody: one of so many."""
REDIS_SECONDS: Final = 0.25
"""Longer than that nobody waits for Redis."""
AWAY_SECONDS: Final = 5
"""For so long Redis is not asked again once it did not answer."""

_REFUSED: Final = "refused"
_log = logging.getLogger(__name__)


class Rates:
    """Counts requests by who makes them."""

    def __init__(self, settings: Settings) -> None:
        self._limits = {
            "person": _limit("requests", settings.limit_person_requests),
            "case": _limit("case-requests", settings.limit_case_requests),
            "service": _limit("service-requests", settings.limit_service_requests),
        }
        self._connections: ConnectionPool = ConnectionPool.from_url(
            settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self._shared = FixedWindowRateLimiter(
            RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix=RATES_PREFIX,
                connection_pool=self._connections,  # type: ignore[arg-type]  # as its documentation says
            )
        )
        self._minutes = Minutes()
        self._away_until = 0.0

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.disconnect()

    async def require(self, actor: Actor) -> None:
        """Count a request of this caller; TooManyRequests where it is one too many in this minute."""
        for kind, subject in _counted(actor):
            await self._count(self._limits[kind], subject)

    def require_room(self, actor: Actor) -> None:
        """TooManyRequests where requests of this caller are refused until the next minute; counts none."""
        for kind, subject in _counted(actor):
            limit = self._limits[kind]
            if self._minutes.count((_key(limit, subject), _REFUSED)):
                raise self._refusal(limit)

    def _refusal(self, limit: Limit) -> TooManyRequests:
        return TooManyRequests(limit, wait_seconds=self._minutes.left_seconds)

    async def _count(self, limit: Limit, subject: uuid.UUID | str) -> None:
        key = _key(limit, subject)
        own = limit.quota // OWN_SHARE
        if not self._minutes.count((key, _REFUSED)):
            count = self._minutes.add(key)
            if count <= own or await self._is_within(limit, key, limit.quota - own, count):
                return
            self._minutes.add((key, _REFUSED))
        raise self._refusal(limit)

    async def _is_within(self, limit: Limit, key: str, rest: int, count: int) -> bool:
        """Whether what is left of the quota has room for one more, as all processes count."""
        now = time.monotonic()
        if now >= self._away_until:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    return await self._shared.hit(RateLimitItemPerSecond(rest, WINDOW_SECONDS), key)
            except (redis.exceptions.RedisError, OSError) as error:
                self._away_until = now + AWAY_SECONDS
                _log.warning("rates are counted without Redis: %s", type(error).__name__)
        return count <= limit.quota


def _limit(name: str, quota: int) -> Limit:
    return Limit(name=name, quota=quota, window_seconds=WINDOW_SECONDS)


def _counted(actor: Actor) -> list[tuple[str, uuid.UUID | str]]:
    """What a request of this caller counts for."""
    match actor:
        case Participant():
            return [("person", actor.participant_id), ("case", actor.case_id)]
        case LinkHolder():
            return [("person", actor.link_id), ("case", actor.case_id)]
        case Mediator():
            return [("person", actor.credential_id)]
        case Service():
            return [("service", str(actor))]
        case _:
            return []


def _key(limit: Limit, subject: uuid.UUID | str) -> str:
    return hashlib.sha256(f"{limit.name} {subject}".encode()).hexdigest()[:32]
