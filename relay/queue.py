"""The only file that imports arq: wakes a worker; what there is to do stands in Postgres.

A job in Redis carries an identifier and nothing else. Losing one loses nothing: the sweep asks Postgres
for what is waiting and wakes a worker again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, Self, TypeAlias

import redis.exceptions
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import in_progress_key_prefix
from arq.worker import Worker, func

from relay.errors import Unavailable

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
        """Connect to the Redis at `url`; Unavailable where none answers."""
        try:
            return cls(await create_pool(redis_settings(url), default_queue_name=QUEUE_NAME))
        except (redis.exceptions.RedisError, OSError) as error:
            raise Unavailable(f"Redis does not answer: {type(error).__name__}") from None

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


class Listener:
    """Starts work whenever a worker is woken."""

    def __init__(
        self, url: str, work: Work, *, at_once: int, timeout_seconds: int, forget_seconds: int
    ) -> None:
        """Call `work` up to `at_once` times at a time.

        `timeout_seconds` is a last resort: `work` has a limit of its own below it. A worker that died says
        no more, so `forget_seconds` after its last word what it was woken for may wake another.
        """
        self._url = url
        self._work = work
        self._at_once = at_once
        self._timeout_seconds = timeout_seconds
        self._forget_seconds = forget_seconds
        self._running: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._pool: ArqRedis | None = None

    async def run(self) -> None:
        """Listen until cancelled; then cancel what runs, and wait for it.

        While Redis is away, what was begun goes on.
        """
        heard: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    await self._listen(heard)
                except (redis.exceptions.RedisError, OSError) as error:
                    _log.warning("Redis is away: %s", type(error).__name__)
                    await asyncio.sleep(RECONNECT_SECONDS)
        finally:
            # First the work, which gives its jobs back; only then may Redis wake others for them.
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await asyncio.gather(*heard, return_exceptions=True)
            if self._pool is not None:
                await self._pool.aclose()

    async def _listen(self, heard: set[asyncio.Task[None]]) -> None:
        """Listen until the connection breaks; what is being answered then is left in `heard`."""
        if self._pool is None:
            pool = await create_pool(redis_settings(self._url), default_queue_name=QUEUE_NAME)
            self._pool = pool
        worker = Worker(
            functions=[func(self._transcode, name=TRANSCODE)],
            queue_name=QUEUE_NAME,
            redis_pool=self._pool,
            handle_signals=False,
            max_jobs=self._at_once,
            job_timeout=self._timeout_seconds,
            # How often to try stands in Postgres; a result here would keep a job from waking anybody.
            max_tries=_WITHOUT_END,
            keep_result=0,
            poll_delay=POLL_SECONDS,
            health_check_interval=_WITHOUT_END,
        )
        worker.in_progress_timeout_s = self._forget_seconds
        try:
            await worker.async_run()
        finally:
            heard.update(worker.tasks.values())

    async def _transcode(self, ctx: object, *args: str, **_named: object) -> None:  # noqa: ARG002 - of arq
        job_id = uuid.UUID(args[0])
        # What was begun before Redis went away still counts.
        if job_id in self._running or len(self._running) >= self._at_once:
            return
        task = self._running[job_id] = asyncio.create_task(self._do(job_id))
        task.add_done_callback(lambda _: self._running.pop(job_id))
        await asyncio.shield(task)

    async def _do(self, job_id: uuid.UUID) -> None:
        remembering = asyncio.create_task(self._remember(job_id))
        try:
            await self._work(job_id)
        finally:
            remembering.cancel()

    async def _remember(self, job_id: uuid.UUID) -> None:
        """Say again and again that this is being worked on, so that nobody else is woken for it."""
        key = f"{in_progress_key_prefix}{job_id}"
        while self._pool is not None:
            await asyncio.sleep(self._forget_seconds / 3)
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                await self._pool.pexpire(key, self._forget_seconds * 1000)
