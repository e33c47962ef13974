"""Tells the case system what happened: makes events of the log's rows, in their order, and hands them out.

Whatever is written to the log is put into an outbox by the same transaction. One transaction at a time takes
it from there, so that numbers are given in the order in which events become visible, and none is skipped.
What depends on a time, an offer for a later day or a link that nobody takes, is told when that has come.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.notifications import (
    EXPIRING,
    EventsGone,
    LogPosition,
    Notification,
    NotificationPage,
    NotificationsQuery,
    NotificationType,
)
from relay.domain.transitions import Event
from relay.errors import CryptoError
from relay.services.stopping import Stopping
from relay.storage import notifications as stored
from relay.storage.database import Connection, Database
from relay.storage.notifications import About, NewNotification, OutboxRow
from relay.tracing.spans import unseen

_log = logging.getLogger(__name__)

BATCH: Final = 1000
LOOK_SECONDS: Final = 0.25
"""Between two looks for somebody who waits."""

_Made: TypeAlias = list[NewNotification]
_Teller: TypeAlias = Callable[[Connection, OutboxRow], Awaitable[_Made]]


async def list_events(
    database: Database, query: NotificationsQuery, stopping: Stopping
) -> NotificationPage:
    """Events after a given one; a process that stops lets nobody wait.

    EventsGone where some after it were removed after their time, and where that one was never given: a
    database that was restored from a copy knows nothing of what came after the copy.
    """
    now = asyncio.get_running_loop().time
    end = now() + query.wait
    rows, oldest, newest = await _look(database, query)
    while True:
        if query.after and not oldest - 1 <= query.after <= newest:
            raise EventsGone
        if rows or now() >= end or stopping.has_begun:
            break
        await asyncio.sleep(min(LOOK_SECONDS, max(0.0, end - now())))
        with unseen():  # hundreds of looks by one who waits
            rows, oldest, newest = await _look(database, query)
    return NotificationPage(
        events=[shown(row) for row in rows],
        next=rows[-1].notification_id if rows else query.after,
    )


async def _look(
    database: Database, query: NotificationsQuery
) -> tuple[list[stored.NotificationRow], int, int]:
    """The events after a given one, and the numbers of the oldest and the newest that there are."""
    async with database.transaction() as connection:
        if await stored.has_news(connection):
            await store_news(connection)
        rows = await stored.list_notifications(connection, after=query.after, limit=query.limit)
        return rows, *await stored.find_ends(connection)


async def store_news(connection: Connection) -> None:
    """Make events of what was not told yet and of what is due."""
    await stored.lock_notifications(connection)
    untold = await stored.list_outbox(connection, BATCH)
    new = [made for row in untold for made in await _told_as(connection, row)]
    new += [
        NewNotification(
            type=due.type,
            at=due.due_at,
            case_id=due.case_id,
            participant_id=due.participant_id,
            message_id=due.message_id,
            link_id=due.link_id,
            credential_id=due.credential_id,
            log_seq=due.log_seq,
            log_hash=due.log_hash,
        )
        for due in await stored.take_due(connection, BATCH)
    ]
    await stored.insert_notifications(connection, new)
    await stored.delete_outbox(connection, [row.event_id for row in untold])


async def _told_as(connection: Connection, row: OutboxRow) -> _Made:
    """What is told of a row; nothing of one that does not say what it must, which keeps no other from it."""
    if row.kind in SILENT:
        return []
    try:
        return await TOLD[row.kind](connection, row)
    except (CryptoError, KeyError, ValueError) as error:
        _log.error("row %d of the log is told to nobody: %s", row.event_id, type(error).__name__)
        return []


def shown(row: stored.NotificationRow) -> Notification:
    """An event as the case system is told of it."""
    log = None
    if row.log_seq is not None and row.log_hash is not None:
        log = LogPosition(seq=row.log_seq, hash=b64u_encode(row.log_hash))
    return Notification(
        id=row.notification_id,
        type=row.type,
        at=row.at,
        case=row.case_id,
        participant=row.participant_id,
        message=row.message_id,
        link=row.link_id,
        credential=row.credential_id,
        log=log,
    )


async def tell_of_end(connection: Connection, credential_id: uuid.UUID, ends_at: datetime) -> None:
    """Have a credential told of before it ends."""
    about = About(credential_id=credential_id)
    due_at = ends_at - EXPIRING
    await stored.insert_due(connection, NotificationType.CREDENTIAL_EXPIRING, due_at, about)


async def tell_of_test(database: Database) -> None:
    """Tell that somebody wants to see whether events arrive."""
    async with database.connection() as connection:
        now = datetime.now(UTC)
        await stored.insert_due(connection, NotificationType.TEST, now, About())


async def tell_of_revocation(connection: Connection, credential_id: uuid.UUID) -> None:
    """Tell that a credential was revoked just now."""
    about = About(credential_id=credential_id)
    now = datetime.now(UTC)
    await stored.insert_due(connection, NotificationType.CREDENTIAL_REVOKED, now, about)


def _event(
    row: OutboxRow,
    type_: NotificationType,
    *,
    participant: uuid.UUID | None = None,
    link: uuid.UUID | None = None,
) -> NewNotification:
    return NewNotification(
        type=type_,
        at=row.at,
        case_id=row.case_id,
        participant_id=participant,
        message_id=row.message_id,
        link_id=link,
        log_seq=row.seq,
        log_hash=row.hash,
    )


def _of_case(type_: NotificationType) -> _Teller:
    async def tell(_connection: Connection, row: OutboxRow) -> _Made:
        return [_event(row, type_)]

    return tell


def _to_author(type_: NotificationType) -> _Teller:
    async def tell(_connection: Connection, row: OutboxRow) -> _Made:
        return [_event(row, type_, participant=row.sender_id)]

    return tell


async def _charter(_connection: Connection, row: OutboxRow) -> _Made:
    charter = statements.decode_unverified(row.statement or "", statements.Charter)
    is_first = charter.version == 1
    opened, changed = NotificationType.CASE_OPENED, NotificationType.CHARTER_CHANGED
    return [_event(row, opened if is_first else changed)]


async def _consent(_connection: Connection, row: OutboxRow) -> _Made:
    consent = statements.decode_unverified(row.statement or "", statements.Consent)
    return [_event(row, NotificationType.CONSENT_CHANGED, participant=consent.participant)]


async def _link(connection: Connection, row: OutboxRow) -> _Made:
    link = statements.decode_unverified(row.statement or "", statements.Link)
    if link.expires is not None:
        about = About(case_id=row.case_id, participant_id=link.participant, link_id=link.link)
        await stored.insert_due(connection, NotificationType.LINK_EXPIRED, link.expires, about)
    return []


async def _claim(_connection: Connection, row: OutboxRow) -> _Made:
    claim = statements.decode_unverified(row.statement or "", statements.Claim)
    return [
        _event(row, type_, participant=claim.participant, link=claim.link)
        for type_ in (NotificationType.LINK_CLAIMED, NotificationType.CLAIM_TO_VERIFY)
    ]


async def _second_claim(_connection: Connection, row: OutboxRow) -> _Made:
    link_id = uuid.UUID(row.actor.removeprefix("link:"))
    return [_event(row, NotificationType.CLAIM_REFUSED, link=link_id)]


async def _offer(connection: Connection, row: OutboxRow) -> _Made:
    offer = statements.decode_unverified(row.statement or "", statements.Offer)
    if offer.not_before is None or offer.not_before <= row.at:
        return [_event(row, NotificationType.MESSAGE_WAITING, participant=row.recipient_id)]
    await stored.insert_due(
        connection,
        NotificationType.MESSAGE_WAITING,
        offer.not_before,
        About(case_id=row.case_id, participant_id=row.recipient_id, message_id=row.message_id),
        offer_hash=row.statement_hash,
    )
    return []


async def _answer(_connection: Connection, row: OutboxRow) -> _Made:
    answer = statements.decode_unverified(row.statement or "", statements.Response)
    shared = _event(row, NotificationType.ANSWER_SHARED, participant=row.sender_id)
    return [shared] if answer.tell_author else []


_REVIEW_WAITING: Final = _of_case(NotificationType.REVIEW_WAITING)

TOLD: Final[Mapping[str, _Teller]] = {
    "charter-filed": _charter,
    "consent-active": _consent,
    "consent-paused": _consent,
    "consent-withdrawn": _consent,
    "no-contact-set": _of_case(NotificationType.NO_CONTACT_CHANGED),
    "no-contact-lifted": _of_case(NotificationType.NO_CONTACT_CHANGED),
    "case-closed": _of_case(NotificationType.CASE_CLOSED),
    "case-reopened": _of_case(NotificationType.CASE_REOPENED),
    "case-disposed": _of_case(NotificationType.CASE_DISPOSED),
    "case-disposed-again": _of_case(NotificationType.CASE_DISPOSED),
    "link-made-to-participate": _link,
    "link-made-to-upload": _link,
    "link-claimed": _claim,
    "second-claim-refused": _second_claim,
    Event.SUBMIT_LETTER: _REVIEW_WAITING,
    Event.FINISH_PROCESSING: _REVIEW_WAITING,
    Event.RESUME: _REVIEW_WAITING,
    Event.REOPEN: _REVIEW_WAITING,
    Event.FAIL_PROCESSING: _to_author(NotificationType.VIDEO_FAILED),
    Event.APPROVE_FIRST: _of_case(NotificationType.SECOND_APPROVAL_NEEDED),
    Event.RETURN: _to_author(NotificationType.MESSAGE_RETURNED),
    Event.OFFER: _offer,
    Event.ACCEPT: _answer,
    Event.REFUSE: _answer,
}
"""What each kind of row in the log is told as."""

SILENT: Final = frozenset(
    {
        # What the case system or the mediators did themselves, or see in the console.
        *("case-registered", "case-changed", "mediators-registered", "mediators-proposed"),
        *("hold-placed", "hold-lifted"),
        *("claim-verified", "link-replaced", "link-misused", "passphrase-tries-limited"),
        *("captions-added", "captions-excepted", "granted-again", "withdrawal-asked"),
        *(Event.LEASE, Event.LET_GO, Event.LAPSE, Event.RETRY, Event.APPROVE, Event.HOLD),
        # What an author did themselves.
        *("draft-begun", Event.SUBMIT_VIDEO, Event.REVISE, Event.DISCARD, Event.WITHDRAW),
        # What would give away more than its people may know.
        *(Event.DECLINE, Event.RETRACT, Event.RECALL, Event.WAIT, Event.OPEN, Event.CLOSE),
        Event.EXPIRE,
    }
)
"""What nobody is told of."""
