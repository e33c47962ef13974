"""Somebody who owns the database: turns its guards off, changes what they like, and makes the chain again."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any, Self

import asyncpg

from relay.crypto.audit import GENESIS, EventRow, event_hash
from relay.crypto.signing import read_unverified, statement_hash
from relay.storage.database import Connection


class Owner:
    """A connection without triggers and foreign keys."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, database_url: str, *, keeps: bool = True) -> AsyncIterator[Self]:
        """Anyone who has the password of the database's owner; what they change stays only if it `keeps`."""
        connection = await asyncpg.connect(database_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("set local session_replication_role = replica")
            yield cls(connection)
        finally:
            await (transaction.commit() if keeps else transaction.rollback())
            await connection.close()

    async def run(self, statement: str, *arguments: object) -> None:
        """Change something."""
        await self.connection.execute(statement, *arguments)

    async def value(self, query: str, *arguments: object) -> Any:
        """One value."""
        return await self.connection.fetchval(query, *arguments)

    async def swap(self, case_id: uuid.UUID, *kinds: str) -> None:
        """Let the last rows of two kinds change places."""
        one, other = [
            await self.value(
                "select max(seq) from events where case_id = $1 and kind = $2", case_id, kind
            )
            for kind in kinds
        ]
        move = "update events set seq = $3 where case_id = $1 and seq = $2"
        for before, after in ((one, 0), (other, one), (0, other)):
            await self.run(move, case_id, before, after)

    async def add_row(self, case_id: uuid.UUID, *, like: str, kind: str | None = None) -> None:
        """A row at the end, like the last one of a kind."""
        await self.run(
            "insert into events (case_id, seq, at, kind, message_id, actor, statement_hash, prev, hash) "
            "select case_id, (select max(seq) + 1 from events where case_id = $1), clock_timestamp(), "
            "coalesce($3, kind), message_id, actor, statement_hash, prev, hash from events "
            "where case_id = $1 and kind = $2 order by seq desc limit 1",
            case_id,
            like,
            kind,
        )

    async def put_statement(self, compact: str) -> bytes:
        """File a text as a statement."""
        digest, claimed = statement_hash(compact), read_unverified(compact)
        await self.run(
            "insert into statements (statement_hash, typ, kid, compact) values ($1, $2, $3, $4)",
            digest,
            claimed.typ,
            claimed.kid,
            compact,
        )
        return digest

    async def rename_statement(self, before: bytes, after: bytes) -> None:
        """Have every row that names a statement name another one."""
        for table, column in await self.connection.fetch(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' and data_type = 'bytea' "
            "and column_name like '%\\_hash' and table_name <> 'statements'"
        ):
            await self.run(
                f"update {table} set {column} = $2 where {column} = $1",  # noqa: S608 - names of the schema
                before,
                after,
            )
        await self.run("delete from statements where statement_hash = $1", before)

    async def rehash(self, case_id: uuid.UUID) -> None:
        """Number the rows of a case again, in their order, and make the whole chain again."""
        rows = await self.connection.fetch(
            "delete from events where case_id = $1 returning *", case_id
        )
        head = GENESIS
        for seq, row in enumerate(sorted(rows, key=lambda row: row["seq"]), start=1):
            event = EventRow(
                case=case_id,
                seq=seq,
                at=row["at"],
                kind=row["kind"],
                message=row["message_id"],
                actor=row["actor"],
                statement=row["statement_hash"],
            )
            digest = event_hash(head, event)
            await self.run(
                "insert into events (case_id, seq, at, kind, message_id, actor, statement_hash, prev, hash) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                case_id,
                seq,
                row["at"],
                row["kind"],
                row["message_id"],
                row["actor"],
                row["statement_hash"],
                head,
                digest,
            )
            head = digest
        await self.run(
            "update cases set event_seq = $2, event_hash = $3, changed_at = "
            "coalesce((select max(at) from events where case_id = $1 and message_id is null), changed_at) "
            "where case_id = $1",
            case_id,
            len(rows),
            head,
        )
