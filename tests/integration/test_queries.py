"""Every named query, prepared against the live schema."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

import relay.storage
from relay.storage.queries import all_rooms, named_queries

QUERIES = [(room, name) for room in all_rooms() for name in named_queries(room)]


async def test_every_query_fits_the_schema(database_url: str) -> None:
    """PostgreSQL finds every table, column and type that a query names."""
    connection = await asyncpg.connect(database_url)
    broken = []
    try:
        for room, name in QUERIES:
            try:
                await connection.prepare(named_queries(room)[name])
            except asyncpg.PostgresError as error:
                broken.append(f"{room}.{name}: {error}")
    finally:
        await connection.close()

    assert broken == []
    assert len(QUERIES) > 100


@pytest.mark.parametrize("room", all_rooms())
def test_every_query_is_used(room: str) -> None:
    """The module of the same name asks for each query of a file: none is left over."""
    folder = Path(relay.storage.__path__[0])
    modules = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    unused = [name for name in named_queries(room) if f'"{name}"]' not in modules]

    assert unused == []
