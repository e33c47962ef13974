"""Every named query, prepared against the live schema."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

import relay.storage
from relay.storage.queries import named_queries, query_files

QUERIES = [(file, name) for file in query_files() for name in named_queries(file)]


async def test_every_query_fits_the_schema(database_url: str) -> None:
    """PostgreSQL finds every table, column and type that a query names."""
    connection = await asyncpg.connect(database_url)
    broken = []
    try:
        for file, name in QUERIES:
            try:
                await connection.prepare(named_queries(file)[name])
            except asyncpg.PostgresError as error:
                broken.append(f"{file}.{name}: {error}")
    finally:
        await connection.close()

    assert broken == []
    assert len(QUERIES) > 100


@pytest.mark.parametrize("file", query_files())
def test_every_query_is_used(file: str) -> None:
    """The module of the same name asks for each query of a file: none is left over."""
    folder = Path(relay.storage.__path__[0])
    modules = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    unused = [name for name in named_queries(file) if f'"{name}"]' not in modules]

    assert unused == []
