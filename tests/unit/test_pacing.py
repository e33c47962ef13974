"""Requests of one caller after each other: a burst at once, then evenly, and too many not at all."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import pytest

from relay.domain.limits import Limit, TooManyAtOnce
from relay.services.pacing import BURST, Pace

QUOTA: Final = 1200
INTERVAL: Final = 60 / QUOTA
WAITING: Final = 10
ROUNDING: Final = 1e-6
LIMIT: Final = Limit(name="pace", quota=QUOTA, window_seconds=60)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` gives them."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Note it, where it is more than an error of rounding; the test says when time passes."""
        if seconds > ROUNDING:
            self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the paces of a test."""
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


def pace_by(clock: Clock, **more: int) -> Pace:
    """A pace of twenty requests a second."""
    return Pace(LIMIT, waiting=WAITING, clock=clock, **more)


async def test_a_burst_passes_and_the_rest_follows_evenly(clock: Clock) -> None:
    """As many as wait are told when they are due; one more is refused, and costs the others nothing."""
    pace = pace_by(clock)
    for _ in range(BURST):
        await pace.wait("a")
    assert clock.slept == []
    for _ in range(WAITING):
        await pace.wait("a")
    assert clock.slept == pytest.approx([INTERVAL * number for number in range(1, WAITING + 1)])
    for _ in range(3):
        with pytest.raises(TooManyAtOnce) as refused:
            await pace.wait("a")
        assert refused.value.wait_seconds == 1
    clock.slept.clear()
    await pace.wait("b")
    assert clock.slept == []
    clock.now += INTERVAL
    await pace.wait("a")
    assert clock.slept == pytest.approx([WAITING * INTERVAL])


async def test_who_was_quiet_has_the_burst_again_and_no_more(clock: Clock) -> None:
    """An hour of silence is worth one burst."""
    pace = pace_by(clock)
    for _ in range(2):
        for _ in range(BURST):
            await pace.wait("a")
        assert clock.slept == []
        clock.now += 3600
    for _ in range(BURST + 1):
        await pace.wait("a")
    assert clock.slept == pytest.approx([INTERVAL])


async def test_in_no_minute_more_begins_than_the_quota_and_a_burst(
    clock: Clock, chance: random.Random
) -> None:
    """However the requests come, and whatever is refused meanwhile."""
    pace = pace_by(clock)
    begun: list[float] = []
    for _ in range(6 * QUOTA):
        clock.slept.clear()
        clock.now += chance.choice([0, 0, 0, INTERVAL / 2, INTERVAL, 0.2])
        try:
            await pace.wait("a")
        except TooManyAtOnce:
            continue
        begun.append(clock.now + sum(clock.slept))
    assert begun == sorted(begun)
    for first in range(len(begun)):
        within = [
            moment for moment in begun[first : first + 2 * QUOTA] if moment < begun[first] + 60
        ]
        assert len(within) <= QUOTA + BURST


async def test_whoever_invents_callers_takes_no_more_memory(clock: Clock) -> None:
    """Beyond the number that is kept nobody is held up; those who were quiet make room."""
    pace = pace_by(clock, keys=2)
    for caller in "ab":
        for _ in range(BURST):
            await pace.wait(caller)
    for _ in range(2 * BURST + WAITING):
        await pace.wait("c")
    assert clock.slept == []
    clock.now += 3600
    for _ in range(BURST + 1):
        await pace.wait("c")
    assert clock.slept == pytest.approx([INTERVAL])


async def test_waiting_takes_real_time() -> None:
    """By the clock of the process."""
    limit = Limit(name="pace", quota=3000, window_seconds=60)
    pace = Pace(limit, waiting=WAITING)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(BURST + 5):
        await pace.wait("a")
    assert loop.time() - began >= 0.09
