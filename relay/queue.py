"""The only file that imports arq: wakes a worker; what there is to do is in Postgres.

A job in Redis is its identifier in JSON, `{"job":"…"}`, and nothing else is taken: arq's own pickle would run
whatever code somebody put there. What is not such a job is dropped. Losing one loses nothing: the sweep asks
Postgres for what is waiting and wakes a worker again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Self, TypeAlias

import msgspec
import redis.exceptions
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import (
    abort_jobs_ss,
    in_progress_key_prefix,
    job_key_prefix,
    retry_key_prefix,
)
from arq.utils import poll
from arq.worker import Worker, func

from relay.decoding import decode_json
from relay.errors import Unavailable
from relay.tracing import spans
from relay.tracing.spans import Kind, Span

TRANSCODE: Final = "transcode"
QUEUE_NAME: Final = "relay:jobs"
MESSAGING: Final = {"messaging.system": "redis", "messaging.destination.name": QUEUE_NAME}
"""What spans of the queue say of it; never of which job they are."""
_SENDING: Final = {
    **MESSAGING,
    "messaging.operation.type": "send",
    "messaging.operation.name": "wake",
}

RATES_PREFIX: Final = "relay:rates"
_WAKING: Final = (
    f"resetchannels -@all ~{QUEUE_NAME} ~{job_key_prefix}* "
    "+ping +info +select +multi +exec +psetex +zadd"
)
WEB_RULES: Final = f"{_WAKING} ~{RATES_PREFIX}:* +evalsha +script|load +incrby +expire"
"""What the web service's user of Redis may do, as an ACL of Redis 6.2 or later, or of Valkey."""
WORKER_RULES: Final = (
    f"{_WAKING} ~{in_progress_key_prefix}* ~{retry_key_prefix}* ~{abort_jobs_ss} "
    "+watch +unwatch +exists +type +get +getrange +incrby +setex +expire +pexpire +del "
    "+zrangebyscore +zscore +zrem"
)
"""What the workers' user may do: take jobs, and wake other workers after a sweep."""

POLL_SECONDS: Final = 0.25
RECONNECT_SECONDS: Final = 2
SILENCE_SECONDS: Final = 5
"""A Redis that answers nothing for this long is taken for gone, and asked again on a new connection."""
_WITHOUT_END: Final = 1_000_000_000
_WAKING_MILLISECONDS: Final = 24 * 60 * 60 * 1000
"""A job that no worker took for so long is forgotten; the sweep wakes one again."""

Work: TypeAlias = Callable[[uuid.UUID], Awaitable[None]]
"""Does one job, or finds that there is nothing to do; raises nothing but what it is cancelled with."""

_log = logging.getLogger(__name__)


class WireJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job as it is in Redis."""

    job: uuid.UUID


WIRE_BYTES: Final = len(msgspec.json.encode(WireJob(uuid.UUID(int=0))))
"""Every job is as long as every other."""


async def _connect(url: str) -> ArqRedis:
    """A connection to Redis with a short patience: it is a trigger only."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 2
    settings.conn_retries = 3
    pool = await create_pool(
        settings,
        default_queue_name=QUEUE_NAME,
        job_serializer=_write_nothing,
        job_deserializer=_read_job,
    )
    # arq has no setting for it, and without it waits for ever on a connection that nobody ended.
    pool.connection_pool.connection_kwargs["socket_timeout"] = SILENCE_SECONDS
    await pool.connection_pool.disconnect()
    # What was opened without it would be opened again as it was.
    pool.connection_pool.reset()  # type: ignore[no-untyped-call]
    return pool


def _write_nothing(_object: dict[str, Any]) -> bytes:
    """In place of pickle, whenever arq would write: how a job ended is in Postgres."""
    return b""


def _read_job(wire: bytes) -> dict[str, Any]:
    """The call that a job in Redis stands for, as arq wants it: one function, whatever is there."""
    if len(wire) != WIRE_BYTES:
        raise ValueError("not a job")
    job = decode_json(wire, WireJob)
    return {"f": TRANSCODE, "a": (str(job.job),), "k": {}, "t": None, "et": 0}


class RedisFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How a Redis is set, as far as it matters here."""

    policy: str
    """`maxmemory-policy`: what it throws away when its memory is used up."""
    is_persistent: bool
    """Whether it writes what it holds to its disk, each time or now and then."""


class Queue:
    """Wakes workers."""

    def __init__(self, pool: ArqRedis) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to the Redis at `url`; Unavailable where none answers."""
        try:
            return cls(await _connect(url))
        except (redis.exceptions.RedisError, OSError) as error:
            raise Unavailable(f"Redis does not answer: {type(error).__name__}") from None

    async def wake(self, job_id: uuid.UUID) -> bool:
        """Tell a worker that a job waits; False where Redis is away, and the sweep will.

        As arq's `enqueue_job`, but nothing that may be in Redis keeps a job from being told. One that
        waits there already keeps its place.
        """
        with spans.span(f"wake {QUEUE_NAME}", Kind.PRODUCER, _SENDING) as span:
            return await self._wake(job_id, span)

    async def _wake(self, job_id: uuid.UUID, span: Span) -> bool:
        try:
            async with self._pool.pipeline(transaction=True) as pipe:
                wire = msgspec.json.encode(WireJob(job_id))
                pipe.psetex(f"{job_key_prefix}{job_id}", _WAKING_MILLISECONDS, wire)
                pipe.zadd(QUEUE_NAME, {str(job_id): time.time_ns() // 1_000_000}, lt=True)
                await pipe.execute()
        except (redis.exceptions.RedisError, OSError) as error:
            span.fail(type(error).__name__)
            _log.warning("a worker could not be woken: %s", type(error).__name__)
            return False
        return True

    async def is_reachable(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await self._pool.ping())
        except (redis.exceptions.RedisError, OSError):
            return False

    async def describe(self) -> RedisFacts | None:
        """How Redis is set; None where this user may not ask."""
        try:
            facts = await self._pool.info()
        except redis.exceptions.NoPermissionError:
            return None
        except (redis.exceptions.RedisError, OSError) as error:
            raise Unavailable(f"Redis does not answer: {type(error).__name__}") from None
        return RedisFacts(
            policy=str(facts.get("maxmemory_policy", "")),
            is_persistent=bool(facts.get("aof_enabled")),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._pool.aclose()


class _CheckingWorker(Worker):
    """Lets only jobs as `Queue.wake` writes them through to arq, and removes everything else."""

    async def main(self) -> None:
        """Look for jobs until cancelled."""
        if await self.pool.type(self.queue_name) not in {b"zset", b"none"}:
            await self.pool.delete(self.queue_name)
            _log.warning("the queue in Redis was no queue, and was dropped")
        async for _ in poll(self.poll_delay_s):
            await self._poll_iteration()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start those that are jobs."""
        await super().start_jobs(await self._jobs_among(job_ids))

    async def run_job(self, job_id: str, score: int) -> None:
        """Run a job; where Redis holds something else in the places of its keys, forget it."""
        try:
            await super().run_job(job_id, score)
        except redis.exceptions.NoPermissionError:
            raise
        except redis.exceptions.ResponseError as error:
            _log.warning("job %s: dropped: %s", job_id, type(error).__name__)
            prefixes = (job_key_prefix, retry_key_prefix, in_progress_key_prefix)
            await self.pool.delete(abort_jobs_ss, *(f"{prefix}{job_id}" for prefix in prefixes))
            await self.pool.zrem(self.queue_name, job_id)

    async def _jobs_among(self, members: Sequence[bytes]) -> list[bytes]:
        """Those members of the queue that are jobs; the others are removed.

        A job's member is its identifier as Python writes it, its time is one of this world, and under its
        key stands exactly what would be written for it.
        """
        if not members:
            return []
        async with self.pool.pipeline(transaction=True) as pipe:
            for member in members:
                pipe.zscore(self.queue_name, member)
                pipe.getrange(_job_key(member), 0, WIRE_BYTES)
            found = await pipe.execute(raise_on_error=False)
        jobs: list[bytes] = []
        others: list[bytes] = []
        for member, score, wire in zip(members, found[::2], found[1::2], strict=True):
            if score is None:
                continue  # another worker has done it meanwhile
            is_job = math.isfinite(score) and score > 0 and wire == _expected(member)
            (jobs if is_job else others).append(member)
        if others:
            _log.warning("%d entries of the queue in Redis are no jobs; dropped", len(others))
            await self.pool.zrem(self.queue_name, *others)
            await self.pool.delete(*(_job_key(member) for member in others))
        return jobs


def _job_key(member: bytes) -> bytes:
    return job_key_prefix.encode() + member


def _expected(member: bytes) -> bytes | None:
    """What is under the key of a job; None where a member of the queue names none."""
    try:
        job_id = uuid.UUID(member.decode("ascii"))
    except ValueError:
        return None
    return msgspec.json.encode(WireJob(job_id)) if str(job_id).encode() == member else None


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

        While Redis is away, what was begun continues.
        """
        heard: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    await self._listen(heard)
                except (redis.exceptions.RedisError, OSError) as error:
                    _log.warning("Redis is away: %s", type(error).__name__)
                except Exception as error:  # noqa: BLE001 - nothing that is in Redis ends a worker
                    _log.warning("Redis holds what arq does not take: %s", type(error).__name__)
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
            self._pool = await _connect(self._url)
        worker = _CheckingWorker(
            functions=[func(self._transcode, name=TRANSCODE)],
            queue_name=QUEUE_NAME,
            redis_pool=self._pool,
            handle_signals=False,
            max_jobs=self._at_once,
            job_timeout=self._timeout_seconds,
            # How often to try is in Postgres; a result here would keep a job from waking anybody.
            max_tries=_WITHOUT_END,
            keep_result=0,
            job_serializer=_write_nothing,
            job_deserializer=_read_job,
            poll_delay=POLL_SECONDS,
            health_check_interval=math.inf,
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
