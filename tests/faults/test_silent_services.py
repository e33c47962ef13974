"""Connections that nobody ends or answers on, as a machine leaves them that is gone without a word."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.embedded import Access, Services
from relay.errors import Unavailable
from relay.queue import Listener, Queue
from relay.settings import Settings
from relay.storage.database import Database, connect
from tests.support.faults.wires import Place, Wire
from tests.support.service_users import redis_as
from tests.support.uploads import ESTABLISHED

SOON_SECONDS: Final = 20
PROBES: Final = "02"
"""The timer of a connection that is probed while nothing is sent."""


@pytest.fixture
async def to_redis(services: Services, redis_url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire before Redis, and the address of a worker's user on it."""
    parts = urlsplit(redis_as(Access.WORKER, redis_url, services))
    wire = Wire(Place(path=Path(parts.path)))
    await wire.start()
    database = parse_qs(parts.query).get("db", ["0"])[0]
    yield wire, f"redis://{parts.netloc.rpartition('@')[0]}@127.0.0.1:{wire.port}/{database}"
    await wire.close()


async def test_a_redis_that_says_nothing_keeps_nobody_waiting(to_redis: tuple[Wire, str]) -> None:
    """Whoever wakes a worker goes on in seconds, and the next one reaches it again."""
    wire, url = to_redis
    queue = await Queue.connect(url)
    assert await queue.wake(uuid.uuid4())
    wire.swallow()
    began = time.monotonic()
    async with asyncio.timeout(SOON_SECONDS):
        assert not await queue.wake(uuid.uuid4())
    assert time.monotonic() - began < SOON_SECONDS / 2
    assert await queue.wake(uuid.uuid4())
    await queue.close()


async def test_a_worker_whose_redis_fell_silent_hears_again(to_redis: tuple[Wire, str]) -> None:
    """On a new connection, without being started again."""
    wire, url = to_redis
    heard: set[uuid.UUID] = set()

    async def note(job_id: uuid.UUID) -> None:
        heard.add(job_id)

    async def until_heard(job_id: uuid.UUID) -> None:
        await queue.wake(job_id)
        async with asyncio.timeout(SOON_SECONDS):
            while job_id not in heard:  # noqa: ASYNC110 - another task hears
                await asyncio.sleep(0.05)

    queue = await Queue.connect(url)
    listening = asyncio.create_task(
        Listener(url, note, at_once=2, timeout_seconds=60, forget_seconds=2).run()
    )
    try:
        await until_heard(uuid.uuid4())
        wire.swallow()
        await queue.wake(uuid.uuid4())
        await until_heard(uuid.uuid4())
    finally:
        listening.cancel()
        await asyncio.wait({listening})
        await queue.close()


@pytest.fixture
async def to_postgres(settings: Settings) -> AsyncIterator[tuple[Wire, str]]:
    """A wire before Postgres, and the address of the web service on it."""
    parts = urlsplit(settings.database_url)
    wire = Wire(Place(path=Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432"))
    await wire.start()
    user = parts.netloc.rpartition("@")[0]
    yield wire, f"postgresql://{user}@127.0.0.1:{wire.port}{parts.path}"
    await wire.close()


def timers(port: int) -> list[str]:
    """Which timer runs for each connection to this port, as the kernel numbers them."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        line[5].partition(":")[0]
        for line in lines
        if int(line[2].rpartition(":")[2], 16) == port and line[3] == ESTABLISHED
    ]


async def test_a_postgres_that_is_gone_is_noticed(to_postgres: tuple[Wire, str]) -> None:
    """The kernel probes each connection of the pool, and the live feed's; the server is asked to, too."""
    wire, url = to_postgres
    database = await Database.connect(url, connections=1)
    alone = await connect(url)
    try:
        async with asyncio.timeout(SOON_SECONDS):
            while timers(wire.port) != [PROBES, PROBES]:  # noqa: ASYNC110 - of the kernel
                await asyncio.sleep(0.05)
        async with database.connection() as connection:
            for asked in (connection, alone):
                said = await asked.fetchval("select current_setting('tcp_user_timeout', true)")
                assert said is not None
    finally:
        await alone.close()
        await database.close()


async def test_who_hangs_in_a_transaction_keeps_nobody_out(settings: Settings) -> None:
    """Its transaction is ended by the server; it learns of that once it goes on, and nothing was done."""
    hanging = await Database.connect(settings.database_url, connections=1, idle_seconds=1)
    other = await Database.connect(settings.database_url, connections=1)
    lock = "select pg_advisory_xact_lock(1)"

    async def hang() -> None:
        async with hanging.transaction() as connection:
            await connection.execute(lock)
            async with asyncio.timeout(SOON_SECONDS), other.transaction() as waiting:
                await waiting.execute(lock)
            await connection.execute("select 1")

    try:
        with pytest.raises(Unavailable):
            await hang()
        async with hanging.transaction() as connection:
            await connection.execute("select 1")
    finally:
        await hanging.close()
        await other.close()
