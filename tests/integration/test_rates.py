"""Requests in a minute: counted by all processes together in Redis, and by each alone where that is away."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from typing import Final

import pytest
from redis.asyncio import Redis

from relay.domain.actors import LinkHolder, Mediator, Nobody, Service
from relay.domain.limits import TooManyRequests
from relay.services.rates import OWN_SHARE, Rates
from relay.settings import Settings
from tests.support.actors import mediator, participant

QUOTA: Final = 40
CASE_QUOTA: Final = 64


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """Few of each."""
    return dataclasses.replace(
        settings,
        limit_person_requests=QUOTA,
        limit_case_requests=CASE_QUOTA,
        limit_service_requests=2 * QUOTA,
    )


@pytest.fixture
async def processes(limited: Settings) -> AsyncIterator[list[Rates]]:
    """What two processes count with."""
    both = [Rates(limited) for _ in range(2)]
    yield both
    for rates in both:
        await rates.close()


async def let_through(processes: list[Rates], actor: Mediator, tries: int) -> int:
    """How many of so many requests, at each process by turns, are let through."""
    count, waits = 0, list[int]()
    for number in range(tries):
        try:
            await processes[number % len(processes)].require(actor)
        except TooManyRequests as refused:
            waits.append(refused.wait_seconds)
            continue
        count += 1
    assert all(0 < wait <= 60 for wait in waits)
    return count


async def test_all_processes_count_together(processes: list[Rates]) -> None:
    """One process lets the quota through; two of them no more than the share of each beyond that."""
    assert await let_through(processes[:1], mediator(), 3 * QUOTA) == QUOTA
    assert await let_through(processes, mediator(), 3 * QUOTA) == QUOTA + QUOTA // OWN_SHARE
    await processes[0].require(mediator())


async def test_nothing_is_said_of_who_asks_little(
    processes: list[Rates], redis_url: str, limited: Settings
) -> None:
    """Redis learns nothing of them, and of the others no identifier."""
    known = Redis.from_url(redis_url)
    one, other = mediator(), mediator()
    for _ in range(QUOTA // OWN_SHARE):
        await processes[0].require(one)
    assert await known.keys("*") == []
    await let_through(processes[:1], other, QUOTA)
    [key] = await known.keys("*")
    assert str(other.credential_id).encode() not in key
    assert 0 < await known.ttl(key) <= 60
    await known.aclose()


async def test_everybody_of_a_case_counts_for_it(processes: list[Rates]) -> None:
    """Each person has a quota of their own, and the case one for all of them."""
    case_id = uuid.uuid4()
    for count in (QUOTA, CASE_QUOTA - QUOTA):
        person = participant(case_id)
        for _ in range(count):
            await processes[0].require(person)
    with pytest.raises(TooManyRequests) as refused:
        await processes[0].require(participant(case_id))
    assert refused.value.limit.name == "case-requests"
    await processes[0].require(participant(uuid.uuid4()))
    holder = LinkHolder(link_id=uuid.uuid4(), case_id=case_id, participant_id=uuid.uuid4())
    with pytest.raises(TooManyRequests):
        await processes[0].require(holder)
    await processes[0].require(Service(subject="cases", scopes=frozenset()))
    await processes[0].require(Nobody())


@pytest.mark.parametrize("hostile", ["away", "another type", "full"])
async def test_each_process_counts_alone_without_redis(
    limited: Settings, redis_url: str, hostile: str
) -> None:
    """Whatever Redis does, the quota of one process holds, and nobody below it is refused."""
    if hostile == "away":
        limited = dataclasses.replace(limited, redis_url="redis://127.0.0.1:1")
    alone = Rates(limited)
    actor = mediator()
    if hostile != "away":
        known = Redis.from_url(redis_url)
        await let_through([alone], actor, QUOTA // OWN_SHARE + 1)
        [key] = await known.keys("*")
        await known.delete(key)
        await known.lpush(key, "x") if hostile == "another type" else await known.set(key, "x")
        await known.aclose()
        assert await let_through([alone], actor, 3 * QUOTA) == QUOTA - QUOTA // OWN_SHARE - 1
    else:
        assert await let_through([alone], actor, 3 * QUOTA) == QUOTA
    await alone.close()
