"""What an error of the database is to a caller: something to come again for, or a mistake of relay's."""

from __future__ import annotations

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
