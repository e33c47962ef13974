"""The append-only log of a case."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import msgspec

from relay.storage.database import Connection, many
from relay.storage.queries import named_queries

_SQL = named_queries("events")


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log as it stands in the database."""

    seq: int
    at: datetime
    kind: str
    message_id: uuid.UUID | None
    actor: str
    statement_hash: bytes | None
    prev: bytes
    hash: bytes


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A row that came to the log of some case, and whose case it is."""

    event_id: int
    case_id: uuid.UUID
    message_id: uuid.UUID | None
    mediators: list[uuid.UUID]
    former_charter: str | None
    """Of a row that says that a charter was filed, the one before: its mediators may be others."""


class NewEvents(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the log found, and which transactions it could not see the end of."""

    events: list[NewEvent]
    undecided: int
    """The oldest transaction that was under way."""
    unbegun: int
    """The first that had not begun."""


class CaseHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of a case ends."""

    case_id: uuid.UUID
    event_seq: int
    event_hash: bytes


async def append_event(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    kind: str,
    actor: str,
    message_id: uuid.UUID | None = None,
    statement_hash: bytes | None = None,
) -> None:
    """Write one row of the log; it is part of the transaction, and whoever follows the log finds it."""
    await connection.execute(_SQL["append_event"], case_id, kind, message_id, actor, statement_hash)


async def list_events(
    connection: Connection, case_id: uuid.UUID, *, after: int, limit: int
) -> list[StoredEvent]:
    """The log of a case after a sequence number, oldest first."""
    rows = await connection.fetch(_SQL["list_events"], case_id, after, limit)
    return many(rows, StoredEvent)


async def find_head(connection: Connection, case_id: uuid.UUID) -> CaseHead:
    """The head of the log of a case that there is."""
    return msgspec.convert(await connection.fetchrow(_SQL["find_head"], case_id), CaseHead)


async def list_heads(connection: Connection, *, after: uuid.UUID, limit: int) -> list[CaseHead]:
    """Cases in the order of their identifiers, with the heads of their logs."""
    return many(await connection.fetch(_SQL["list_cases_with_events"], after, limit), CaseHead)


async def latest_events(connection: Connection, limit: int) -> list[int]:
    """The identifiers of the newest rows of all cases, the newest first."""
    rows = await connection.fetch(_SQL["latest_events"], limit)
    return [row["event_id"] for row in rows]


async def follow_events(
    connection: Connection, *, after: int, known: Collection[int], limit: int
) -> NewEvents:
    """What came to the log of all cases after a row, but for what is known; so many at most, in order."""
    rows = await connection.fetch(_SQL["follow_events"], after, list(known), limit)
    return NewEvents(
        events=many((row for row in rows if row["event_id"] is not None), NewEvent),
        undecided=rows[0]["undecided"],
        unbegun=rows[0]["unbegun"],
    )
