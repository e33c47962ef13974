"""What whoever runs relay is shown of the database: numbers of everything, without any identifier."""

from __future__ import annotations

import msgspec

from relay.storage.database import Connection, many
from relay.storage.queries import named_queries

_SQL = named_queries("monitoring")


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One number: the metric that it is of, what its label says, its value."""

    figure: str
    kind: str | None
    value: float


async def read_figures(connection: Connection) -> list[FigureRow]:
    """All of them, as the role of a worker may."""
    return many(await connection.fetch(_SQL["read_figures"]), FigureRow)


async def is_there(connection: Connection) -> bool:
    """Whether the database answers."""
    return bool(await connection.fetchval(_SQL["is_there"]))
