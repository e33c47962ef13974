"""Messages as they are said to and by relay: what a sender submits, and what each side is shown."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec

from relay.domain.gates import Gate
from relay.domain.transitions import Event, State
from relay.domain.views import AuthorView, RecipientView
from relay.errors import Conflict, InvalidRequest


class Kind(StrEnum):
    """What a message is made of."""

    LETTER = "letter"
    VIDEO = "video"


class Language(StrEnum):
    """The language a message is in."""

    EN = "en"
    FR = "fr"


class PartRole(StrEnum):
    """What a part is for."""

    BODY = "body"
    ORIGINAL = "original"
    RENDITION = "rendition"
    POSTER = "poster"
    CAPTIONS = "captions"
    NOTE = "note"


class Audience(StrEnum):
    """Whom a grant is for."""

    CASE = "case"
    MEDIA = "media"
    AUTHOR = "author"
    RECIPIENT = "recipient"


class Answer(StrEnum):
    """What a recipient says to an offer."""

    ACCEPT = "accept"
    WAIT = "wait"
    REFUSE = "refuse"
    CLOSE = "close"
    """After opening: the recipient ends their own access."""


class StatementMismatch(InvalidRequest):
    """A signed statement that does not match the request it came with."""

    code = "statement-mismatch"


class MissingGrant(InvalidRequest):
    """A part has no grant for a reader that needs one."""

    code = "missing-grant"


class SealedBefore(Conflict):
    """A commitment or body that was sent before."""

    code = "sealed-before"


class RevisionExists(Conflict):
    """A different revision with this number was sent before."""

    code = "revision-exists"


class UploadUnfinished(Conflict):
    """A revision that names an upload which is not complete."""

    code = "upload-unfinished"


class VideoNotTaken(Conflict):
    """A video in a case that takes letters only."""

    code = "video-not-taken"


class ApprovedAlready(Conflict):
    """The same mediator approves a revision twice."""

    code = "approved-already"


class ConsentsChanged(Conflict):
    """An offer rests on consents that have changed."""

    code = "consents-changed"


class SenderUnverified(Conflict):
    """Nobody has verified the claim by which the message came."""

    code = "sender-unverified"


class LeaseTaken(Conflict):
    """Another mediator is reviewing the message."""

    code = "lease-taken"


class NotVerifiable(Conflict):
    """The recipient's program would refuse what is offered."""

    code = "not-verifiable"


class NotAvailableNow(Conflict):
    """The message is not available to its recipient now; the reason is not told."""

    code = "not-available-now"


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something sent to relay."""


class NewDraft(_Request, frozen=True, kw_only=True):
    """The beginning of a video message: its upload needs a place to go."""

    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    language: Language


class Grant(_Request, frozen=True, kw_only=True):
    """A header that opens one part for one audience.

    `audience_id`: the case, the credential of a media worker, or the participant.
    """

    commitment: str
    audience: Audience
    audience_id: uuid.UUID
    header: bytes


class Body(_Request, frozen=True, kw_only=True):
    """The sealed bytes of a text part, by its commitment."""

    commitment: str
    body: bytes


class Submission(_Request, frozen=True, kw_only=True):
    """A signed revision with the grants of its parts, and the bodies of those that are text."""

    statement: str
    grants: list[Grant]
    bodies: list[Body] = []


class ReviewRequest(_Request, frozen=True, kw_only=True):
    """A decision, an offer or captions: a statement with the parts and grants that it names."""

    statement: str
    grants: list[Grant] = []
    bodies: list[Body] = []


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed part. `body` is there for text; the rest is fetched from `/v1/parts/{commitment}`."""

    commitment: str
    role: PartRole
    media_type: str
    size_bytes: int
    body: bytes | None
    header: bytes | None
    """The grant for the caller, where they have one."""


class Processing(msgspec.Struct, frozen=True, kw_only=True):
    """How far the media worker is with a video; `fraction` from 0 to 1."""

    stage: str
    fraction: float


class AuthorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as its author sees it."""

    message: uuid.UUID
    case: uuid.UUID
    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    voice: bool
    """Whether it is a voice alone: by its rendition, and before there is one by the type its sender named."""
    language: Language
    revision: int
    view: AuthorView
    view_since: datetime
    allowed_actions: tuple[Event, ...]
    """What its author may do now: the same while the view is."""
    created_at: datetime
    failure: str | None
    """Why a video could not be prepared: a stable code; `/v1/failures` has the sentences."""
    processing: Processing | None
    statement: str | None
    guidance: str | None
    """The decision that sent it back or closed it."""
    parts: list[PartView]
    """The author's own parts and the notes to them that they can open."""
    origin: list[str] = []
    """Only in the answer about one message that was signed with an older key of its author's: that way in."""
    receipt: str | None = None
    """Only in the answer to a submission through an upload link: a code to ask about it later."""


class RecipientMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as its recipient sees it, from the offer on."""

    message: uuid.UUID
    case: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    kind: Kind
    voice: bool
    language: Language
    view: RecipientView
    allowed_actions: tuple[Event, ...]
    """What its recipient may do now: the same while the view is."""
    offer: str
    statements: list[str]
    """The message, its rendition and its captions as they were signed; empty until it was accepted."""
    parts: list[PartView]
    """The mediator's note at first; what was released, without headers, once it was accepted."""


class SignedConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant said about taking part, as it was signed.

    `origin`: the way in whose key signed it; none where a mediator or the case system recorded it.
    """

    statement: str
    origin: list[str]


class Consents(msgspec.Struct, frozen=True, kw_only=True):
    """What the two people of a message said last."""

    sender: SignedConsent | None
    recipient: SignedConsent | None


class WaitsFor(StrEnum):
    """Who has to do something before a message continues, as one of its mediators sees it."""

    YOU = "you"
    MEDIATOR = "mediator"
    """Another one: the one who reviews it, or has to approve it after the mediator who asks."""
    SENDER = "sender"
    RECIPIENT = "recipient"
    RELAY = "relay"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who reviews a message, and until when."""

    holder: uuid.UUID
    expires_at: datetime


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the review queue."""

    message: uuid.UUID
    case: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    voice: bool
    language: Language
    state: State
    revision: int
    waiting_since: datetime
    state_since: datetime
    waits_for: WaitsFor | None
    """None where it has ended."""
    approvals: int
    approvals_needed: int
    lease: Lease | None
    allowed_actions: tuple[Event, ...]
    """What the mediator who asks may do now."""
    failure: str | None


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Queue items; `next` asks for the following page."""

    items: list[QueueItem]
    next: str | None


class ReviewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the mediators of its case see it."""

    message: uuid.UUID
    case: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    voice: bool
    language: Language
    state: State
    revision: int
    waiting_since: datetime | None
    state_since: datetime
    waits_for: WaitsFor | None
    """None where it has ended, and for what was never sent."""
    created_at: datetime
    approvals: int
    approvals_needed: int
    lease: Lease | None
    allowed_actions: tuple[Event, ...]
    """What the mediator who asks may do now."""
    failure: str | None
    processing: Processing | None
    withdrawal_asked: bool
    """The author withdrew it when it was too late to take it back."""
    gates: list[Gate]
    """What would keep it from its recipient now."""
    origin: list[str]
    """Whose words these are: the link, its claim, the verification and endings; none if relayed."""
    consents: Consents
    """What an offer would rest on."""
    recipient_origin: list[str]
    """The verified way in whose key an offer would be for; none where there is none."""
    statement: str | None
    rendition: str | None
    captions: str | None
    offer: str | None
    decisions: list[str]
    parts: list[PartView]


class SignedRevision(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a message as it was signed; its parts are among those of the message."""

    revision: int
    sent_at: datetime
    statement: str
    origin: list[str]
    """Whose words these are: the link, its claim, the verification and endings; none if relayed."""


class PastMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Another message between the same two people."""

    message: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    kind: Kind
    voice: bool
    language: Language
    state: State
    revision: int
    created_at: datetime
    opened_at: datetime | None
    """When its recipient first opened it."""
    assisted: bool
    """Whether it names somebody who helped its sender."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What came before a message, for the mediators who review it."""

    revisions: list[SignedRevision]
    """Every revision of it, the first one first."""
    others: list[PastMessage]
    """Every other message that either of the two sent the other, the newest first."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What opens a released message, and all that its reader needs to verify it before they believe it."""

    statements: list[str]
    """The message, its rendition and its captions as they were signed."""
    approvals: list[str]
    """The decisions that approved exactly these."""
    origin: list[str]
    """Whose words these are: the link, its claim, the verification and endings; none if relayed."""
    consents: list[SignedConsent]
    """Those that the offer names: the sender's, then the recipient's."""
    parts: list[PartView]


class ReceiptRequest(_Request, frozen=True, kw_only=True):
    """The code that was given for a message sent through an upload link."""

    receipt: str


class ReceiptStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a message sent through an upload link."""

    view: AuthorView
    view_since: datetime
    failure: str | None
    reason: str | None
    """Of the mediator, where it came back or was closed; their own words are sealed."""


RELEASED_WITH: dict[Kind, frozenset[PartRole]] = {
    Kind.LETTER: frozenset({PartRole.BODY}),
    Kind.VIDEO: frozenset({PartRole.BODY, PartRole.RENDITION, PartRole.POSTER, PartRole.CAPTIONS}),
}
"""The roles of the parts that are released; the original of a video never is."""
