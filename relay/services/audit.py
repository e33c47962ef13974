"""The log, for those who verify it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from relay.crypto.audit import ChainedRow, EventRow, verify_chain
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Service
from relay.services.cases import require_case, require_mediator
from relay.storage import events as stored
from relay.storage.database import Connection, Database

PAGE_ROWS = 1000


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


class BrokenChain(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong with the log of a case."""

    case: uuid.UUID
    seq: int
    reason: str


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


async def verify_log(
    database: Database,
) -> AsyncIterator[tuple[uuid.UUID, int, BrokenChain | None]]:
    """Each case with the number of its rows, and what is wrong with its log, or None.

    An altered or reordered row breaks its hash; a missing one leaves a gap, missing last rows leave the
    head of the case without its row, and rows that were put in after the last have no head.
    """
    after = uuid.UUID(int=0)
    while True:
        async with database.connection() as connection:
            heads = await stored.list_heads(connection, after=after, limit=PAGE_ROWS)
        for head in heads:
            async with database.snapshot() as connection:
                now = await stored.find_head(connection, head.case_id)
                broken = await _verify_case(connection, now)
            yield now.case_id, now.event_seq, broken
        if len(heads) < PAGE_ROWS:
            return
        after = heads[-1].case_id


async def _verify_case(connection: Connection, head: stored.CaseHead) -> BrokenChain | None:
    rows: list[ChainedRow] = []
    seq = 0
    while page := await stored.list_events(connection, head.case_id, after=seq, limit=PAGE_ROWS):
        rows += [_chained(head.case_id, row) for row in page]
        seq = page[-1].seq
    bad = verify_chain(rows)
    if bad is not None:
        return BrokenChain(
            case=head.case_id, seq=bad.row.seq, reason="altered, missing or reordered"
        )
    if len(rows) != head.event_seq or (rows and rows[-1].hash != head.event_hash):
        reason = "rows are missing" if len(rows) < head.event_seq else "rows were put in"
        seq = min(len(rows), head.event_seq) + 1
        return BrokenChain(case=head.case_id, seq=seq, reason=reason)
    return None


def _chained(case_id: uuid.UUID, row: stored.StoredEvent) -> ChainedRow:
    return ChainedRow(
        row=EventRow(
            case=case_id,
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            message=row.message_id,
            actor=row.actor,
            statement=row.statement_hash,
        ),
        prev=row.prev,
        hash=row.hash,
    )


def _text(digest: bytes | None) -> str | None:
    return None if digest is None else b64u_encode(digest)
