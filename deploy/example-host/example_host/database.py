"""The database of the case system: a pool, and the schema of schema.sql."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

SCHEMA: Final = Path(__file__).with_name("schema.sql")
_LOCK: Final = 7_015_244_101
"""Any number: two processes that start at once make the schema one after the other."""


async def connect(url: str) -> Pool:
    """A pool of connections to the database, with its tables made where they are missing."""
    pool: Pool = await asyncpg.create_pool(url, min_size=1, max_size=8)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(SCHEMA.read_text("utf-8"))
    return pool
