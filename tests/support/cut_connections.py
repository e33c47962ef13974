"""Ends connections to the database while they are in use, as a restart of PostgreSQL does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg

from relay.storage.database import Connection
from tests.support.relays import LoopThread

CUT: Final = """
    select pid, pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'relay'
"""


class Cutter:
    """Ends all connections of the pools that are opened under it, before a statement of theirs."""

    def __init__(self, database_url: str) -> None:
        self._thread = LoopThread()
        self._administrator: Connection = self._thread.run(asyncpg.connect(database_url))
        self._left: int | None = None
        self.has_cut = False
        """Whether there were more statements than `after` let through."""

    def close(self) -> None:
        """Cut nothing any more."""
        self._thread.run(self._administrator.close())
        self._thread.close()

    def after(self, statements: int) -> None:
        """Let so many more statements through, and cut before the next one; once."""
        self._left, self.has_cut = statements, False

    def rest(self) -> None:
        """Cut nothing until asked to again."""
        self._left = None

    def see(self) -> None:
        """One more statement is about to be sent."""
        if self._left == 0:
            self.has_cut = True
            # Nothing else runs in this process until every session of relay but the live feed's is gone.
            self._thread.run(self._cut())
        self._left = None if not self._left else self._left - 1

    async def _cut(self) -> None:
        """Terminate them, and wait until their processes are gone, as far as they are on this machine."""
        cut = [Path("/proc") / str(pid) for (pid, _is_told) in await self._administrator.fetch(CUT)]
        async with asyncio.timeout(5):
            while any(process.exists() for process in cut):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.002)


@contextlib.contextmanager
def cutting(database_url: str) -> Iterator[Cutter]:
    """Have the statements of every pool that is opened meanwhile counted; `database_url`: for a superuser."""
    cutter = Cutter(database_url)
    opened = asyncpg.create_pool

    class Watched(asyncpg.Connection):
        """Says of each statement that it is about to be sent."""

        async def execute(self, *args: Any, **named: Any) -> Any:
            cutter.see()
            return await super().execute(*args, **named)

        async def executemany(self, *args: Any, **named: Any) -> Any:
            cutter.see()
            return await super().executemany(*args, **named)

        async def fetch(self, *args: Any, **named: Any) -> Any:
            cutter.see()
            return await super().fetch(*args, **named)

        async def fetchval(self, *args: Any, **named: Any) -> Any:
            cutter.see()
            return await super().fetchval(*args, **named)

        async def fetchrow(self, *args: Any, **named: Any) -> Any:
            cutter.see()
            return await super().fetchrow(*args, **named)

    def open_pool(*args: Any, **named: Any) -> Any:
        return opened(*args, **named, connection_class=Watched)

    asyncpg.create_pool = open_pool
    try:
        yield cutter
    finally:
        asyncpg.create_pool = opened
        cutter.close()
