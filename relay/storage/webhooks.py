"""Whom events are sent to, how far each of them is, and what they did not take."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from relay.domain.notifications import NotificationType
from relay.domain.webhooks import COUNTED_MAX
from relay.storage.database import Connection, many
from relay.storage.notifications import NotificationRow
from relay.storage.queries import named_queries

_SQL = named_queries("webhooks")


class ClaimedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was claimed, and its next event; without one its members are None."""

    line_id: uuid.UUID
    next_id: int
    attempts: int
    age_seconds: float
    notification_id: int | None
    type: NotificationType | None
    at: datetime | None
    case_id: uuid.UUID | None
    participant_id: uuid.UUID | None
    message_id: uuid.UUID | None
    link_id: uuid.UUID | None
    credential_id: uuid.UUID | None
    log_seq: int | None
    log_hash: bytes | None


class ReceiverRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a receiver is."""

    receiver: str
    delivered_at: datetime | None
    failed_at: datetime | None
    failure: str | None
    lines_waiting: int
    lines_failing: int
    oldest_waiting_at: datetime | None
    dead_letters: int


class DeadLetterRow(NotificationRow, frozen=True, kw_only=True):
    """An event that was not taken, and why."""

    attempts: int
    failure: str
    died_at: datetime


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempt at which event of which line."""

    receiver: str
    line_id: uuid.UUID
    notification_id: int
    attempts: int


async def register_receiver(
    connection: Connection, receiver: str, types: Sequence[NotificationType]
) -> None:
    """Have events of these types delivered: to one that is new those that happen from now on."""
    await connection.execute(_SQL["register_receiver"], receiver, [str(one) for one in types])


async def enqueue_deliveries(connection: Connection, receiver: str) -> None:
    """Have what is new delivered to a receiver."""
    await connection.execute(_SQL["enqueue_deliveries"], receiver)


async def claim_deliveries(
    connection: Connection, receiver: str, *, limit: int, seconds: float
) -> list[ClaimedRow]:
    """Take up to `limit` deliveries that are due, for so many seconds; one of each line at a time."""
    rows = await connection.fetch(_SQL["claim_deliveries"], receiver, limit, seconds)
    return many(rows, ClaimedRow)


async def end_delivery(connection: Connection, attempt: Attempt, *, died_of: str | None) -> bool:
    """It arrived, or is a dead letter from now on; False where another attempt was begun since."""
    return bool(await connection.fetchval(_SQL["end_delivery"], *_of(attempt), died_of))


async def retry_delivery(
    connection: Connection, attempt: Attempt, *, seconds: float, failure: str, is_away: bool
) -> None:
    """It failed, and is tried again later; earlier, if it `is_away` and something else arrives there."""
    await connection.execute(_SQL["retry_delivery"], *_of(attempt), seconds, failure, is_away)


async def give_back_delivery(connection: Connection, attempt: Attempt) -> None:
    """It was broken off here: it is due at once, and this attempt does not count."""
    await connection.execute(_SQL["give_back_delivery"], *_of(attempt))


async def list_receivers(connection: Connection) -> list[ReceiverRow]:
    """Every receiver that was ever served, by name."""
    return many(await connection.fetch(_SQL["list_receivers"], COUNTED_MAX), ReceiverRow)


async def is_receiver(connection: Connection, receiver: str) -> bool:
    """Whether a receiver of this name was ever served."""
    return await connection.fetchval(_SQL["find_receiver"], receiver) is not None


async def list_dead_letters(
    connection: Connection, receiver: str, *, after: int, limit: int
) -> list[DeadLetterRow]:
    """Dead letters of a receiver, in the order of their events."""
    return many(
        await connection.fetch(_SQL["list_dead_letters"], receiver, after, limit), DeadLetterRow
    )


async def redeliver(
    connection: Connection, receiver: str, events: Sequence[int] | None
) -> list[int]:
    """Have dead letters sent again, these or all; those that were not on their way already."""
    rows = await connection.fetch(_SQL["redeliver"], receiver, events)
    return sorted(row["next_id"] for row in rows)


async def forget_receiver(connection: Connection, receiver: str) -> None:
    """Remove a receiver with its dead letters and all that was to be delivered to it."""
    await connection.execute(_SQL["forget_receiver"], receiver)


def _of(attempt: Attempt) -> tuple[str, uuid.UUID, int, int]:
    return (attempt.receiver, attempt.line_id, attempt.notification_id, attempt.attempts)
