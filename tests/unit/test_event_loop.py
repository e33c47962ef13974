"""What is told of an event loop that was blocked: by relay, and not by the machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from relay.services.event_loop import LOOK_SECONDS, Blocks, LoopWatch, scheduling

BLOCK_SECONDS = 0.3


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[LoopWatch]:
    """A watch of the loop of this test, that looks."""
    watch = LoopWatch()
    looking = asyncio.create_task(watch.run())
    await asyncio.sleep(2 * LOOK_SECONDS)
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def work(seconds: float) -> None:
    """Keep the processor."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def busy(processor: int) -> subprocess.Popen[bytes]:
    """A process that does not stop working, on one processor."""
    program = f"import os\nos.sched_setaffinity(0, [{processor}])\nwhile True: pass"
    return subprocess.Popen([sys.executable, "-c", program])


@pytest.mark.parametrize("block", [work, time.sleep], ids=["work", "a call that waits"])
async def test_a_block_is_told_and_logged(
    block: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What keeps the loop, at work or waiting, is told with its length, and is in the log."""
    with caplog.at_level(logging.WARNING):
        async with watched() as watch:
            block(BLOCK_SECONDS)
            await asyncio.sleep(2 * LOOK_SECONDS)
            assert BLOCK_SECONDS - LOOK_SECONDS <= watch.longest_block() < 2 * BLOCK_SECONDS
    assert [line for line in caplog.messages if "the event loop was blocked" in line]


async def test_a_loop_that_gives_way_is_not_blocked() -> None:
    """Much work in small pieces is no block."""
    async with watched() as watch:
        for _ in range(60):
            work(0.005)
            await asyncio.sleep(0)
        assert watch.longest_block() < BLOCK_SECONDS / 3


async def test_what_the_machine_gives_to_others_is_no_block() -> None:
    """A loop that other processes kept from the processor was not blocked by relay."""
    # Threads of one processor take turns; this one is ready all the while that another one works.
    before = os.sched_getaffinity(0)
    [processor, *_] = sorted(before)
    others = [busy(processor) for _ in range(3)]
    os.sched_setaffinity(0, {processor})
    try:
        with scheduling() as scheduled:
            waited = scheduled().waited
            async with watched() as watch:
                for _ in range(10):
                    await asyncio.sleep(LOOK_SECONDS)
                    work(0.004)
                waited = scheduled().waited - waited
                longest = watch.longest_block()
    finally:
        os.sched_setaffinity(0, before)
        for other in others:
            other.kill()
            other.wait()
    assert waited > 0.01
    assert longest < BLOCK_SECONDS / 3


def test_the_longest_of_a_minute_is_remembered(chance: random.Random) -> None:
    """What is told is the longest that ended within the last minute, whenever somebody asks."""
    blocks, noted, now = Blocks(seconds=60), [(0.0, 0.0)], 0.0
    for _ in range(500):
        now += chance.expovariate(1 / 3)
        length = chance.choice([0.0, chance.random(), chance.random() * 5])
        blocks.note(now, length)
        noted.append((now, length))
        asked = now + chance.random() * 5
        assert blocks.longest(asked) == max(
            (length for at, length in noted if at >= asked - 60), default=0.0
        )
        now = asked
    assert blocks.longest(now + 61) == 0.0


def test_where_linux_says_nothing_all_of_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc, lateness counts as a block."""

    def closed(*_arguments: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", closed)
    with scheduling() as scheduled:
        assert scheduled().waited == 0.0


def test_every_thread_is_asked_about_itself() -> None:
    """What a thread is told is about itself alone."""
    found: list[float] = []

    def look() -> None:
        with scheduling() as scheduled:
            found.append(scheduled().worked)

    with scheduling() as scheduled:
        work(0.05)
        here = scheduled().worked
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found[0] < here
