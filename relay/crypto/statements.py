"""Every act of a person, a worker or a system is a signed statement: what each says, and how it is verified.

A payload has one JSON text: all members in the order of the class, no white space, null for nothing.
Readers encode what they decoded and compare, so no two programs read one statement in two ways.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import msgspec

from relay.crypto.fields import (
    Audience,
    Digest,
    Identifier,
    Language,
    Ordinal,
    Part,
    PartRole,
    Pixels,
    PublicKey,
    ReasonCode,
    RecipientText,
    Time,
    Value,
    Whole,
)
from relay.crypto.signed import (
    Statement,
    StatementT,
    Verified,
    decode_unverified,
    sign,
    verified,
    verify,
)

__all__ = ["Statement", "StatementT", "Verified", "decode_unverified", "sign", "verified", "verify"]
"""Beside the statements below: a caller finds all there is to a statement in this one module."""


# Trust: who is who.


class Credential(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organization root vouches for the keys of one person, worker or system. Signed by the root."""

    typ: ClassVar[str] = "relay-credential+jws"
    credential: Identifier
    person: Identifier
    """Whose keys these are. Renewed keys are another credential of the same person."""
    role: Literal["mediator", "media", "recovery", "service"]
    recipient: RecipientText | None
    """None for a service, which reads nothing."""
    signer: PublicKey
    not_before: Time
    not_after: Time

    def __post_init__(self) -> None:
        """ValueError if the recipient is missing or one too many, or the validity is empty."""
        super().__post_init__()
        if (self.recipient is None) != (self.role == "service"):
            raise ValueError("a service has no recipient, every other role has one")
        if self.not_after <= self.not_before:
            raise ValueError("a credential must be valid for some time")


class Revocation(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential counts for nothing signed from `at` on. Signed by the root."""

    typ: ClassVar[str] = "relay-revocation+jws"
    credential: Identifier


class Succession(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new root takes the place of an old one from `at` on. Signed by each of the two, in two statements."""

    typ: ClassVar[str] = "relay-succession+jws"
    old: PublicKey
    new: PublicKey

    def __post_init__(self) -> None:
        """ValueError if a root would succeed itself."""
        super().__post_init__()
        if self.old == self.new:
            raise ValueError("a root does not succeed itself")


class Member(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One holder of a credential, named by its id and by the hash of the very statement."""

    credential: Identifier
    statement: Digest


class Policy(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the mediators of a case agreed on."""

    approvals: Literal[1, 2]
    captions: Literal["required", "optional"]
    server_processing: bool
    """Whether senders may seal a video for the media workers too."""
    retention_days: Ordinal


class Registration(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mediators may sign the first charter of a case.

    Signed by a service. Where the root vouches for none, by one of the mediators it lists.
    """

    typ: ClassVar[str] = "relay-registration+jws"
    case: Identifier
    mediators: list[Identifier]
    """Credentials."""

    def __post_init__(self) -> None:
        """ValueError if nobody is listed, or somebody twice."""
        super().__post_init__()
        if not self.mediators or len(set(self.mediators)) != len(self.mediators):
            raise ValueError("a registration lists a mediator, and nobody twice")


class Charter(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys and rules of a case.

    The first version is signed by a mediator whom the registration lists, every later one by a mediator
    or a recovery key of the version before.
    """

    typ: ClassVar[str] = "relay-charter+jws"
    case: Identifier
    version: Ordinal
    registration: Digest | None
    """Hash of the registration; None in later versions."""
    previous: Digest | None
    """Hash of the version before; None in the first."""
    recipient: RecipientText
    mediators: list[Member]
    media: list[Member]
    recovery: list[Member]
    """Whose recovery keys the identity of the case is sealed to."""
    policy: Policy

    def __post_init__(self) -> None:
        """ValueError if what comes before is not named, nobody mediates, or somebody is listed twice."""
        super().__post_init__()
        is_first = self.version == 1
        if (self.previous is None) != is_first or (self.registration is None) == is_first:
            raise ValueError("the first version names the registration, later ones the one before")
        members = [member.credential for member in (*self.mediators, *self.media, *self.recovery)]
        if not self.mediators or len(set(members)) != len(members):
            raise ValueError("a case has a mediator, and nobody is listed twice")


class Link(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way in for one participant. Signed by a mediator of the case, or by a service."""

    typ: ClassVar[str] = "relay-link+jws"
    link: Identifier
    case: Identifier
    charter: Digest
    """Hash of the latest charter when the link was made. It fixes every version up to that one."""
    participant: Identifier
    purpose: Literal["participate", "upload"]
    auth: Digest
    """SHA-256 of the link's bearer."""
    signer: PublicKey | None
    """The key that signs what comes through an upload link."""
    sealed: Digest | None
    """SHA-256 of the age file that holds the claim key, sealed to the case; None for an upload link."""
    expires: Time | None
    """Never None for an upload link."""

    def __post_init__(self) -> None:
        """ValueError unless exactly upload links have a signer and no claim key, and an end."""
        super().__post_init__()
        is_upload = self.purpose == "upload"
        if (self.signer is not None) != is_upload or (self.sealed is None) != is_upload:
            raise ValueError(
                "an upload link has a signer and no claim key, another one the reverse"
            )
        if is_upload and self.expires is None:
            raise ValueError("an upload link expires")


class LinkEnding(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link leads nowhere any more. Signed by a mediator of the case, or by a service.

    `replaced`: what was signed before `at` with the keys of its verified claim still counts.
    `misused`: nothing that ever came through it counts.
    """

    typ: ClassVar[str] = "relay-link-ending+jws"
    link: Identifier
    case: Identifier
    participant: Identifier
    reason: Literal["replaced", "misused"]


class Claim(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant makes a link theirs, with new keys. Signed by the new signer."""

    typ: ClassVar[str] = "relay-claim+jws"
    link: Identifier
    case: Identifier
    participant: Identifier
    recipient: RecipientText
    signer: PublicKey
    mac: Digest
    """What `links.claim_mac` makes: only who held the link can."""


class Verification(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mediator checked the MAC of a claim and heard from the person that it is theirs. Signed by them."""

    typ: ClassVar[str] = "relay-verification+jws"
    case: Identifier
    claim: Digest
    participant: Identifier
    recipient: RecipientText


class Session(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody signs in here and now. Signed by the person who does."""

    typ: ClassVar[str] = "relay-session+jws"
    challenge: Digest
    """32 random bytes of the server's."""
    audience: Audience
    """The public URL of the relay: a signature for one does not work at another."""


# Messages: what was said, and what was done with it.


class Message(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision of a letter or a video. Signed by its sender."""

    typ: ClassVar[str] = "relay-message+jws"
    case: Identifier
    charter: Digest
    """Hash of the charter in force when this was made."""
    message: Identifier
    revision: Ordinal
    supersedes: Digest | None
    """Hash of the revision before."""
    sender: Identifier = msgspec.field(name="from")
    recipient: Identifier = msgspec.field(name="to")
    kind: Literal["letter", "video"]
    language: Language
    parts: list[Part]

    def __post_init__(self) -> None:
        """ValueError if the revision before is not named, or the parts are not those of its kind."""
        super().__post_init__()
        if (self.supersedes is None) != (self.revision == 1):
            raise ValueError("every revision but the first names the one before it")
        if self.sender == self.recipient:
            raise ValueError("nobody writes to themselves")
        if self.kind == "letter":
            _check_parts(self.parts, needed="body", allowed=("note",))
        else:
            _check_parts(self.parts, needed="original", allowed=("body", "captions", "note"))


class Rendition(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a media worker made of a video. Signed by the worker."""

    typ: ClassVar[str] = "relay-rendition+jws"
    case: Identifier
    charter: Digest
    """Hash of the charter in force when this was made."""
    message: Identifier
    revision: Ordinal
    source: Digest
    """Hash of the message statement it came from."""
    parts: list[Part]
    size: Whole
    """Bytes of the rendition, opened."""
    duration_ms: Whole
    width: Pixels
    height: Pixels
    profile: Literal["h264-720p", "audio"]

    def __post_init__(self) -> None:
        """ValueError unless there is one rendition, and at most a poster with it."""
        super().__post_init__()
        _check_parts(self.parts, needed="rendition", allowed=("poster",))


class Captions(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Captions for a video, or why it has none. Signed by a mediator."""

    typ: ClassVar[str] = "relay-captions+jws"
    case: Identifier
    message: Identifier
    revision: Ordinal
    source: Digest
    rendition: Digest | None
    language: Language
    part: Part | None
    exception: ReasonCode | None

    def __post_init__(self) -> None:
        """ValueError unless there is either a part or an exception."""
        super().__post_init__()
        if (self.part is None) == (self.exception is None):
            raise ValueError("either captions or a reason why there are none")
        if self.part is not None:
            _check_parts([self.part], needed="captions")


class Decision(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a mediator decided on one revision, and what exactly was before them. Signed by the mediator."""

    typ: ClassVar[str] = "relay-decision+jws"
    case: Identifier
    message: Identifier
    revision: Ordinal
    source: Digest
    rendition: Digest | None
    captions: Digest | None
    decision: Literal[
        "approve", "return", "decline", "hold", "resume", "reopen", "retract", "recall", "retry"
    ]
    reason: ReasonCode | None
    notes: list[Part]
    """The mediator's own words to the sender."""

    def __post_init__(self) -> None:
        """ValueError if a decision that needs a reason has none, or a note is not one."""
        super().__post_init__()
        if self.decision in {"return", "decline", "hold"} and self.reason is None:
            raise ValueError("a return, a decline or a hold needs a reason")
        _check_notes(self.notes)


class GrantedPart(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One grant of an offer: which part, and which header opens it."""

    commit: Digest
    """The commitment of the part, which tells it from all others."""
    header: Digest
    """SHA-256 of the header written for the recipient."""


OFFER_CONSENTS: Final = 2
"""The sender's and the recipient's."""

OFFER_NOTES: Final = 2
"""A content note, and a summary of the mediator's."""


class Offer(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mediator releases exactly these parts to exactly this key. Signed by the mediator."""

    typ: ClassVar[str] = "relay-offer+jws"
    case: Identifier
    charter: Digest
    """Hash of the charter in force when this was made."""
    message: Identifier
    revision: Ordinal
    source: Digest
    rendition: Digest | None
    captions: Digest | None
    recipient: RecipientText
    claim: Digest
    """Hash of the recipient's claim."""
    consents: list[Digest]
    """Hashes of the two consents it rests on: the sender's, then the recipient's."""
    grants: list[GrantedPart]
    notes: list[Part]
    """The mediator's own words to the recipient: first what kind of message it is, then a summary of it."""
    not_before: Time | None

    def __post_init__(self) -> None:
        """ValueError without two consents, if nothing or something twice is granted, or a note is none."""
        super().__post_init__()
        if len(self.consents) != OFFER_CONSENTS or len(set(self.consents)) != OFFER_CONSENTS:
            raise ValueError("an offer rests on the consents of two people")
        if not self.grants or len({grant.commit for grant in self.grants}) != len(self.grants):
            raise ValueError("an offer grants something, and each part once")
        if len(self.notes) > OFFER_NOTES:
            raise ValueError("a content note and a summary, and no more")
        _check_notes(self.notes)


class Response(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipient answers to an offer, and whether the author may know. Signed by the recipient."""

    typ: ClassVar[str] = "relay-response+jws"
    case: Identifier
    message: Identifier
    offer: Digest
    answer: Literal["accept", "wait", "refuse", "close"]
    """`close` ends the recipient's own access, after they opened it."""
    tell_author: bool


class Withdrawal(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender takes a message back. Signed by the sender, or by a mediator who recorded it."""

    typ: ClassVar[str] = "relay-withdrawal+jws"
    case: Identifier
    message: Identifier
    participant: Identifier


class Disposal(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was written in a case is destroyed, with every grant and every key. Signed by a media worker.

    The certificate says of how much, and where the log of the case ended before it.
    """

    typ: ClassVar[str] = "relay-disposal+jws"
    case: Identifier
    charter: Digest | None
    """Hash of the charter whose retention period is over; None for a case that had no charter."""
    closed: Time
    """Since when the case was closed."""
    rows: Whole
    """Of its log before the one that names this."""
    head: Digest
    """Hash of the last of them."""
    messages: Whole
    """How many there were, drafts too."""
    parts: Whole
    """How many sealed bodies they had."""
    size: Whole
    """Bytes of those, sealed."""


class Consent(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant continues, pauses, or ends contact.

    Signed by them, or by a mediator or a service that recorded it.
    """

    typ: ClassVar[str] = "relay-consent+jws"
    case: Identifier
    participant: Identifier
    status: Literal["active", "paused", "withdrawn"]


def _check_parts(
    parts: list[Part], *, needed: PartRole, allowed: tuple[PartRole, ...] = ()
) -> None:
    """One part of the role `needed`, and at most one each of those `allowed` with it."""
    roles = [part.role for part in parts]
    if needed not in roles or len(set(roles)) != len(roles) or {*roles} - {needed, *allowed}:
        raise ValueError("the parts are not those that belong here")
    _check_commitments(parts)


def _check_notes(parts: list[Part]) -> None:
    if any(part.role != "note" for part in parts):
        raise ValueError("a part that is not a note")
    _check_commitments(parts)


def _check_commitments(parts: list[Part]) -> None:
    """Two parts with one file key would both be opened by a grant of either."""
    if len({part.commit for part in parts}) != len(parts):
        raise ValueError("two parts share a file key")
