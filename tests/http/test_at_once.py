"""Whoever asks for more at once than one person may waits for themselves, and costs others nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import aiohttp
import asyncpg
import pytest

from relay.settings import Settings
from relay.testing.people import Case
from tests.support.requests import Answer, Caller, caller_of

pytestmark = pytest.mark.own_relay

AT_ONCE: Final = 4
WAITING: Final = 6
FEEDS: Final = 3
SOON_SECONDS: Final = 30
SLOW: Final = "/v1/unsent"
"""What hangs while its table is locked."""
FAST: Final = "/v1/messages"


@pytest.fixture
def relay_settings(relay_settings: Settings) -> Settings:
    """Few of each."""
    return dataclasses.replace(
        relay_settings,
        limit_requests_at_once=AT_ONCE,
        limit_requests_waiting=WAITING,
        limit_feeds=FEEDS,
        limit_wait_seconds=10 * SOON_SECONDS,
        limit_refusal_seconds=0,
        database_pool_connections=2 * AT_ONCE,
        database_wait_seconds=1,
    )


@contextlib.asynccontextmanager
async def hanging(database_url: str) -> AsyncIterator[None]:
    """Nobody reads what is unsent during the block."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("lock table unsent_texts in access exclusive mode")
            yield
    finally:
        await connection.close()


async def asked(caller: Caller, count: int) -> list[asyncio.Task[Answer]]:
    """So many requests of one caller that hang, and that relay has by now."""
    tasks = [asyncio.create_task(caller.ask("GET", SLOW)) for _ in range(count)]
    await asyncio.sleep(0.5)
    return tasks


async def test_a_caller_who_asks_for_too_much_is_refused_and_others_are_not(
    case: Case, database_url: str
) -> None:
    """So many are under way and so many wait; the next is told to come back, and nobody else notices."""
    greedy, other = caller_of(case.harmed), caller_of(case.responsible)
    await greedy.ask("GET", FAST)
    async with hanging(database_url):
        tasks = await asked(greedy, AT_ONCE + WAITING)
        assert not any(task.done() for task in tasks)
        async with asyncio.timeout(SOON_SECONDS):
            refused = await greedy.ask("GET", SLOW)
            also = await greedy.ask("GET", FAST)
            for caller in (other, caller_of(case.mediator)):
                path = FAST if caller is other else "/v1/queue"
                assert (await caller.ask("GET", path)).status == HTTPStatus.OK
    for answer in (refused, also):
        headers = {name.lower(): value for name, value in answer.headers}
        assert (answer.status, answer.code) == (429, "too-many-at-once")
        assert headers["ratelimit-policy"] == f'"requests-at-once";q={AT_ONCE}'
    assert {answer.status for answer in await asyncio.gather(*tasks)} == {HTTPStatus.OK}
    assert (await greedy.ask("GET", FAST)).status == HTTPStatus.OK


async def test_who_leaves_makes_room(case: Case, database_url: str) -> None:
    """A caller whose connections break has nothing under way any more."""
    greedy = caller_of(case.harmed)
    await greedy.ask("GET", FAST)
    async with hanging(database_url):
        for task in (tasks := await asked(greedy, AT_ONCE + WAITING)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(SOON_SECONDS):
            while (await greedy.ask("GET", FAST)).status != HTTPStatus.OK:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.05)


async def test_waiting_for_the_database_ends(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """Where callers hold every connection, another one is told to come back, and not kept."""
    everybody = [caller_of(one) for one in (case.harmed, case.responsible)]
    for caller in (*everybody, caller_of(case.mediator)):
        await caller.ask("GET", "/v1/profile")
        await caller.signed.bearer()
    async with hanging(database_url):
        tasks = [task for caller in everybody for task in await asked(caller, AT_ONCE)]
        async with asyncio.timeout(relay_settings.database_wait_seconds + SOON_SECONDS):
            refused = await caller_of(case.mediator).ask("GET", "/v1/queue")
        assert (refused.status, refused.code) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
        assert not any(task.done() for task in tasks)
    assert {answer.status for answer in await asyncio.gather(*tasks)} == {HTTPStatus.OK}


async def test_live_feeds_are_counted_apart(case: Case, relay_url: str) -> None:
    """Three at most for one person, by whatever session; one that ends makes room for another."""
    caller, other = caller_of(case.harmed), caller_of(case.responsible)
    async with aiohttp.ClientSession(relay_url) as http, contextlib.AsyncExitStack() as stack:

        async def feed(of: Caller) -> aiohttp.ClientResponse:
            headers = {"Authorization": f"Bearer {await of.signed.bearer()}"}
            answer = await http.get("/v1/messages/events", headers=headers)
            stack.callback(answer.close)
            if answer.status == HTTPStatus.OK:
                await answer.content.readuntil(b"\n\n")
            return answer

        opened = [await feed(caller) for _ in range(FEEDS)]
        refused = await feed(caller)
        assert (refused.status, (await refused.json(content_type=None))["code"]) == (
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-feeds",
        )
        assert (await feed(other)).status == HTTPStatus.OK
        assert (await caller.ask("GET", FAST)).status == HTTPStatus.OK
        opened[0].close()
        async with asyncio.timeout(SOON_SECONDS):
            while (await feed(caller)).status != HTTPStatus.OK:  # noqa: ASYNC110 - relay has to notice
                await asyncio.sleep(0.05)
