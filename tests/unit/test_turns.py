"""How much each caller may do at once, and what it costs the others."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Final

import pytest

from relay.domain.limits import Limit, LimitReached
from relay.services.turns import Turns

QUOTA: Final = 3
WAITING: Final = 5
LIMIT: Final = Limit(name="things", quota=QUOTA)


class TooMany(LimitReached):
    """What the turns of these tests end with."""

    code = "too-many-tries"


def turns_of(seconds: float = 60) -> Turns:
    """Turns of three things at once, for which five more may wait."""
    return Turns(LIMIT, TooMany, waiting=WAITING, seconds=seconds)


async def hold(turns: Turns, caller: str, until: asyncio.Event) -> None:
    """Do one thing until told to end."""
    async with turns.turn(caller):
        await until.wait()


async def begun(count: int) -> None:
    """Let tasks come as far as they can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_caller_who_does_too_much_waits_and_nobody_else_does() -> None:
    """Three at once, five wait, a ninth is refused; another caller begins at once."""
    turns, until = turns_of(), asyncio.Event()
    tasks = [asyncio.create_task(hold(turns, "one", until)) for _ in range(QUOTA + WAITING)]
    await begun(5)
    with pytest.raises(TooMany) as refused:
        async with turns.turn("one"):
            pytest.fail("a ninth")
    assert (refused.value.limit, refused.value.wait_seconds) == (LIMIT, 1)
    async with asyncio.timeout(1), turns.turn("other"):
        assert len(turns) == 2
    until.set()
    await asyncio.gather(*tasks)
    assert len(turns) == 0


async def test_who_waits_longest_is_next() -> None:
    """In the order in which they came."""
    turns, order = turns_of(), list[int]()
    until = asyncio.Event()
    held = [asyncio.create_task(hold(turns, "one", until)) for _ in range(QUOTA)]
    await begun(2)

    async def wait(number: int) -> None:
        async with turns.turn("one"):
            order.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(WAITING)]
    await begun(2)
    until.set()
    await asyncio.gather(*held, *waiting)
    assert order == list(range(WAITING))


async def test_nobody_waits_for_ever() -> None:
    """After its time the wait ends with a refusal, and takes nothing from those who come later."""
    turns, until = turns_of(seconds=0.01), asyncio.Event()
    held = [asyncio.create_task(hold(turns, "one", until)) for _ in range(QUOTA)]
    await begun(2)
    with pytest.raises(TooMany):
        async with turns.turn("one"):
            pytest.fail("a fourth")
    until.set()
    await asyncio.gather(*held)
    async with turns.turn("one"):
        assert len(turns) == 1
    assert len(turns) == 0


async def test_no_turn_is_lost_or_given_twice(chance: random.Random) -> None:
    """Whoever is cancelled, times out or fails, at any moment: never more than three, and none in the end."""
    turns = turns_of(seconds=0.002)
    active: Counter[str] = Counter()

    async def act(caller: str, seconds: float, *, fails: bool) -> None:
        async with turns.turn(caller):
            active[caller] += 1
            assert active[caller] <= QUOTA
            try:
                await asyncio.sleep(seconds)
                if fails:
                    raise LookupError
            finally:
                active[caller] -= 1

    tasks = []
    for _ in range(2000):
        acting = act(chance.choice("abc"), chance.uniform(0, 0.003), fails=chance.random() < 0.2)
        tasks.append(asyncio.create_task(acting))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        if chance.random() < 0.4:
            await asyncio.sleep(chance.uniform(0, 0.001))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} == {
        *(type(None), LookupError, TooMany, asyncio.CancelledError)
    }
    assert +active == {}
    assert len(turns) == 0
    for caller in "abc":
        async with asyncio.timeout(1), turns.turn(caller), turns.turn(caller), turns.turn(caller):
            pass
