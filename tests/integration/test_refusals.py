"""Who was refused lately is refused before anything is looked up, and nobody is let in by it."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
import uuid
from collections.abc import AsyncIterator
from typing import Final

import pytest

from relay.domain.actors import LinkHolder, Mediator, Participant, Service
from relay.domain.limits import LimitReached, TooManyAtOnce, TooManyFeeds, TooManyRequests
from relay.services.limits import Limits, Load
from relay.services.pacing import BURST
from relay.services.rates import Rates
from relay.services.refusals import BETWEEN, Refusals
from relay.settings import Settings
from tests.support.actors import mediator, participant

QUOTA: Final = 40
AT_ONCE: Final = 3
WAITING: Final = 2
FEEDS: Final = 2
MOST: Final = 50
MINUTE_SECONDS: Final = 60
HELD_SECONDS: Final = 0.4


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` gives them."""
        return self.now


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """What a web process refuses with."""

    limits: Limits
    rates: Rates
    clock: Clock
    refusals: Refusals


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[Process]:
    """Few of each at once and in a minute."""
    few = dataclasses.replace(
        settings,
        limit_person_requests=QUOTA,
        limit_case_requests=2 * QUOTA,
        limit_service_requests=QUOTA,
        limit_requests_at_once=AT_ONCE,
        limit_uploads_at_once=AT_ONCE,
        limit_downloads_at_once=AT_ONCE,
        limit_requests_waiting=WAITING,
        limit_feeds=FEEDS,
    )
    limits, rates, clock = Limits(few), Rates(few), Clock()
    refusals = Refusals(limits, rates, seconds=HELD_SECONDS, most=MOST, clock=clock)
    yield Process(limits, rates, clock, refusals)
    await rates.close()


def bearer(chance: random.Random) -> bytes:
    """The hash of one that nobody had before."""
    return chance.randbytes(32)


async def use_up(process: Process, actor: Mediator | Participant | LinkHolder | Service) -> None:
    """Ask until the minute has no more for this caller."""
    for _ in range(2 * QUOTA + 1):
        try:
            await process.rates.require(actor)
        except TooManyRequests:
            return
    pytest.fail("nothing is refused")


@pytest.mark.parametrize(
    "actor",
    [
        mediator(),
        participant(uuid.uuid4()),
        LinkHolder(link_id=uuid.uuid4(), case_id=uuid.uuid4(), participant_id=uuid.uuid4()),
        Service(subject="case-system", scopes=frozenset()),
    ],
    ids=lambda actor: type(actor).__name__,
)
async def test_a_minute_that_is_used_up_is_known_for_each_session(
    process: Process,
    actor: Mediator | Participant | LinkHolder | Service,
    chance: random.Random,
) -> None:
    """By the bearer that was refused at once; by another of that person after a look-up."""
    refused, other_session, stranger = (bearer(chance) for _ in range(3))
    process.refusals.require_room(refused, Load.SHORT)
    await use_up(process, actor)
    process.refusals.require_room(refused, Load.SHORT)
    process.refusals.remember(refused, actor)
    for load in (Load.SHORT, Load.UPLOAD, Load.DOWNLOAD, Load.FEED):
        with pytest.raises(TooManyRequests) as told:
            process.refusals.require_room(refused, load)
        assert 0 < told.value.wait_seconds <= MINUTE_SECONDS
        process.refusals.require_room(other_session, load)
    process.refusals.remember(other_session, actor)
    with pytest.raises(TooManyRequests):
        process.refusals.require_room(other_session, Load.SHORT)
    process.refusals.remember(stranger, mediator())
    process.refusals.require_room(stranger, Load.SHORT)


async def test_the_case_of_a_caller_counts_as_well(process: Process, chance: random.Random) -> None:
    """Where its minute is used up by others, its people are refused early, and nobody else."""
    case_id = uuid.uuid4()
    one, other_case = participant(case_id), participant(uuid.uuid4())
    for _ in range(4):
        somebody = participant(case_id)
        await use_up(process, somebody)
    keys = bearer(chance), bearer(chance)
    process.refusals.remember(keys[0], one)
    process.refusals.remember(keys[1], other_case)
    with pytest.raises(TooManyRequests) as refused:
        process.refusals.require_room(keys[0], Load.SHORT)
    assert refused.value.limit.name == "case-requests"
    process.refusals.require_room(keys[1], Load.SHORT)


@pytest.mark.parametrize(
    ("load", "most", "reached"),
    [
        (Load.SHORT, AT_ONCE + WAITING, TooManyAtOnce),
        (Load.UPLOAD, AT_ONCE + WAITING, TooManyAtOnce),
        (Load.DOWNLOAD, AT_ONCE + WAITING, TooManyAtOnce),
        (Load.FEED, FEEDS, TooManyFeeds),
    ],
)
async def test_what_is_under_way_is_known_of_each_kind(
    process: Process, load: Load, most: int, reached: type[LimitReached], chance: random.Random
) -> None:
    """One more is refused early while there is no place to wait, and never before or after."""
    actor, key, until = mediator(), bearer(chance), asyncio.Event()
    process.refusals.remember(key, actor)

    async def hold() -> None:
        async with process.limits.working(load, actor):
            await until.wait()

    held = []
    for _ in range(most):
        process.refusals.require_room(key, load)
        held.append(asyncio.create_task(hold()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    for _ in range(3):
        with pytest.raises(reached):
            process.refusals.require_room(key, load)
    others = {Load.SHORT, Load.UPLOAD, Load.DOWNLOAD, Load.FEED} - {load}
    for other in others:
        process.refusals.require_room(key, other)
    until.set()
    await asyncio.gather(*held)
    process.refusals.require_room(key, load)


async def test_a_pace_that_is_too_fast_is_known(process: Process, chance: random.Random) -> None:
    """Asking whether there is room is no request: it makes nobody wait longer."""
    actor, key = mediator(), bearer(chance)
    process.refusals.remember(key, actor)
    burst = min(BURST, QUOTA)
    for _ in range(burst):
        process.refusals.require_room(key, Load.SHORT)
        await process.limits.paced(actor, None)
    waiting = [asyncio.create_task(process.limits.paced(actor, None)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    for _ in range(100):
        with pytest.raises(TooManyAtOnce) as refused:
            process.refusals.require_room(key, Load.SHORT)
        assert refused.value.wait_seconds <= (WAITING + 1) * MINUTE_SECONDS / QUOTA + 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_whose_a_bearer_is_is_forgotten_after_a_minute(
    process: Process, chance: random.Random
) -> None:
    """Then it is looked up again: a session that has ended since is not taken for its person's for long."""
    actor, key = mediator(), bearer(chance)
    await use_up(process, actor)
    process.refusals.remember(key, actor)
    process.clock.now += MINUTE_SECONDS - 1
    with pytest.raises(TooManyRequests):
        process.refusals.require_room(key, Load.SHORT)
    process.clock.now += 1
    process.refusals.require_room(key, Load.SHORT)
    assert len(process.refusals) == 0


async def test_a_flood_of_bearers_takes_no_more_memory(
    process: Process, chance: random.Random
) -> None:
    """Beyond so many nobody is remembered, until the first are forgotten; those that are stay refused."""
    actor = mediator()
    await use_up(process, actor)
    keys = [bearer(chance) for _ in range(20 * MOST)]
    for key in keys:
        process.refusals.remember(key, actor)
        assert len(process.refusals) <= MOST
    refused = 0
    for key in keys:
        try:
            process.refusals.require_room(key, Load.SHORT)
        except TooManyRequests:
            refused += 1
    assert refused == MOST
    process.clock.now += MINUTE_SECONDS
    process.refusals.remember(keys[-1], actor)
    with pytest.raises(TooManyRequests):
        process.refusals.require_room(keys[-1], Load.SHORT)
    assert len(process.refusals) == 1


async def test_refusals_of_one_caller_are_given_one_by_one(
    process: Process, chance: random.Random
) -> None:
    """However many ask at the same moment, by however many sessions; a stranger's is given in its time."""
    actor, stranger = mediator(), bearer(chance)
    keys = [bearer(chance) for _ in range(3)]
    for key in keys:
        process.refusals.remember(key, actor)
    given: list[float] = []
    began = time.monotonic()

    async def held(key: bytes) -> float:
        await process.refusals.hold(key, "192.0.2.1")
        return time.monotonic() - began

    async def noted(key: bytes) -> None:
        given.append(await held(key))

    count = 200
    one_by_one = [asyncio.create_task(noted(chance.choice(keys))) for _ in range(count)]
    of_stranger = await held(stranger)
    assert not all(task.done() for task in one_by_one)
    await asyncio.gather(*one_by_one)
    assert HELD_SECONDS <= of_stranger < given[-1]
    slot = HELD_SECONDS / BETWEEN
    assert given == sorted(given)
    for number, seconds in enumerate(given):
        assert seconds >= HELD_SECONDS + number * slot - 0.002


async def test_who_leaves_is_held_no_longer(process: Process, chance: random.Random) -> None:
    """A caller whose connections break makes nobody of theirs wait longer."""
    key = bearer(chance)
    left = [asyncio.create_task(process.refusals.hold(key, None)) for _ in range(400)]
    await asyncio.sleep(0)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    began = time.monotonic()
    await process.refusals.hold(key, None)
    assert time.monotonic() - began < HELD_SECONDS * (1 + 400 / BETWEEN) / 2
