"""The review queue, decisions, captions, offers and responses."""

from __future__ import annotations

import uuid
from datetime import datetime

import asyncpg
import msgspec

from relay.domain.messages import Lease, QueueItem
from relay.domain.reviews import QueueFigure
from relay.storage.database import Connection, many
from relay.storage.queries import named_queries

_SQL = named_queries("reviews")


class NewDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision to be kept, with exactly what was in front of the mediator."""

    statement_hash: bytes
    message_id: uuid.UUID
    review_round: int
    mediator_id: uuid.UUID
    decision: str
    reason: str | None
    source_hash: bytes
    rendition_hash: bytes | None
    captions_hash: bytes | None


class Approvals(msgspec.Struct, frozen=True, kw_only=True):
    """How many different mediators approved what is there now, and how many the case asks for."""

    approvals: int
    approvals_needed: int


async def queue_page(
    connection: Connection,
    *,
    mediator_id: uuid.UUID,
    state: str,
    after: tuple[datetime, uuid.UUID],
    waiting_before: datetime,
    language: str | None,
    case_id: uuid.UUID | None,
    limit: int,
) -> list[QueueItem]:
    """Items in the cases of a mediator, oldest first, after a place in the queue."""
    rows = await connection.fetch(
        _SQL["queue_page"], mediator_id, state, *after, waiting_before, language, case_id, limit
    )
    return [_item(row) for row in rows]


def _item(row: asyncpg.Record) -> QueueItem:
    values = dict(row)
    holder, expires_at = values.pop("lease_holder"), values.pop("lease_expires_at")
    lease = None if holder is None else Lease(holder=holder, expires_at=expires_at)
    return msgspec.convert({**values, "lease": lease}, QueueItem)


async def queue_figures(connection: Connection, mediator_id: uuid.UUID | None) -> list[QueueFigure]:
    """How much waits in each state, in the cases of a mediator or everywhere."""
    if mediator_id is None:
        return many(await connection.fetch(_SQL["all_figures"]), QueueFigure)
    return many(await connection.fetch(_SQL["queue_figures"], mediator_id), QueueFigure)


async def insert_decision(connection: Connection, decision: NewDecision) -> bool:
    """Keep a decision; False where this mediator has approved these words in this round before."""
    return bool(
        await connection.fetchval(
            _SQL["insert_decision"],
            decision.statement_hash,
            decision.message_id,
            decision.review_round,
            decision.mediator_id,
            decision.decision,
            decision.reason,
            decision.source_hash,
            decision.rendition_hash,
            decision.captions_hash,
        )
    )


async def is_decided(connection: Connection, statement_hash: bytes) -> bool:
    """Whether this very decision was taken already."""
    return bool(await connection.fetchval(_SQL["find_decision"], statement_hash))


async def count_approvals(connection: Connection, message_id: uuid.UUID) -> Approvals:
    """The approvals of what is there now."""
    row = await connection.fetchrow(_SQL["count_approvals"], message_id)
    return msgspec.convert(row, Approvals)


async def list_decisions(connection: Connection, message_id: uuid.UUID) -> list[str]:
    """Every decision on a message as it was signed, oldest first."""
    rows = await connection.fetch(_SQL["list_decisions"], message_id)
    return [row["compact"] for row in rows]


async def list_approvals(connection: Connection, message_id: uuid.UUID) -> list[str]:
    """The approvals of what is there now, as they were signed."""
    rows = await connection.fetch(_SQL["list_approvals"], message_id)
    return [row["compact"] for row in rows]


async def insert_captions(
    connection: Connection,
    *,
    statement_hash: bytes,
    message_id: uuid.UUID,
    source_hash: bytes,
    exception: str | None,
) -> None:
    """Keep captions, or the reason why there are none."""
    await connection.execute(
        _SQL["insert_captions"], statement_hash, message_id, source_hash, exception
    )


async def is_captioned(connection: Connection, statement_hash: bytes) -> bool:
    """Whether these very captions, or this exception, were added before."""
    return bool(await connection.fetchval(_SQL["find_captions"], statement_hash))


async def insert_offer(
    connection: Connection,
    *,
    statement_hash: bytes,
    message_id: uuid.UUID,
    mediator_id: uuid.UUID,
    claim_hash: bytes,
    consents: tuple[bytes, bytes],
    not_before: datetime | None,
) -> None:
    """Keep an offer; `consents`: the hashes of the sender's and the recipient's."""
    await connection.execute(
        _SQL["insert_offer"],
        statement_hash,
        message_id,
        mediator_id,
        claim_hash,
        *consents,
        not_before,
    )


async def find_offer_consents(
    connection: Connection, statement_hash: bytes
) -> tuple[bytes, bytes] | None:
    """The hashes of the consents that an offer rests on: the sender's and the recipient's."""
    row = await connection.fetchrow(_SQL["find_offer_consents"], statement_hash)
    return None if row is None else (row["sender_consent"], row["recipient_consent"])


async def is_offered(connection: Connection, statement_hash: bytes) -> bool:
    """Whether this very offer was made before, whatever became of it."""
    return bool(await connection.fetchval(_SQL["find_offer"], statement_hash))


async def insert_response(
    connection: Connection,
    *,
    statement_hash: bytes,
    message_id: uuid.UUID,
    offer_hash: bytes,
    answer: str,
) -> None:
    """Keep what a recipient answered."""
    await connection.execute(
        _SQL["insert_response"], statement_hash, message_id, offer_hash, answer
    )


async def is_answered(connection: Connection, statement_hash: bytes) -> bool:
    """Whether this very answer was given already."""
    return bool(await connection.fetchval(_SQL["find_response"], statement_hash))


async def list_lapsed(connection: Connection, limit: int) -> list[uuid.UUID]:
    """Messages whose lease ran out."""
    rows = await connection.fetch(_SQL["list_lapsed"], limit)
    return [row["message_id"] for row in rows]


async def list_stale_drafts(connection: Connection, seconds: int, limit: int) -> list[uuid.UUID]:
    """Drafts that nobody touched for `seconds` and that no upload is under way for."""
    rows = await connection.fetch(_SQL["list_stale_drafts"], seconds, limit)
    return [row["message_id"] for row in rows]
