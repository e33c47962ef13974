"""Whoever was refused lately is refused before anything is looked up, and let in as soon as there is room."""

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
from tests.support.requests import Caller, caller_of

pytestmark = pytest.mark.own_relay

FEEDS: Final = 2
SOON_SECONDS: Final = 30
FEED: Final = "/v1/messages/events"


@pytest.fixture
def relay_settings(relay_settings: Settings) -> Settings:
    """Few feeds; refusals come at once."""
    return dataclasses.replace(
        relay_settings,
        limit_feeds=FEEDS,
        limit_refusal_seconds=0,
        database_wait_seconds=4 * SOON_SECONDS,
    )


@contextlib.asynccontextmanager
async def nobody_is_looked_up(database_url: str) -> AsyncIterator[None]:
    """Whoever asks the database whose a session is waits for the end of the block."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("lock table sessions in access exclusive mode")
            yield
    finally:
        await connection.close()


class Feeds:
    """Live feeds that are open."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.opened: list[aiohttp.ClientResponse] = []

    async def open(self, bearer: str) -> int:
        """One more of this session; the status of the answer."""
        headers = {"Authorization": f"Bearer {bearer}"}
        answer = await self._http.get(FEED, headers=headers)
        if answer.status == HTTPStatus.OK:
            self.opened.append(answer)
            await answer.content.readuntil(b"\n\n")
        else:
            answer.close()
        return answer.status

    def close(self) -> None:
        """All of them."""
        for answer in self.opened:
            answer.close()
        self.opened.clear()

    async def until(self, bearer: str, status: int) -> None:
        """Ask again until the answer has this status; it is refused with 429 before."""
        async with asyncio.timeout(SOON_SECONDS):
            while (told := await self.open(bearer)) != status:
                assert told == HTTPStatus.TOO_MANY_REQUESTS
                await asyncio.sleep(0.05)


@pytest.fixture
async def feeds(relay_url: str) -> AsyncIterator[Feeds]:
    """Of this relay."""
    async with aiohttp.ClientSession(relay_url) as http:
        opened = Feeds(http)
        yield opened
        opened.close()


async def filled(feeds: Feeds, caller: Caller) -> str:
    """The bearer of a session that has as many feeds as one person may, and was refused one more."""
    bearer = await caller.signed.bearer()
    told = [await feeds.open(bearer) for _ in range(FEEDS + 1)]
    assert told == [HTTPStatus.OK] * FEEDS + [HTTPStatus.TOO_MANY_REQUESTS]
    return bearer


async def test_who_was_refused_is_refused_without_a_look_up(
    case: Case, feeds: Feeds, database_url: str
) -> None:
    """Again and again, while others wait for theirs; and is let in as soon as there is room."""
    bearer = await filled(feeds, caller_of(case.harmed))
    other = await caller_of(case.responsible).signed.bearer()
    async with nobody_is_looked_up(database_url):
        waiting = asyncio.create_task(feeds.open(other))
        async with asyncio.timeout(SOON_SECONDS):
            for _ in range(10):
                assert await feeds.open(bearer) == HTTPStatus.TOO_MANY_REQUESTS
        assert not waiting.done()
    assert await waiting == HTTPStatus.OK
    feeds.close()
    await feeds.until(bearer, HTTPStatus.OK)


async def test_other_work_of_who_is_refused_goes_on(case: Case, feeds: Feeds) -> None:
    """Who has too many feeds open reads their letters, by the same session."""
    caller = caller_of(case.harmed)
    await filled(feeds, caller)
    assert (await caller.ask("GET", "/v1/messages")).status == HTTPStatus.OK


async def test_a_session_that_has_ended_opens_nothing(case: Case, feeds: Feeds) -> None:
    """It may be refused for its limit a little longer, and is never let in by what is remembered of it."""
    caller = caller_of(case.harmed)
    bearer = await filled(feeds, caller)
    ended = await caller.ask("DELETE", "/v1/sessions/current")
    assert ended.status == HTTPStatus.NO_CONTENT
    assert await feeds.open(bearer) in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED}
    feeds.close()
    await feeds.until(bearer, HTTPStatus.UNAUTHORIZED)
