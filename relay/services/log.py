"""Pages of the log of a case, for its mediators and the case system."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Service
from relay.services.cases import require_case, require_mediator
from relay.storage import events as stored
from relay.storage.database import Database


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log; hashes are base64url, as docs/protocol.md defines them."""

    seq: int
    at: datetime
    kind: str
    message: uuid.UUID | None
    actor: str
    statement: str | None
    prev: str
    hash: str


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the log of a case, oldest first."""

    case: uuid.UUID
    rows: list[LogRow]


async def read_log(
    database: Database,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    *,
    after: int,
    limit: int,
) -> LogPage:
    """A page of the log of a case."""
    async with database.transaction() as connection:
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        await require_case(connection, case_id)
        rows = await stored.list_events(connection, case_id, after=after, limit=limit)
    return LogPage(
        case=case_id,
        rows=[
            LogRow(
                seq=row.seq,
                at=row.at,
                kind=row.kind,
                message=row.message_id,
                actor=row.actor,
                statement=_text(row.statement_hash),
                prev=b64u_encode(row.prev),
                hash=b64u_encode(row.hash),
            )
            for row in rows
        ],
    )


def _text(digest: bytes | None) -> str | None:
    return None if digest is None else b64u_encode(digest)
