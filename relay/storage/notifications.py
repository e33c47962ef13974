"""What the case system is told: the outbox of the log, what is due later, and the events made of both."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from relay.domain.notifications import NotificationType
from relay.storage.database import Connection, many, rows_of
from relay.storage.queries import named_queries

_SQL = named_queries("notifications")


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log that was not told yet, with whom it is about and what was signed."""

    event_id: int
    case_id: uuid.UUID
    seq: int
    at: datetime
    kind: str
    actor: str
    message_id: uuid.UUID | None
    statement_hash: bytes | None
    hash: bytes
    sender_id: uuid.UUID | None
    recipient_id: uuid.UUID | None
    statement: str | None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What an event names."""

    case_id: uuid.UUID | None = None
    participant_id: uuid.UUID | None = None
    message_id: uuid.UUID | None = None
    link_id: uuid.UUID | None = None
    credential_id: uuid.UUID | None = None


class NewNotification(About, frozen=True, kw_only=True):
    """An event to be stored."""

    type: NotificationType
    at: datetime
    log_seq: int | None
    log_hash: bytes | None


class NotificationRow(NewNotification, frozen=True, kw_only=True):
    """An event as it is stored."""

    notification_id: int


class DueRow(About, frozen=True, kw_only=True):
    """An event that is due by now, and where the log of its case ends."""

    type: NotificationType
    due_at: datetime
    log_seq: int | None
    log_hash: bytes | None


async def has_news(connection: Connection) -> bool:
    """Whether there is something to tell that was not told."""
    return bool(await connection.fetchval(_SQL["has_news"]))


async def lock_notifications(connection: Connection) -> None:
    """Be the only one who stores events until this transaction ends."""
    await connection.execute(_SQL["lock_notifications"])


async def list_outbox(connection: Connection, limit: int) -> list[OutboxRow]:
    """Rows of the log that were not told yet, in the order of each case's log."""
    return many(await connection.fetch(_SQL["list_outbox"], limit), OutboxRow)


async def delete_outbox(connection: Connection, events: Sequence[int]) -> None:
    """These rows of the log are told."""
    await connection.execute(_SQL["delete_outbox"], events)


async def insert_due(
    connection: Connection,
    type_: NotificationType,
    due_at: datetime,
    about: About,
    *,
    offer_hash: bytes | None = None,
) -> None:
    """Tell of something later, if it is still so then."""
    await connection.execute(
        _SQL["insert_due"],
        due_at,
        type_,
        about.case_id,
        about.participant_id,
        about.message_id,
        about.link_id,
        about.credential_id,
        offer_hash,
    )


async def take_due(connection: Connection, limit: int) -> list[DueRow]:
    """What is due by now and still so; whatever was due is not due again."""
    return many(await connection.fetch(_SQL["take_due"], limit), DueRow)


async def insert_notifications(connection: Connection, new: Sequence[NewNotification]) -> None:
    """Store events in this order, after all that are stored."""
    await connection.execute(
        _SQL["insert_notifications"],
        [one.type for one in new],
        [one.at for one in new],
        [one.case_id for one in new],
        [one.participant_id for one in new],
        [one.message_id for one in new],
        [one.link_id for one in new],
        [one.credential_id for one in new],
        [one.log_seq for one in new],
        [one.log_hash for one in new],
    )


async def list_notifications(
    connection: Connection, *, after: int, limit: int
) -> list[NotificationRow]:
    """Events after one, oldest first."""
    rows = await connection.fetch(_SQL["list_notifications"], after, limit)
    return many(rows, NotificationRow)


async def find_ends(connection: Connection) -> tuple[int, int]:
    """The numbers of the oldest and the newest event that are stored; 1 and 0 where there is none."""
    found = await connection.fetchrow(_SQL["find_ends"])
    return (found["oldest"] or 1, found["newest"] or 0) if found else (1, 0)


async def delete_old(connection: Connection, seconds: int, limit: int) -> int:
    """Remove events that were stored longer ago than this, but for the newest; how many.

    What was written to the log as long ago, and was asked for by nobody, is not told any more either.
    """
    await connection.execute(_SQL["delete_untold"], seconds, limit)
    return rows_of(await connection.execute(_SQL["delete_old"], seconds, limit))
