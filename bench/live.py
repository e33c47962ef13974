"""What letters lose to those who watch other cases."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator

import aiohttp

from bench.letters import seal, send
from bench.rows import Row
from bench.service import service
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.testing.people import Case, open_case

WATCHERS = 400
WATCHED_CASES = 4
CASES, MANY_CASES = 8, 80
AT_ONCE = 32
LETTERS = 500
ROUNDS = 3
BAR = 0.9


async def rows() -> AsyncIterator[Row]:
    """Letters a second with 400 watchers of other cases over those without, in 8 cases and in 80."""
    async with service() as (_running, people):
        watched = [await open_case(people) for _ in range(WATCHED_CASES)]
        cases = [await open_case(people) for _ in range(CASES)]
        await send(seal(cases, LETTERS), AT_ONCE)
        yield await _measure(cases, watched)
        cases += [await open_case(people) for _ in range(MANY_CASES - CASES)]
        yield await _measure(cases, watched)


async def _measure(cases: list[Case], watched: list[Case]) -> Row:
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        alone.append(await _per_second(cases))
        async with _watching(watched):
            beside.append(await _per_second(cases))
    without, with_watchers = statistics.median(alone), statistics.median(beside)
    return Row(
        name=f"letters to {len(cases)} cases, {WATCHERS} watchers of others",
        value=with_watchers,
        unit="letters/s",
        peer=f"without watchers ({without:.1f} letters/s)",
        ratio=with_watchers / without,
        bar=BAR,
        better="higher",
    )


async def _per_second(cases: list[Case]) -> float:
    letters = seal(cases, LETTERS)
    began = time.perf_counter()
    await send(letters, AT_ONCE)
    return LETTERS / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def _watching(cases: list[Case]) -> AsyncIterator[None]:
    """So many open streams of everybody in these cases, whose bytes are read as they come."""
    people = [
        (person, path)
        for case in cases
        for person, path in (
            (case.harmed, "messages"),
            (case.responsible, "messages"),
            (case.mediator, "queue"),
            (case.colleague, "queue"),
        )
    ]
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        began = [asyncio.Event() for _ in range(WATCHERS)]
        watching = [
            asyncio.create_task(_watch(http, *people[number % len(people)], first))
            for number, first in enumerate(began)
        ]
        try:
            await asyncio.gather(*(first.wait() for first in began))
            yield
        finally:
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


async def _watch(
    http: aiohttp.ClientSession, person: Participant | Mediator, path: str, began: asyncio.Event
) -> None:
    signed = person.session
    headers = {"Authorization": f"Bearer {await signed.bearer()}"}
    url = f"{signed.connection.url}/v1/{path}/events"
    async with http.get(url, headers=headers) as stream:
        async for _ in stream.content.iter_any():
            began.set()
