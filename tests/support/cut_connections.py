"""Ends connections to the database while they are in use, as a restart of PostgreSQL does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar
from unittest.mock import patch

import asyncpg

from relay.storage.database import Connection, Probed
from tests.support.relays import LoopThread

_Parameters = ParamSpec("_Parameters")
_Value = TypeVar("_Value")

STATEMENTS: Final = ("execute", "executemany", "fetch", "fetchval", "fetchrow")
"""How a connection sends one."""
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
    watched = type(
        "Watched",
        (Probed,),
        {name: _seen(cutter, getattr(Probed, name)) for name in STATEMENTS},
    )

    def pool(*arguments: Any, **named: Any) -> asyncpg.Pool[asyncpg.Record]:
        return create_pool(*arguments, **{**named, "connection_class": watched})

    create_pool = asyncpg.create_pool
    try:
        with patch.object(asyncpg, "create_pool", pool):
            yield cutter
    finally:
        cutter.close()


def _seen(
    cutter: Cutter, method: Callable[_Parameters, Awaitable[_Value]]
) -> Callable[_Parameters, Awaitable[_Value]]:
    """A way to send a statement, which first says that one is about to be sent."""

    async def send(*args: _Parameters.args, **named: _Parameters.kwargs) -> _Value:
        cutter.see()
        return await method(*args, **named)

    return send
