"""Statements put where no service would have put them."""

from __future__ import annotations

from relay.crypto import signing
from relay.storage.database import Connection


async def put_statement(connection: Connection, compact: str) -> bytes:
    """Store a text as a statement, as the owner of the database could; its hash."""
    claimed = signing.read_unverified(compact)
    statement_hash = signing.statement_hash(compact)
    await connection.execute(
        "insert into statements (statement_hash, typ, kid, compact) values ($1, $2, $3, $4)"
        " on conflict do nothing",
        statement_hash,
        claimed.typ,
        claimed.kid,
        compact,
    )
    return statement_hash
