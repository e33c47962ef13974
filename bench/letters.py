"""Letters accepted for good, from several senders at once: sealed, signed, verified, durable."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator

from bench.rows import Row
from bench.service import service
from relay.client.connection import Problem
from relay.demo.cast import Case, open_case

AT_ONCE = (1, 8, 32)
LETTERS = {1: 150, 8: 600, 32: 1500}
CASES = 8
TEXT = "I have carried that night for eleven years. " * 20
BAR_PER_SECOND = 150.0


async def rows() -> AsyncIterator[Row]:
    """A row for each number of senders at once; only 32 at once has a bar."""
    async with service() as (_running, people):
        cases = [await open_case(people) for _ in range(CASES)]
        await send(cases, 8, 100)
        for at_once in AT_ONCE:
            for row in await _measure(cases, at_once):
                yield row


async def _measure(cases: list[Case], at_once: int) -> list[Row]:
    began = time.perf_counter()
    latencies, failures = await send(cases, at_once, LETTERS[at_once])
    per_second = len(latencies) / (time.perf_counter() - began)
    middle = statistics.median(latencies) * 1000
    slow = statistics.quantiles(latencies, n=100)[98] * 1000
    described = f"letters, {at_once} at once (p50 {middle:.0f} ms, p99 {slow:.0f} ms)"
    found = [
        Row(
            name=described,
            value=per_second,
            unit="letters/s",
            peer=f"{BAR_PER_SECOND:.0f} letters/s" if at_once == max(AT_ONCE) else "no bar",
            ratio=per_second / BAR_PER_SECOND,
            bar=1.0 if at_once == max(AT_ONCE) else 0.0,
            better="higher",
        )
    ]
    found.append(
        Row(
            name=f"letters, {at_once} at once: failures",
            value=failures,
            unit="letters",
            peer="none",
            ratio=float(failures),
            bar=0.0,
            better="lower",
        )
    )
    return found


async def send(cases: list[Case], at_once: int, letters: int) -> tuple[list[float], int]:
    """Send so many letters by so many senders; the seconds each took, and how many were refused."""
    latencies: list[float] = []
    failures = 0
    left = iter(range(letters))

    async def sender(case: Case) -> None:
        nonlocal failures
        for _ in left:
            began = time.perf_counter()
            try:
                await case.harmed.send_letter(case.responsible.participant_id, TEXT)
            except (Problem, OSError):
                failures += 1
            else:
                latencies.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(at_once):
            group.create_task(sender(cases[number % len(cases)]))
    return latencies, failures
