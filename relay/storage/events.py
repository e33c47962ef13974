"""The append-only log of a case."""

from __future__ import annotations

import uuid
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
    """Write one row of the log; it is part of the transaction, and notifies those who watch."""
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
