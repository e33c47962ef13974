"""Cases, participants and pairs, as they are said to and by relay."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from relay.domain.paging import read_place
from relay.errors import Conflict, Forbidden, InvalidRequest, NotFound

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+\Z"
"""No control characters: the database takes no NUL, and a log no line feeds."""

Reference: TypeAlias = Annotated[str, msgspec.Meta(pattern=PRINTABLE, min_length=1, max_length=200)]
"""What the case system calls a case."""

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time that says of which zone it is."""


WITHOUT_CHARTER_DAYS: Final = 30
"""How long a closed case is kept that never had a charter: nothing was written in it."""
RETENTION_MAX_DAYS: Final = 36_500
"""A charter that says more than a hundred years means a hundred."""


def retention(days: int | None) -> timedelta:
    """How long a case is kept after closing, by what its charter says; None for one without a charter."""
    return timedelta(days=min(days or WITHOUT_CHARTER_DAYS, RETENTION_MAX_DAYS))


class ParticipantRole(StrEnum):
    """In which part somebody takes part."""

    HARMED = "harmed"
    HARMED_FAMILY = "harmed-family"
    REPRESENTATIVE = "representative"
    RESPONSIBLE = "responsible"
    RESPONSIBLE_FAMILY = "responsible-family"


class CaseState(StrEnum):
    """What can be done in a case."""

    REGISTERED = "registered"
    """It has no charter yet: nothing can be written in it."""
    OPEN = "open"
    CLOSED = "closed"
    DISPOSED = "disposed"
    """Nothing is left of what was written in it."""


class Consent(StrEnum):
    """What a participant said last about taking part."""

    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"


class CaseExists(Conflict):
    """Another case has this identifier or reference."""

    code = "case-exists"


class UnknownMediator(InvalidRequest):
    """A mediator whom the root does not vouch for, or no more; `mediators` are those."""

    code = "unknown-mediator"


class RegistrationMissing(InvalidRequest):
    """Mediators are named whom the case system has to sign for, and nothing is signed."""

    code = "registration-missing"


class RoleChanged(Conflict):
    """A participant is in the case with another role; `participant` is who."""

    code = "role-changed"


class ParticipantDropped(Conflict):
    """A participant of the case is not named any more; `participants` are those."""

    code = "participant-dropped"


class CaseClosed(Conflict):
    """Nothing is begun, sent or offered any more in a case that is closed."""

    code = "case-closed"


class CaseDisposed(NotFound):
    """Nothing is left of what was written in the case, and nothing is done in it any more.

    The guard of the schema says so to whoever acts in the case; those whose case it never was are told that
    there is none (relay/services/cases.py, is_known_to).
    """

    code = "case-disposed"

    def __init__(self, case_id: uuid.UUID) -> None:
        self.case_id = case_id
        super().__init__()


class HoldExists(Conflict):
    """Another hold of this case has this identifier."""

    code = "hold-exists"


class HoldOfAnother(Forbidden):
    """A hold of the case system, which no mediator lifts."""

    code = "hold-of-another"


class CharterOutOfOrder(Conflict):
    """A charter that does not name the one in force as its predecessor."""

    code = "charter-out-of-order"


class ApprovalsLowered(Conflict):
    """A charter that asks for fewer approvals than the one before."""

    code = "approvals-lowered"


class CharterChanged(Conflict):
    """Sealed or signed under a charter that is no longer in force."""

    code = "charter-changed"


class CharterInvalid(InvalidRequest):
    """A charter that a reader would refuse."""

    code = "charter-invalid"


class OwnWordNeeded(Conflict):
    """Consent that only the person themselves can give again."""

    code = "own-word-needed"


class NotTwoPeople(InvalidRequest):
    """A pair that is not two different participants of the case."""

    code = "not-two-people"


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant of a case that is registered: an opaque reference and a part, no name."""

    participant: uuid.UUID
    role: ParticipantRole


class CaseRegistration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the case system, or a mediator, says when it registers a case.

    `pairs` are those who may write to each other; with exactly two participants they are a pair anyway.
    `statement` is a signed registration: which of the mediators may sign the first charter. Once there is
    a charter, `mediators` is a proposal for the next one.
    """

    reference: Reference
    participants: list[NewParticipant]
    mediators: list[uuid.UUID] = []
    pairs: list[tuple[uuid.UUID, uuid.UUID]] = []
    statement: str | None = None

    def all_pairs(self) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """The pairs, the obvious one included; NotTwoPeople where one is not a pair of this case."""
        known = {entry.participant for entry in self.participants}
        pairs = list(self.pairs)
        if not pairs and len(known) == 2:  # noqa: PLR2004 - a pair is two
            pairs.append((self.participants[0].participant, self.participants[1].participant))
        for one, other in pairs:
            if one == other or not {one, other} <= known:
                raise NotTwoPeople
        return pairs


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """A participant, as mediators and the case system see them."""

    participant: uuid.UUID
    role: ParticipantRole
    number: int | None
    """Counts those with this role, in the order in which they were registered; None for the only one."""
    consent: Consent | None
    consent_at: datetime | None


class PairView(msgspec.Struct, frozen=True, kw_only=True):
    """Two who may write to each other, unless there is a no-contact fact."""

    one: uuid.UUID
    other: uuid.UUID
    no_contact: bool


class CaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a case wait for whom, and what there is to do about its links."""

    you: int
    """For the mediator who asks; none for the case system."""
    mediator: int
    sender: int
    recipient: int
    relay: int
    claims: int
    """Links that somebody used; nobody has checked who."""
    unused_links: int
    """Links to take part that nobody has used."""


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A case by itself."""

    case: uuid.UUID
    reference: str
    charter_version: int
    """0 until a mediator has opened the case with its first charter."""
    approvals: int
    captions_required: bool
    server_processing: bool
    proposed_mediators: list[uuid.UUID] | None
    """Whom the case system asks for; the next charter ends the proposal."""
    created_at: datetime
    closed_at: datetime | None
    """Since when nothing is begun, sent, offered or released in it."""
    retention_days: int | None
    """How long after closing it is kept, by the charter in force."""
    disposal_due_at: datetime | None
    """From when on it is disposed of, unless somebody holds it; None while it is open."""
    disposed_at: datetime | None
    """Since when nothing is left of what was written in it."""
    media: list[uuid.UUID]
    """The credentials of the media workers that the charter in force lists; empty without one."""
    recovery: list[uuid.UUID]
    """Those of its recovery keys."""


class ListedFacts(CaseFacts, frozen=True, kw_only=True):
    """A case by itself, and when it last changed."""

    state: CaseState
    changed_at: datetime
    """When the newest row of its log was written that is about no message.

    What people do with a message moves nothing: whoever compares times would tell a refusal from an opening.
    """


class CaseSummary(ListedFacts, frozen=True, kw_only=True):
    """A case in a list."""

    participants: list[ParticipantView]
    figures: CaseFigures


class CaseView(CaseFacts, frozen=True, kw_only=True):
    """A case with what there is between its people."""

    participants: list[ParticipantView]
    figures: CaseFigures
    pairs: list[PairView]
    mediators: list[uuid.UUID]


class CasesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of cases, of those that every filter fits; `after` is `next` of the page before.

    In the order of their identifiers; with `changed_since` those that changed then or later, in the order
    of their last change, so that a case that changes meanwhile comes once more and none is left out.
    """

    reference: Reference | None = None
    state: CaseState | None = None
    mediator: uuid.UUID | None = None
    changed_since: Moment | None = None
    after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50

    @property
    def states(self) -> list[CaseState]:
        """The states that are asked for."""
        return list(CaseState) if self.state is None else [self.state]

    @property
    def place(self) -> CasePlace:
        """What comes before the page; InvalidRequest for the place of another order, and no time."""
        if self.after is not None:
            place = read_place(self.after, CasePlace)
            if (place.changed_at is None) != (self.changed_since is None):
                raise InvalidRequest("a place in another order", problem="after")
            return place
        if self.changed_since is None:
            return CasePlace()
        try:
            return CasePlace(changed_at=self.changed_since.astimezone(UTC))
        except OverflowError:
            raise InvalidRequest("no time of ours", problem="changed_since") from None


class CasePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in a list of cases; without a time in the order of identifiers."""

    case: uuid.UUID = uuid.UUID(int=0)
    changed_at: Moment | None = None


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Cases in the order that was asked for; `next` asks for the following page."""

    cases: list[CaseSummary]
    next: str | None


class CharterFiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed charter with the case's identities, sealed to the mediators and recovery keys it names.

    `registration` comes with the first charter where nobody registered who may open the case.
    """

    statement: str
    key_file: bytes
    registration: str | None = None


class CharterView(msgspec.Struct, frozen=True, kw_only=True):
    """A charter with the sealed identities of the case."""

    version: int
    statement: str
    key_file: bytes


class Charters(msgspec.Struct, frozen=True, kw_only=True):
    """The charters of a case, oldest first, and the registration that the first one follows from."""

    registration: str | None
    charters: list[CharterView]


class NoContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the two may have no contact."""

    no_contact: bool


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the case is closed."""

    closed: bool


class NewHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a case must not be disposed of, though its time has come. Both texts are stored in the clear."""

    name: Annotated[str, msgspec.Meta(pattern=PRINTABLE, min_length=1, max_length=100)]
    """What the people who run the case know it by, such as the number of an order."""
    reason: Annotated[str, msgspec.Meta(pattern=PRINTABLE, min_length=1, max_length=500)]


class CaseHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold on a case."""

    hold: uuid.UUID
    name: str
    reason: str
    placed_by: str
    """`service:` or `mediator:` and who, as the log names them."""
    placed_at: datetime


class CaseHolds(msgspec.Struct, frozen=True, kw_only=True):
    """Every hold on a case, the oldest first."""

    holds: list[CaseHold]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """That a case was disposed of: a signed `relay-disposal+jws`."""

    statement: str


class Correspondent(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody a participant may write to."""

    participant: uuid.UUID
    role: ParticipantRole
    number: int | None
    """As for everybody else in the case; None for the only one with this role whom they may write to."""
