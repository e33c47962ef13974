"""The only file that imports arq: wakes a worker; what there is to do stands in Postgres.

A job in Redis carries an identifier and nothing else. Losing one loses nothing: the sweep asks Postgres
for what is waiting and wakes a worker again.
"""

from __future__ import annotations

import logging
import uuid
from typing import Final, Self

import redis.exceptions
from arq.connections import ArqRedis, RedisSettings, create_pool

TRANSCODE: Final = "transcode"
QUEUE_NAME: Final = "relay:jobs"

_log = logging.getLogger(__name__)


def redis_settings(url: str) -> RedisSettings:
    """Where Redis is, with a short patience: it is a trigger only."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 2
    settings.conn_retries = 3
    return settings


class Queue:
    """Wakes workers."""

    def __init__(self, pool: ArqRedis) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to the Redis at `url`."""
        return cls(await create_pool(redis_settings(url), default_queue_name=QUEUE_NAME))

    async def wake(self, job_id: uuid.UUID) -> None:
        """Tell a worker that a job waits; where Redis is away, the sweep will."""
        try:
            await self._pool.enqueue_job(TRANSCODE, str(job_id), _queue_name=QUEUE_NAME)
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("a worker could not be woken: %s", type(error).__name__)

    async def is_reachable(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await self._pool.ping())
        except (redis.exceptions.RedisError, OSError):
            return False

    async def close(self) -> None:
        """Close the connection."""
        await self._pool.aclose()
