"""The only file that imports arq: wakes a worker; what there is to do stands in Postgres.

A job in Redis carries an identifier and nothing else. Losing one loses nothing: the sweep asks Postgres
for what is waiting and wakes a worker again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, Self, TypeAlias

import redis.exceptions
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker, func

TRANSCODE: Final = "transcode"
QUEUE_NAME: Final = "relay:jobs"
POLL_SECONDS: Final = 0.25
RECONNECT_SECONDS: Final = 2
_WITHOUT_END: Final = 1_000_000_000

Work: TypeAlias = Callable[[uuid.UUID], Awaitable[None]]
"""Does one job, or finds that there is nothing to do; raises nothing but what it is cancelled with."""

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
        """Tell a worker that a job waits, unless it is told already; where Redis is away, the sweep will."""
        try:
            await self._pool.enqueue_job(
                TRANSCODE, str(job_id), _job_id=str(job_id), _queue_name=QUEUE_NAME
            )
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


async def listen(
    url: str, work: Work, *, at_once: int, timeout_seconds: int, forget_seconds: int
) -> None:
    """Call `work` whenever a worker is woken, `at_once` times at most, until cancelled.

    `timeout_seconds` is a last resort: `work` has a limit of its own below it. A worker that died says no
    more, so after `forget_seconds` whatever it was woken for may wake another. While Redis is away, what
    was begun goes on. Cancelling cancels what runs, and waits for it.
    """
    slots = asyncio.Semaphore(at_once)
    running: set[asyncio.Task[None]] = set()
    pool: ArqRedis | None = None

    async def transcode(ctx: object, *args: str, **_named: object) -> None:  # noqa: ARG001 - of arq
        # What was begun before Redis went away still counts.
        if not slots.locked():
            async with slots:
                await work(uuid.UUID(args[0]))

    try:
        while True:
            try:
                if pool is None:
                    pool = await create_pool(redis_settings(url), default_queue_name=QUEUE_NAME)
                worker = Worker(
                    functions=[func(transcode, name=TRANSCODE)],
                    queue_name=QUEUE_NAME,
                    redis_pool=pool,
                    handle_signals=False,
                    max_jobs=at_once,
                    job_timeout=timeout_seconds,
                    # How often to try stands in Postgres; a result here would keep a job from waking anybody.
                    max_tries=_WITHOUT_END,
                    keep_result=0,
                    poll_delay=POLL_SECONDS,
                    health_check_interval=_WITHOUT_END,
                )
                worker.in_progress_timeout_s = forget_seconds
                try:
                    await worker.async_run()
                finally:
                    running.update(worker.tasks.values())
            except (redis.exceptions.RedisError, OSError) as error:
                _log.warning("Redis is away: %s", type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if pool is not None:
            await pool.aclose()
