"""What an audit reads: the log of each case with its statements, and the tables that follow from it.

Nothing here writes, locks or needs more than the right to read. Rows come in small batches from the server.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import asyncpg
import msgspec

from relay.domain.messages import Audience
from relay.storage.database import Connection, many
from relay.storage.queries import named_queries

BATCH_ROWS: Final = 64
"""Of one query in memory at once: a statement may have 256 KiB."""

Row: TypeAlias = Mapping[str, object]

_SQL = named_queries("audit")

TABLES: Final[Mapping[str, str]] = {
    "cases": _SQL["cases"],
    "charters": _SQL["charters"],
    "case_mediators": _SQL["case_mediators"],
    "participants": _SQL["participants"],
    "links": _SQL["links"],
    "link_endings": _SQL["link_endings"],
    "claims": _SQL["claims"],
    "messages": _SQL["messages"],
    "revisions": _SQL["revisions"],
    "decisions": _SQL["decisions"],
    "captions": _SQL["captions"],
    "offers": _SQL["offers"],
    "responses": _SQL["responses"],
    "parts": _SQL["parts"],
}
"""The tables of a case whose rows follow from its log, and how each is read."""


class CaseHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of a case ends, as the case's row says and as its last row says."""

    case_id: uuid.UUID
    event_seq: int
    event_hash: bytes
    last_hash: bytes | None


class LoggedAct(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log, and the statement that it names as far as there is one."""

    seq: int
    at: datetime
    kind: str
    message_id: uuid.UUID | None
    actor: str
    statement_hash: bytes | None
    prev: bytes
    hash: bytes
    typ: str | None
    kid: str | None
    compact: str | None


class CredentialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as its row has it, with the texts behind it as far as they are there."""

    credential_id: uuid.UUID
    person_id: uuid.UUID
    role: str
    statement_hash: bytes
    kid: str
    signer: bytes
    recipient: str | None
    not_before: datetime
    not_after: datetime
    revocation_hash: bytes | None
    credential: str | None
    filed: str | None
    """As which type and by which key its text is filed, with a space between."""
    revocation: str | None
    revocation_filed: str | None


class SuccessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A succession of roots as its row has it, with the text behind it if it is there."""

    statement_hash: bytes
    old_root: bytes
    new_root: bytes
    compact: str | None
    filed: str | None
    """As which type and by which key it is filed, with a space between."""


class CharterTexts(msgspec.Struct, frozen=True, kw_only=True):
    """What the keys of a case rest on, as its log names it."""

    registration: str | None
    """The last one before the first charter."""
    charters: list[str]


class Unlogged(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that no log names."""

    statement_hash: bytes
    typ: str


class GrantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A grant, by the hash of its header, and the message of its part."""

    commitment: bytes
    audience: Audience
    audience_id: uuid.UUID
    header: bytes
    message_id: uuid.UUID


async def list_case_heads(
    connection: Connection, *, after: uuid.UUID, limit: int, only: uuid.UUID | None = None
) -> list[CaseHead]:
    """A page of all cases, in the order of their identifiers; of `only` this one."""
    return many(await connection.fetch(_SQL["list_case_heads"], after, limit, only), CaseHead)


async def list_log(connection: Connection, case_id: uuid.UUID) -> AsyncIterator[LoggedAct]:
    """The log of a case from its first row."""
    async for row in _stream(connection, _SQL["list_log"], case_id):
        yield msgspec.convert(row, LoggedAct)


async def list_charters(connection: Connection, case_id: uuid.UUID) -> CharterTexts:
    """The charters that the log of a case names, in its order, and the registration before them."""
    registration, charters = None, []
    for row in await connection.fetch(_SQL["list_charters"], case_id):
        if row["kind"] == "charter-filed":
            charters.append(row["compact"])
        elif not charters:
            registration = row["compact"]
    return CharterTexts(registration=registration, charters=charters)


async def list_successions(connection: Connection) -> list[SuccessionRecord]:
    """Every succession of roots."""
    return many(await connection.fetch(_SQL["list_successions"]), SuccessionRecord)


async def list_credentials(connection: Connection) -> AsyncIterator[CredentialRecord]:
    """Every credential of the organization."""
    async for row in _stream(connection, _SQL["list_credentials"]):
        yield msgspec.convert(row, CredentialRecord)


async def list_unlogged(connection: Connection) -> AsyncIterator[Unlogged]:
    """Every statement that no log and no credential names."""
    async for row in _stream(connection, _SQL["list_unlogged"]):
        yield msgspec.convert(row, Unlogged)


async def list_caseless(connection: Connection) -> list[uuid.UUID]:
    """Cases that have a log and nothing else."""
    return [row["case_id"] for row in await connection.fetch(_SQL["list_caseless"])]


async def list_table(connection: Connection, table: str, case_id: uuid.UUID) -> AsyncIterator[Row]:
    """The rows of one of TABLES that belong to a case."""
    async for row in _stream(connection, TABLES[table], case_id):
        yield dict(row)


async def list_grants(connection: Connection, case_id: uuid.UUID) -> AsyncIterator[GrantRecord]:
    """Every grant of a case."""
    async for row in _stream(connection, _SQL["grants"], case_id):
        yield msgspec.convert(row, GrantRecord)


async def _stream(
    connection: Connection, query: str, *arguments: object
) -> AsyncIterator[asyncpg.Record]:
    async for row in connection.cursor(query, *arguments, prefetch=BATCH_ROWS):
        yield row
