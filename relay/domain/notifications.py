"""What the case system is told: that something happened, to whom it matters, and nothing of what it was.

The types are named by what a person may know, so that none of them gives away a refusal, an opening or the
state of a message. An event holds identifiers alone; whoever wants more asks for it, with their own rights.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from relay.errors import RelayError

EXPIRING: Final = timedelta(days=30)
"""So long before a credential ends the case system is told of it."""
PAGE_MAX: Final = 500
WAIT_MAX_SECONDS: Final = 30


class NotificationType(StrEnum):
    """What happened, as the case system may know it."""

    MESSAGE_WAITING = "participant.message-waiting"
    """Something waits for a participant: they can look at it, leave it, or say no."""
    MESSAGE_RETURNED = "participant.message-returned"
    """A mediator sent a message back to its author, with guidance."""
    VIDEO_FAILED = "participant.video-failed"
    """A video could not be prepared; its author reads why, and may send another."""
    ANSWER_SHARED = "participant.answer-shared"
    """A recipient chose to let the author know their answer; which it is, the author reads on their page."""
    REVIEW_WAITING = "mediator.review-waiting"
    """A message is ready for review: new, or put back into the queue by a mediator."""
    SECOND_APPROVAL_NEEDED = "mediator.second-approval-needed"
    CLAIM_TO_VERIFY = "mediator.claim-to-verify"
    """Somebody took a link: a mediator checks with them that it was they."""
    CASE_OPENED = "case.opened"
    """Its first charter was filed: links can be made."""
    CHARTER_CHANGED = "case.charter-changed"
    CONSENT_CHANGED = "case.consent-changed"
    NO_CONTACT_CHANGED = "case.no-contact-changed"
    CASE_CLOSED = "case.closed"
    """Nothing is begun, sent, offered or released in it from now on."""
    CASE_REOPENED = "case.reopened"
    CASE_DISPOSED = "case.disposed"
    """Nothing is left of what was written in it; a signed certificate says so."""
    LINK_CLAIMED = "link.claimed"
    CLAIM_REFUSED = "link.claim-refused"
    """Somebody tried to take a link that was taken before."""
    LINK_EXPIRED = "link.expired"
    """A link ended before anybody took it."""
    CREDENTIAL_EXPIRING = "credential.expiring"
    """It ends within thirty days, and no newer one of the same person is there."""
    CREDENTIAL_REVOKED = "credential.revoked"
    TEST = "relay.test"
    """Somebody asked for it, to see that events arrive."""


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of the case ended then: who keeps it can show later that the log was cut or rewritten."""

    seq: int
    hash: str
    """Of that row, base64url, as docs/protocol.md defines it."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Members that do not apply to its type are null."""

    id: int
    """1, 2, 3, …: in this order for everybody; the events of one case are in the order of its log."""
    type: NotificationType
    at: datetime
    case: uuid.UUID | None
    participant: uuid.UUID | None
    message: uuid.UUID | None
    link: uuid.UUID | None
    credential: uuid.UUID | None
    log: LogPosition | None


class NotificationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events after a given one, oldest first."""

    events: list[Notification]
    next: int
    """What to ask for next with `after`."""


class NotificationsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of events; `after` is `next` of the page before, and 0 begins with the oldest that is stored.

    With `wait` the answer comes once there is an event, or after so many seconds with none.
    """

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)] = 100
    wait: Annotated[int, msgspec.Meta(ge=0, le=WAIT_MAX_SECONDS)] = 0


class EventsGone(RelayError):
    """Events after the given one were removed after their time, or it is none of this database."""

    code = "events-gone"
