"""Bringing a database up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from relay.errors import ConfigurationError
from relay.storage.database import Connection, is_migrated, migrate, migrations


@pytest_asyncio.fixture
async def connection(empty_database_url: str) -> AsyncIterator[Connection]:
    """A connection to a database without any table."""
    opened = await asyncpg.connect(empty_database_url)
    yield opened
    await opened.close()


async def test_an_empty_database_is_brought_up_to_date_once(
    empty_database_url: str, connection: Connection
) -> None:
    """Every migration is applied in order, and a second run has nothing to do."""
    assert not await is_migrated(connection)

    assert await migrate(empty_database_url) == [name for _version, name, _text in migrations()]
    assert await migrate(empty_database_url) == []

    assert await is_migrated(connection)


async def test_two_starts_at_once_migrate_once(empty_database_url: str) -> None:
    """Several processes that start together wait for the one that migrates."""
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))

    assert sorted(len(names) for names in applied) == [0, 0, 0, len(migrations())]


async def test_a_migration_that_changed_since_is_refused(
    empty_database_url: str, connection: Connection
) -> None:
    """A database whose migration is not the one of this release is not touched."""
    await migrate(empty_database_url)
    await connection.execute("update migrations set digest = $1 where version = 1", bytes(32))

    with pytest.raises(ConfigurationError, match="migration-changed"):
        await migrate(empty_database_url)


async def test_a_database_that_is_behind_says_so(
    empty_database_url: str, connection: Connection
) -> None:
    """With its last migration missing a database is not taken for ready."""
    await migrate(empty_database_url)
    last = migrations()[-1][0]
    await connection.execute("delete from migrations where version = $1", last)

    assert not await is_migrated(connection)


async def test_a_database_of_the_next_release_is_ready_for_this_one(
    empty_database_url: str, connection: Connection
) -> None:
    """The processes of this release go on while the next one is brought up beside them."""
    await migrate(empty_database_url)
    await connection.execute(
        "insert into migrations (version, name, digest) values ($1, 'next.sql', $2)",
        migrations()[-1][0] + 1,
        bytes(32),
    )

    assert await is_migrated(connection)
    assert await migrate(empty_database_url) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    """The numbers count from 1, so that two branches cannot add the same one unseen."""
    assert [version for version, _name, _text in migrations()] == list(
        range(1, len(migrations()) + 1)
    )
