"""Who goes first in a process: callers who ask little, and short requests before pieces of transfers."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

from relay.services.precedence import (
    COMPANY_SECONDS,
    PIECE_SECONDS,
    SHARE,
    SHORT_SECONDS,
    Precedence,
)

SLACK_SECONDS: Final = 5.0
"""How late anything may be on a busy machine."""
MANY: Final = 8


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` gives them."""
        return self.now


async def come_as_far_as_they_can() -> None:
    """Let tasks run that need not wait."""
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Short requests of some callers, which go on until they are told to end."""

    def __init__(self, precedence: Precedence) -> None:
        self.precedence = precedence
        self.begun: list[str] = []
        self.until = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, caller: str) -> asyncio.Task[None]:
        """One more request."""
        task = asyncio.create_task(self._work(caller))
        self.tasks.append(task)
        return task

    async def end(self) -> None:
        """All of them end."""
        self.until.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await come_as_far_as_they_can()
        assert len(self.precedence) == 0

    async def _work(self, caller: str) -> None:
        async with self.precedence.short(caller):
            self.begun.append(caller)
            await self.until.wait()


async def test_a_lone_caller_has_all_of_a_process() -> None:
    """Where nobody else asked for a second, everything is worked at together."""
    clock = Clock()
    work = Work(Precedence(clock=clock))
    work.ask("a")
    await come_as_far_as_they_can()
    clock.now += COMPANY_SECONDS
    for _ in range(MANY):
        work.ask("a")
    await come_as_far_as_they_can()
    assert work.begun == ["a"] * (MANY + 1)
    await work.end()


async def test_beside_others_a_caller_has_a_share() -> None:
    """Two of theirs are worked at, and the next when one has ended; another caller begins at once."""
    work = Work(Precedence(clock=Clock()))
    work.ask("b")
    await come_as_far_as_they_can()
    for _ in range(MANY):
        work.ask("a")
    await come_as_far_as_they_can()
    assert work.begun == ["b"] + ["a"] * SHARE
    work.ask("c")
    await come_as_far_as_they_can()
    assert work.begun[-1] == "c"
    work.tasks[1].cancel()
    await come_as_far_as_they_can()
    assert work.begun.count("a") == SHARE + 1
    await work.end()


async def test_what_hangs_holds_nobody_up() -> None:
    """A request waits for its caller's others for a moment, and then goes on whatever they do."""
    work = Work(Precedence())
    work.ask("b")
    for _ in range(SHARE):
        work.ask("a")
    await come_as_far_as_they_can()
    began = time.monotonic()
    work.ask("a")
    async with asyncio.timeout(SLACK_SECONDS):
        while work.begun.count("a") <= SHARE:  # noqa: ASYNC110 - nothing tells when it begins
            await asyncio.sleep(0.005)
    assert time.monotonic() - began >= SHORT_SECONDS - 0.01
    await work.end()


async def test_a_transfer_gives_way_and_goes_on() -> None:
    """It waits while a short request is worked at, goes on when none is, and in a moment in any case."""
    precedence = Precedence()
    await precedence.give_way()
    work = Work(precedence)
    work.ask("a")
    await come_as_far_as_they_can()
    began = time.monotonic()
    await precedence.give_way()
    assert PIECE_SECONDS - 0.01 <= time.monotonic() - began < SLACK_SECONDS
    pieces = [asyncio.create_task(precedence.give_way()) for _ in range(MANY)]
    await come_as_far_as_they_can()
    assert not any(piece.done() for piece in pieces)
    await work.end()
    assert all(piece.done() for piece in pieces)


async def test_between_two_steps_of_a_request_no_piece_goes_on() -> None:
    """What follows at once comes before what waits."""
    precedence = Precedence()
    async with precedence.short("a"):
        piece = asyncio.create_task(precedence.give_way())
        await come_as_far_as_they_can()
    async with precedence.short("a"):
        await come_as_far_as_they_can()
        assert not piece.done()
    await come_as_far_as_they_can()
    assert piece.done()


async def test_nothing_is_left_whatever_is_cancelled(chance: random.Random) -> None:
    """Requests and pieces of many callers, broken off at any moment: in the end nothing is counted."""
    precedence = Precedence()

    async def work(caller: str, seconds: float) -> None:
        async with precedence.short(caller):
            await asyncio.sleep(seconds)

    tasks: list[asyncio.Task[None]] = []
    for _ in range(2000):
        acting = (
            precedence.give_way()
            if chance.random() < 0.3
            else work(chance.choice("aaaaaabc"), chance.uniform(0, 0.003))
        )
        tasks.append(asyncio.create_task(acting))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        if chance.random() < 0.4:
            await asyncio.sleep(chance.uniform(0, 0.001))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), asyncio.CancelledError}
    assert len(precedence) == 0
    began = time.monotonic()
    await precedence.give_way()
    assert time.monotonic() - began < PIECE_SECONDS
