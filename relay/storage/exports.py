r"""A case as it is written into a folder, row by row, and as it comes back from one.

Rows are the JSON that Postgres makes of them (bytes as `\x` and hexadecimal digits, times with their
offset), so that a new column goes with its table. Reading needs the right to read, and no more; writing
needs the owner of the tables, who alone can let a case begin in the middle.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from relay.domain.messages import Audience
from relay.storage.audit import LoggedAct
from relay.storage.database import Connection
from relay.storage.queries import named_queries

BATCH_ROWS: Final = 16
"""Of one query in memory at once: a row may have a megabyte."""

_SQL = named_queries("exports")

ROWS: Final[Mapping[str, str]] = {
    "credentials": _SQL["credentials"],
    "successions": _SQL["successions"],
    "cases": _SQL["cases"],
    "holds": _SQL["holds"],
    "participants": _SQL["participants"],
    "pairs": _SQL["pairs"],
    "charters": _SQL["charters"],
    "links": _SQL["links"],
    "link_endings": _SQL["link_endings"],
    "claims": _SQL["claims"],
    "messages": _SQL["messages"],
    "receipts": _SQL["receipts"],
    "revisions": _SQL["revisions"],
    "parts": _SQL["parts"],
    "grants": _SQL["grants"],
    "decisions": _SQL["decisions"],
    "captions": _SQL["captions"],
    "offers": _SQL["offers"],
    "responses": _SQL["responses"],
    "unsent_texts": _SQL["unsent_texts"],
    "case_mediators": _SQL["case_mediators"],
}
"""The tables that are written, in the order in which they can be read in, and how each is read."""

_INSERTS: Final[Mapping[str, str]] = {
    "credentials": _SQL["insert_credentials"],
    "successions": _SQL["insert_successions"],
    "cases": _SQL["insert_cases"],
    "holds": _SQL["insert_holds"],
    "participants": _SQL["insert_participants"],
    "pairs": _SQL["insert_pairs"],
    "charters": _SQL["insert_charters"],
    "links": _SQL["insert_links"],
    "link_endings": _SQL["insert_link_endings"],
    "claims": _SQL["insert_claims"],
    "messages": _SQL["insert_messages"],
    "receipts": _SQL["insert_receipts"],
    "revisions": _SQL["insert_revisions"],
    "parts": _SQL["insert_parts"],
    "grants": _SQL["insert_grants"],
    "decisions": _SQL["insert_decisions"],
    "captions": _SQL["insert_captions"],
    "offers": _SQL["insert_offers"],
    "responses": _SQL["insert_responses"],
    "unsent_texts": _SQL["insert_unsent_texts"],
    "case_mediators": _SQL["insert_case_mediators"],
}


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as it was signed, and when it came."""

    statement_hash: bytes
    typ: str
    kid: str
    compact: str
    received_at: datetime


class HeaderRow(msgspec.Struct, frozen=True, kw_only=True):
    """The header of a grant."""

    commitment: bytes
    audience: Audience
    audience_id: uuid.UUID
    header: bytes


class BodyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part, where its sealed body is, and the header for its case; None where there is none."""

    commitment: bytes
    segments: list[bytes]
    size_bytes: int
    object_prefix: str | None
    body: bytes | None
    header: bytes | None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What of a case cannot live on elsewhere, and how much of it there is."""

    sessions: int
    """People sign in again."""
    uploads: int
    """Videos of which not all has arrived: they are sent again."""
    jobs: int
    """Videos that are being prepared: that begins again."""


async def list_rows(connection: Connection, table: str, case_id: uuid.UUID) -> AsyncIterator[str]:
    """The rows of one of ROWS that belong to a case, each as JSON."""
    arguments = () if table == "successions" else (case_id,)
    async for row in connection.cursor(ROWS[table], *arguments, prefetch=BATCH_ROWS):
        yield row[0]


async def list_statements(
    connection: Connection, case_id: uuid.UUID, credentials: Sequence[uuid.UUID]
) -> AsyncIterator[StatementRow]:
    """Everything that was signed of a case, and of these credentials."""
    query = _SQL["list_statements"]
    async for row in connection.cursor(query, case_id, credentials, prefetch=BATCH_ROWS):
        yield msgspec.convert(dict(row), StatementRow)


async def list_headers(connection: Connection, case_id: uuid.UUID) -> AsyncIterator[HeaderRow]:
    """The header of every grant of a case."""
    async for row in connection.cursor(_SQL["list_headers"], case_id, prefetch=BATCH_ROWS):
        yield msgspec.convert(dict(row), HeaderRow)


async def list_bodies(connection: Connection, case_id: uuid.UUID) -> AsyncIterator[BodyRow]:
    """Every part of a case, the short ones with their bodies."""
    async for row in connection.cursor(_SQL["list_bodies"], case_id, prefetch=BATCH_ROWS):
        yield msgspec.convert(dict(row), BodyRow)


async def count_left_out(connection: Connection, case_id: uuid.UUID) -> LeftOut:
    """What is not written."""
    return msgspec.convert(await connection.fetchrow(_SQL["count_left_out"], case_id), LeftOut)


async def list_taken(connection: Connection, case_id: uuid.UUID, reference: str) -> list[str]:
    """Whether there is such a `case`, and one with such a `reference`."""
    return [row["what"] for row in await connection.fetch(_SQL["list_taken"], case_id, reference)]


async def is_owner(connection: Connection) -> bool:
    """Whether whoever asks owns the tables."""
    return bool(await connection.fetchval(_SQL["is_owner"]))


async def begin_import(connection: Connection) -> None:
    """Let a case begin in the middle, until `end_import` in the same transaction."""
    await connection.execute(_SQL["wait_shortly"])
    await connection.execute(_SQL["guard_imports"], False)  # noqa: FBT003 - the parameter of a query


async def end_import(connection: Connection, case_id: uuid.UUID) -> None:
    """Have everything begin at its beginning again; what follows from the rows follows."""
    await connection.execute(_SQL["count_messages"], case_id)
    await connection.execute(_SQL["insert_jobs"], case_id)
    await connection.execute(_SQL["guard_imports"], True)  # noqa: FBT003 - the parameter of a query


async def insert_row(connection: Connection, table: str, row: str) -> None:
    """Write a row of one of ROWS, which is JSON."""
    await connection.execute(_INSERTS[table], row)


async def insert_statement(connection: Connection, row: StatementRow) -> None:
    """Write a statement, unless it is there."""
    await connection.execute(
        _SQL["insert_statement"],
        row.statement_hash,
        row.typ,
        row.kid,
        row.compact,
        row.received_at,
    )


async def insert_event(connection: Connection, case_id: uuid.UUID, row: LoggedAct) -> None:
    """Write a row of the log as it is; nobody is told of it again."""
    await connection.execute(
        _SQL["insert_event"],
        case_id,
        row.seq,
        row.at,
        row.kind,
        row.message_id,
        row.actor,
        row.statement_hash,
        row.prev,
        row.hash,
    )
