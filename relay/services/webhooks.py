"""Which event goes to which receiver next, what comes of an attempt, and what operators may ask and repeat.

The events of a case are sent one after the other: each of its lines has one event that is due. An attempt is
claimed for a time, and whoever claims the line after it sends the same event again. So each event arrives at
least once, whatever ends in between.
"""

from __future__ import annotations

import logging
import random

from relay.domain.notifications import Notification
from relay.domain.webhooks import (
    AWAY,
    GIVE_UP_SECONDS,
    DeadLetter,
    DeadLetterPage,
    DeadLettersQuery,
    Delivery,
    Receiver,
    Receivers,
    ReceiverStatus,
    ReceiverUnknown,
    Redelivery,
    RedeliveryRequest,
    retry_seconds,
)
from relay.logs import members
from relay.services.notifications import shown, store_news
from relay.storage import notifications as told
from relay.storage import webhooks as stored
from relay.storage.database import Connection, Database
from relay.storage.notifications import NotificationRow
from relay.storage.webhooks import Attempt

CLAIM_MARGIN_SECONDS = 5
"""How much longer than an attempt takes it is claimed for: to write down what came of it."""

_log = logging.getLogger(__name__)


async def register(database: Database, receiver: Receiver) -> None:
    """Have events delivered to a receiver; a new one gets what happens from now on."""
    async with database.transaction() as connection:
        await store_news(connection)
        await stored.register_receiver(connection, receiver.name, receiver.types)


async def claim(database: Database, receiver: Receiver, limit: int) -> list[Delivery]:
    """Take up to so many events that are due for a receiver, one of each case, for one attempt each."""
    seconds = receiver.timeout_seconds + CLAIM_MARGIN_SECONDS
    async with database.transaction() as connection:
        if await told.has_news(connection):
            await store_news(connection)
    async with database.connection() as connection:
        await stored.enqueue_deliveries(connection, receiver.name)
    async with database.connection() as connection:
        rows = await stored.claim_deliveries(
            connection, receiver.name, limit=limit, seconds=seconds
        )
    return [
        Delivery(
            line_id=row.line_id,
            next_id=row.next_id,
            attempts=row.attempts,
            age_seconds=row.age_seconds,
            event=_event_of(row),
        )
        for row in rows
    ]


async def arrived(database: Database, receiver: Receiver, delivery: Delivery) -> None:
    """The receiver took it: the next event of its case is due."""
    async with database.connection() as connection:
        await stored.end_delivery(connection, _attempt(receiver, delivery), died_of=None)


async def failed(
    database: Database,
    receiver: Receiver,
    delivery: Delivery,
    failure: str,
    asked_for: float | None,
) -> None:
    """The receiver did not take it: it is tried again, or is a dead letter after GIVE_UP_SECONDS.

    `asked_for` are the seconds after which the receiver wants to be asked again.
    """
    attempt = _attempt(receiver, delivery)
    seconds = retry_seconds(receiver, delivery.attempts, asked_for, random.random())  # noqa: S311  # nosec B311  # nosemgrep: chance-that-can-be-guessed
    is_last = delivery.age_seconds + seconds > GIVE_UP_SECONDS
    async with database.transaction() as connection:
        if is_last:
            await stored.end_delivery(connection, attempt, died_of=failure)
        else:
            await stored.retry_delivery(
                *(connection, attempt),
                seconds=seconds,
                failure=failure,
                is_away=failure in AWAY,
            )
    _log.warning(
        "receiver %s did not take event %d: %s, %s",
        *(receiver.name, delivery.next_id, failure),
        "a dead letter from now on" if is_last else f"again in {seconds:.0f} seconds",
        extra=members(receiver=receiver.name, failure=failure, attempts=delivery.attempts),
    )


async def give_back(database: Database, receiver: Receiver, delivery: Delivery) -> None:
    """The attempt was broken off on this side."""
    async with database.connection() as connection:
        await stored.give_back_delivery(connection, _attempt(receiver, delivery))


async def list_receivers(database: Database) -> Receivers:
    """How far each receiver is."""
    async with database.connection() as connection:
        rows = await stored.list_receivers(connection)
    return Receivers(
        receivers=[
            ReceiverStatus(
                name=row.receiver,
                cases_waiting=row.lines_waiting,
                cases_failing=row.lines_failing,
                oldest_waiting_at=row.oldest_waiting_at,
                dead_letters=row.dead_letters,
                delivered_at=row.delivered_at,
                failed_at=row.failed_at,
                failure=row.failure,
            )
            for row in rows
        ]
    )


async def list_dead_letters(
    database: Database, receiver: str, query: DeadLettersQuery
) -> DeadLetterPage:
    """Events that a receiver did not take; ReceiverUnknown."""
    async with database.connection() as connection:
        await _require(connection, receiver)
        rows = await stored.list_dead_letters(
            connection, receiver, after=query.after, limit=query.limit + 1
        )
    page = rows[: query.limit]
    return DeadLetterPage(
        dead_letters=[
            DeadLetter(
                event=shown(row), attempts=row.attempts, failure=row.failure, died_at=row.died_at
            )
            for row in page
        ],
        next=page[-1].notification_id if len(rows) > query.limit else None,
    )


async def redeliver(database: Database, receiver: str, request: RedeliveryRequest) -> Redelivery:
    """Have dead letters sent again, each by itself; what is no dead letter is left out. ReceiverUnknown."""
    async with database.transaction() as connection:
        await _require(connection, receiver)
        return Redelivery(events=await stored.redeliver(connection, receiver, request.events))


async def forget(database: Database, receiver: str) -> None:
    """Remove a receiver that is not served any more, with its dead letters; ReceiverUnknown."""
    async with database.transaction() as connection:
        await _require(connection, receiver)
        await stored.forget_receiver(connection, receiver)


async def _require(connection: Connection, receiver: str) -> None:
    if not await stored.is_receiver(connection, receiver):
        raise ReceiverUnknown


def _attempt(receiver: Receiver, delivery: Delivery) -> Attempt:
    return Attempt(
        receiver=receiver.name,
        line_id=delivery.line_id,
        notification_id=delivery.next_id,
        attempts=delivery.attempts,
    )


def _event_of(row: stored.ClaimedRow) -> Notification | None:
    if row.notification_id is None or row.type is None or row.at is None:
        return None
    return shown(
        NotificationRow(
            notification_id=row.notification_id,
            type=row.type,
            at=row.at,
            case_id=row.case_id,
            participant_id=row.participant_id,
            message_id=row.message_id,
            link_id=row.link_id,
            credential_id=row.credential_id,
            log_seq=row.log_seq,
            log_hash=row.log_hash,
        )
    )
