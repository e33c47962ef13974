"""The review queue, decisions, captions, offers and responses."""

from __future__ import annotations

import uuid
from datetime import datetime

import asyncpg
import msgspec

from relay.domain.allowed import Facts, Holder, allowed_actions
from relay.domain.gates import GateFacts
from relay.domain.messages import Kind, Lease, QueueItem, WaitsFor
from relay.domain.reviews import QueueFigure
from relay.domain.transitions import Mover, State
from relay.storage.database import Connection, many
from relay.storage.messages import list_gate_facts
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


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of a mediator's queue are asked for."""

    mediator_id: uuid.UUID
    since_before: datetime
    language: str | None
    case_id: uuid.UUID | None
    limit: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands in a list."""

    message: uuid.UUID
    since: datetime


async def queue_of_state(
    connection: Connection,
    wanted: QueueFilter,
    state: str,
    waits_for: str | None,
    after: tuple[datetime, uuid.UUID],
) -> list[Place]:
    """What is in a state, oldest first, after a place in the queue."""
    rows = await connection.fetch(
        _SQL["queue_of_state"], *_of(wanted, state, after), waits_for, wanted.limit
    )
    return many(rows, Place)


async def queue_of_turn(
    connection: Connection,
    wanted: QueueFilter,
    waits_for: str,
    after: tuple[datetime, uuid.UUID],
) -> list[Place]:
    """What waits for somebody, oldest first, after a place in the queue."""
    rows = await connection.fetch(
        _SQL["queue_of_turn"], *_of(wanted, waits_for, after), wanted.limit
    )
    return many(rows, Place)


async def ended_of_state(
    connection: Connection, wanted: QueueFilter, state: str, before: tuple[datetime, uuid.UUID]
) -> list[Place]:
    """What is in a state in which nothing waits, newest first, before a place."""
    rows = await connection.fetch(_SQL["ended_of_state"], *_of(wanted, state, before), wanted.limit)
    return many(rows, Place)


async def messages_of_case(
    connection: Connection,
    case_id: uuid.UUID,
    mediator_id: uuid.UUID,
    before: tuple[datetime, uuid.UUID],
    limit: int,
) -> list[Place]:
    """The messages of a case, newest first, before a place."""
    rows = await connection.fetch(_SQL["messages_of_case"], case_id, mediator_id, *before, limit)
    return many(rows, Place)


async def queue_items(
    connection: Connection, messages: list[uuid.UUID], mediator_id: uuid.UUID
) -> list[QueueItem]:
    """These messages as a mediator sees them, in this order."""
    rows = await connection.fetch(_SQL["queue_items"], messages, mediator_id)
    gates = await list_gate_facts(connection, messages, for_new_offer=True, mediator_id=mediator_id)
    return [_item(row, mediator_id, gates[row["message"]]) for row in rows]


def _of(wanted: QueueFilter, what: str, place: tuple[datetime, uuid.UUID]) -> tuple[object, ...]:
    return (
        wanted.mediator_id,
        what,
        *place,
        wanted.since_before,
        wanted.language,
        wanted.case_id,
    )


def _item(row: asyncpg.Record, mediator_id: uuid.UUID, gates: GateFacts) -> QueueItem:
    values = dict(row)
    holder, expires_at = values.pop("lease_holder"), values.pop("lease_expires_at")
    lease = None if holder is None else Lease(holder=holder, expires_at=expires_at)
    facts = Facts(
        kind=Kind(row["kind"]),
        revision=row["revision"],
        withdrawal_asked=values.pop("withdrawal_asked"),
        holder=Holder.of(holder, mediator_id, is_over=values.pop("lease_is_over")),
        gates=gates,
    )
    allowed = allowed_actions(State(row["state"]), Mover.MEDIATOR, facts)
    return msgspec.convert({**values, "lease": lease, "allowed_actions": allowed}, QueueItem)


async def queue_figures(connection: Connection, mediator_id: uuid.UUID | None) -> list[QueueFigure]:
    """How much waits in each state, in the cases of a mediator or everywhere."""
    if mediator_id is None:
        return many(await connection.fetch(_SQL["all_figures"]), QueueFigure)
    return many(await connection.fetch(_SQL["queue_figures"], mediator_id), QueueFigure)


async def sum_queue_counts(connection: Connection) -> None:
    """Sum up what the figures of all cases are counted from."""
    await connection.execute(_SQL["sum_queue_counts"])


async def insert_decision(connection: Connection, decision: NewDecision) -> None:
    """Keep a decision."""
    await connection.execute(
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


async def count_approvals(connection: Connection, message_id: uuid.UUID) -> Approvals:
    """The approvals of what is there now."""
    row = await connection.fetchrow(_SQL["count_approvals"], message_id)
    return msgspec.convert(row, Approvals)


async def find_turn(
    connection: Connection, message_id: uuid.UUID, mediator_id: uuid.UUID
) -> WaitsFor | None:
    """For whom a message waits, as one of its mediators sees it."""
    found = await connection.fetchval(_SQL["find_turn"], message_id, mediator_id)
    return None if found is None else WaitsFor(found)


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


async def list_lapsed(connection: Connection, limit: int) -> list[uuid.UUID]:
    """Messages whose lease ran out."""
    rows = await connection.fetch(_SQL["list_lapsed"], limit)
    return [row["message_id"] for row in rows]


async def list_stale_drafts(connection: Connection, seconds: int, limit: int) -> list[uuid.UUID]:
    """Drafts that nobody touched for `seconds` and that no upload is under way for."""
    rows = await connection.fetch(_SQL["list_stale_drafts"], seconds, limit)
    return [row["message_id"] for row in rows]
