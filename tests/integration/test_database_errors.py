"""What an error of the database is to a caller: something to come again for, or a mistake of relay's."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from relay.errors import Unavailable
from relay.settings import Settings
from relay.storage.database import Database

PASSING = {
    "disk full": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "input or output failed": "58030",
    "a copy that only reads": "25006",
    "shut down by an administrator": "57P01",
    "starting up": "57P03",
}
MISTAKES = {"division by zero": "22012", "undefined column": "42703", "deadlock": "40P01"}


async def fail(settings: Settings, state: str) -> None:
    """Have a statement of relay's end with an error of this class."""
    database = await Database.connect(settings.database_url, connections=1)
    try:
        async with database.transaction() as connection:
            await connection.execute(
                f"do $$ begin raise exception 'of a test' using errcode = '{state}'; end $$"
            )
    finally:
        await database.close()


@pytest.mark.parametrize("what", PASSING)
async def test_what_passes_by_itself_is_to_be_tried_again(settings: Settings, what: str) -> None:
    """503 for whoever asked, with a time to come again."""
    with pytest.raises(Unavailable):
        await fail(settings, PASSING[what])


@pytest.mark.parametrize("what", MISTAKES)
async def test_a_mistake_is_not_hidden(settings: Settings, what: str) -> None:
    """It ends up in the log with its place, and is answered 500."""
    with pytest.raises(asyncpg.PostgresError):
        await fail(settings, MISTAKES[what])


async def test_a_transaction_whose_end_nobody_waits_for_is_ended_by_its_connection(
    settings: Settings,
) -> None:
    """Who is told to stop twice leaves no transaction open, and no error in the log."""
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: said.append(context["message"]))
    database = await Database.connect(settings.database_url, connections=1)
    try:
        working = asyncio.Event()

        async def work() -> None:
            async with database.transaction() as connection:
                await connection.execute("select pg_advisory_xact_lock(1)")
                working.set()
                await connection.execute("select pg_sleep(60)")

        task = asyncio.create_task(work())
        await working.wait()
        await asyncio.sleep(0.1)
        for _ in range(
            2
        ):  # the second one comes before the statement has ended, and the rollback begun
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([task])
        async with database.connection() as connection:
            await connection.execute("select pg_advisory_lock(1)")
            assert database.pool.size == 1
    finally:
        await database.close()
        loop.set_exception_handler(None)
    assert task.cancelled()
    assert said == []
