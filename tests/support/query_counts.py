"""Counts what is asked of a database, by whichever connection of this process."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from unittest.mock import patch

import asyncpg
from asyncpg.connection import LoggedQuery

from relay.storage.database import Connection


class Queries:
    """The queries of every connection that is opened while this listens."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, logged: LoggedQuery) -> None:
        """Note one; what a transaction begins and ends with is among them."""
        self.asked.append(logged.query)


@contextlib.contextmanager
def counted() -> Iterator[Queries]:
    """Have every pool that is opened meanwhile tell of its queries."""
    queries = Queries()

    async def listen(connection: Connection) -> None:
        connection.add_query_logger(queries)

    with patch.object(asyncpg, "create_pool", functools.partial(asyncpg.create_pool, init=listen)):
        yield queries
