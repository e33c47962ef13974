"""Redis: whether it answers, and whether it keeps what wakes workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from relay.doctor.checks import Check, fail, ok, warn
from relay.errors import Unavailable
from relay.queue import Queue
from relay.settings import Settings

ANSWER_SECONDS: Final = 15


async def check_redis(settings: Settings) -> AsyncIterator[Check]:
    """Everything of Redis."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            queue = await Queue.connect(settings.redis_url)
            try:
                for check in await _look(queue):
                    yield check
            finally:
                await queue.close()
    except (Unavailable, TimeoutError, ValueError):
        yield fail(
            "redis",
            "RELAY_REDIS_URL does not let this process in. See that Redis runs, and that user and password "
            "are right.",
        )


async def _look(queue: Queue) -> list[Check]:
    if not await queue.is_reachable():
        return [fail("redis", "It stopped answering.")]
    facts = await queue.describe()
    answers = ok("redis", "It answers.")
    if facts is None:
        rule = "let it (+info), or look at `maxmemory-policy` and `appendonly` yourself"
        return [answers, warn("redis-eviction", f"This user may not ask how Redis is set: {rule}.")]
    eviction = (
        ok("redis-eviction", "Nothing is evicted.")
        if facts.policy == "noeviction"
        else fail(
            "redis-eviction",
            f"maxmemory-policy is {facts.policy}: what wakes workers may be lost. Set it to noeviction.",
        )
    )
    persistence = (
        ok("redis-persistence", "What wakes workers outlives a restart.")
        if facts.is_persistent
        else warn(
            "redis-persistence",
            "appendonly is off: after a restart videos wait for the next sweep. Nothing is lost by that.",
        )
    )
    return [answers, eviction, persistence]
