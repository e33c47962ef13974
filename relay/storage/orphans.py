"""Objects to remove from the bucket: noted in the transaction that orphans them, removed by the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from relay.storage.database import Connection
from relay.storage.queries import named_queries

_SQL = named_queries("orphans")


async def note_orphans(connection: Connection, prefixes: Sequence[str]) -> None:
    """Have every object under these prefixes removed."""
    await connection.execute(_SQL["note_orphans"], prefixes)


async def list_orphans(connection: Connection, noted_before: datetime, most: int) -> list[str]:
    """At most `most` prefixes noted before then, the oldest first."""
    rows = await connection.fetch(_SQL["list_orphans"], noted_before, most)
    return [row["object_prefix"] for row in rows]


async def list_unreferenced(connection: Connection, prefixes: Sequence[str]) -> list[str]:
    """Those of these prefixes that no part and no upload has, and that nobody noted."""
    rows = await connection.fetch(_SQL["list_unreferenced"], prefixes)
    return [row["object_prefix"] for row in rows]


async def forget_orphans(connection: Connection, prefixes: Sequence[str]) -> None:
    """Say that nothing is left under these prefixes."""
    await connection.execute(_SQL["forget_orphans"], prefixes)
