"""Statements, each as the exact text that was signed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from relay.crypto.statements import StatementT, Verified
from relay.storage.database import Connection, rows_of
from relay.storage.queries import named_queries

_SQL = named_queries("statements")


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a statement that arrives."""

    is_stored: bool
    counts: bool
    """Its time is one at which its signer's credential is valid; a key without a credential has no times."""


async def find_admission(
    connection: Connection, statement_hash: bytes, kid: str, at: datetime
) -> Admission:
    """Whether a statement was stored before, and whether `at` is a time of the key that signed it."""
    row = await connection.fetchrow(_SQL["find_admission"], statement_hash, kid, at)
    return msgspec.convert(row, Admission)


async def insert_statement(connection: Connection, statement: Verified[StatementT]) -> bool:
    """Store a statement; False for one that is stored already, which changes nothing."""
    status = await connection.execute(
        _SQL["insert_statement"],
        statement.hash,
        statement.said.typ,
        statement.kid,
        statement.compact,
    )
    return rows_of(status) > 0


async def find_statement(connection: Connection, statement_hash: bytes) -> str | None:
    """The text of a statement."""
    found: str | None = await connection.fetchval(_SQL["find_statement"], statement_hash)
    return found
