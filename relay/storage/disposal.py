"""Holds, and the disposal of cases: the destroying is a function of the schema."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.domain.cases import CaseHold, NewHold
from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries

_SQL = named_queries("disposal")


class DisposalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate says of a case; only a backup brings back one that is open."""

    charter_hash: bytes | None
    closed_at: datetime | None
    event_seq: int
    event_hash: bytes
    messages: int
    parts: int
    sealed_bytes: int


async def list_holds(connection: Connection, case_id: uuid.UUID) -> list[CaseHold]:
    """Every hold on a case, the oldest first."""
    return many(await connection.fetch(_SQL["list_holds"], case_id), CaseHold)


async def find_hold(
    connection: Connection, case_id: uuid.UUID, hold_id: uuid.UUID
) -> CaseHold | None:
    """One hold."""
    return one(await connection.fetchrow(_SQL["find_hold"], case_id, hold_id), CaseHold)


async def insert_hold(
    connection: Connection, case_id: uuid.UUID, hold_id: uuid.UUID, new: NewHold, *, placed_by: str
) -> None:
    """Place a hold."""
    await connection.execute(_SQL["insert_hold"], case_id, hold_id, new.name, new.reason, placed_by)


async def delete_hold(connection: Connection, case_id: uuid.UUID, hold_id: uuid.UUID) -> None:
    """Lift a hold."""
    await connection.execute(_SQL["delete_hold"], case_id, hold_id)


async def list_due(connection: Connection, most: int) -> list[uuid.UUID]:
    """Closed cases whose time has come and that nobody holds, the first to become due first."""
    return [row["case_id"] for row in await connection.fetch(_SQL["list_due"], most)]


async def lock_for_disposal(connection: Connection, case_id: uuid.UUID) -> DisposalFacts | None:
    """Lock all of a case; None where it may not be disposed of, or was."""
    return one(await connection.fetchrow(_SQL["lock_for_disposal"], case_id), DisposalFacts)


async def dispose(
    connection: Connection, case_id: uuid.UUID, *, kind: str, actor: str, statement_hash: bytes
) -> bool:
    """Destroy what a case held and log its certificate; False where it may not be disposed of, or was."""
    return bool(await connection.fetchval(_SQL["dispose"], case_id, kind, actor, statement_hash))


async def find_certificate(connection: Connection, case_id: uuid.UUID) -> str | None:
    """The certificate of a case that was disposed of."""
    found: str | None = await connection.fetchval(_SQL["find_certificate"], case_id)
    return found


async def list_unstored(connection: Connection, most: int) -> list[tuple[uuid.UUID, str]]:
    """Cases whose certificate is not in the bucket yet, with it."""
    rows = await connection.fetch(_SQL["list_unstored"], most)
    return [(row["case_id"], row["compact"]) for row in rows]


async def mark_stored(connection: Connection, case_id: uuid.UUID) -> None:
    """Say that the certificate of a case is in the bucket."""
    await connection.execute(_SQL["mark_stored"], case_id)
