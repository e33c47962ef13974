"""Locks that save several processes from doing the same thing at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from relay.storage.database import Database
from relay.storage.queries import named_queries

_SQL = named_queries("locks")


@asynccontextmanager
async def lock_or_skip(database: Database, name: str) -> AsyncIterator[bool]:
    """Hold the lock of this name during the block if it is free; whether it was.

    It needs a connection of its own. A process that dies lets go of it.
    """
    async with database.connection() as connection:
        locked = bool(await connection.fetchval(_SQL["try_lock"], name))
        try:
            yield locked
        finally:
            if locked:
                await connection.execute(_SQL["unlock"], name)
