"""What each kind of row must have behind it: who may be named in it, which statement, and what that says.

The one table of the audit. A kind that is not in it is a finding; a test compares it with every row that
relay can write. What a row changes is in `replay.py`, as far as the transition table does not say it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from relay.crypto.statements import (
    Captions,
    Charter,
    Claim,
    Consent,
    Decision,
    Disposal,
    Link,
    LinkEnding,
    Message,
    Offer,
    Registration,
    Rendition,
    Response,
    Statement,
    Verification,
    Withdrawal,
)
from relay.domain.transitions import TRANSITIONS, Event


class Who(StrEnum):
    """Who a row may name as having done it: the word before the colon in `actor`."""

    MEDIATOR = "mediator"
    PARTICIPANT = "participant"
    SERVICE = "service"
    WORKER = "media"
    RECOVERY = "recovery"
    LINK = "link"
    """Anyone who held a link."""
    CLOCK = "clock"


class Fact(Enum):
    """Something that the row says, or that the rows before it led to."""

    CASE = "case"
    CHARTER = "charter"
    """The charter in force."""
    CONSENTS = "consents"
    """The consents of sender and recipient."""
    MESSAGE = "message"
    ACTOR = "actor"
    """The participant whom the row names; nothing to compare with where it names somebody else."""
    SENDER = "sender"
    RECIPIENT = "recipient"
    REVISION = "revision"
    SOURCE = "source"
    """The statement of the words that are there: of a new revision, the one that it supersedes."""
    RENDITION = "rendition"
    CAPTIONS = "captions"
    OFFER = "offer"


Says: TypeAlias = Mapping[str, object]
"""Members of a statement, and the fact or the very value that each must have."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of row."""

    who: frozenset[Who]
    statement: type[Statement] | None = None
    """What must be behind the row; None where nobody signs anything."""
    says: Says = dataclasses.field(default_factory=dict)
    of_message: bool = False
    event: Event | None = None
    """The transition that the row is; None where no state changes."""


_MEDIATOR: Final = frozenset({Who.MEDIATOR})
_SENDER: Final = frozenset({Who.PARTICIPANT})
_RECIPIENT: Final = frozenset({Who.PARTICIPANT})
_SENDER_OR_MEDIATOR: Final = frozenset({Who.PARTICIPANT, Who.MEDIATOR})
_OFFICE: Final = frozenset({Who.MEDIATOR, Who.SERVICE})
_ANYBODY: Final = frozenset({Who.PARTICIPANT, Who.MEDIATOR, Who.SERVICE})
_WORKER: Final = frozenset({Who.WORKER})
_SERVICE: Final = frozenset({Who.SERVICE})
_LINK: Final = frozenset({Who.LINK})
_CLOCK: Final = frozenset({Who.CLOCK})

_IN_CASE: Final[Says] = {"case": Fact.CASE, "charter": Fact.CHARTER}
_OF_MESSAGE: Final[Says] = {"case": Fact.CASE, "message": Fact.MESSAGE}
_OF_WORDS: Final[Says] = {**_OF_MESSAGE, "revision": Fact.REVISION, "source": Fact.SOURCE}
_OF_ITEM: Final[Says] = {**_OF_WORDS, "rendition": Fact.RENDITION, "captions": Fact.CAPTIONS}
_OF_OFFER: Final[Says] = {**_IN_CASE, **_OF_ITEM, "consents": Fact.CONSENTS}


def _event(
    event: Event,
    who: frozenset[Who],
    statement: type[Statement] | None = None,
    says: Says | None = None,
) -> tuple[str, Kind]:
    kind = Kind(who=who, statement=statement, says=says or {}, of_message=True, event=event)
    return event.value, kind


def _submission(event: Event, who: frozenset[Who], kind: str) -> tuple[str, Kind]:
    says = {
        **_IN_CASE,
        **_OF_MESSAGE,
        "revision": Fact.REVISION,
        "supersedes": Fact.SOURCE,
        "sender": Fact.SENDER,
        "recipient": Fact.RECIPIENT,
        "kind": kind,
    }
    return _event(event, who, Message, says)


def _decision(event: Event, decision: str | None = None) -> tuple[str, Kind]:
    return _event(event, _MEDIATOR, Decision, {**_OF_ITEM, "decision": decision or event.value})


def _response(event: Event) -> tuple[str, Kind]:
    says = {**_OF_MESSAGE, "offer": Fact.OFFER, "answer": event.value}
    return _event(event, _RECIPIENT, Response, says)


def _consent(status: str) -> tuple[str, Kind]:
    says = {"case": Fact.CASE, "participant": Fact.ACTOR, "status": status}
    return f"consent-{status}", Kind(who=_ANYBODY, statement=Consent, says=says)


def _link(purpose: str) -> tuple[str, Kind]:
    says = {**_IN_CASE, "purpose": purpose}
    return f"link-made-to-{purpose}", Kind(who=_OFFICE, statement=Link, says=says)


def _ending(reason: str) -> tuple[str, Kind]:
    says = {"case": Fact.CASE, "reason": reason}
    return f"link-{reason}", Kind(who=_OFFICE, statement=LinkEnding, says=says)


def _captions(kind: str, without: str) -> tuple[str, Kind]:
    says = {**_OF_WORDS, "rendition": Fact.RENDITION, without: None}
    return kind, Kind(who=_MEDIATOR, statement=Captions, says=says, of_message=True)


KINDS: Final[Mapping[str, Kind]] = dict(
    [
        # The case and its people.
        ("case-registered", Kind(who=_OFFICE)),
        ("case-changed", Kind(who=_OFFICE)),
        (
            "mediators-registered",
            Kind(who=_OFFICE, statement=Registration, says={"case": Fact.CASE}),
        ),
        ("mediators-proposed", Kind(who=_SERVICE)),
        (
            "charter-filed",
            Kind(
                who=frozenset({Who.MEDIATOR, Who.RECOVERY}),
                statement=Charter,
                says={"case": Fact.CASE},
            ),
        ),
        _consent("active"),
        _consent("paused"),
        _consent("withdrawn"),
        ("case-closed", Kind(who=_OFFICE)),
        ("case-reopened", Kind(who=_OFFICE)),
        ("hold-placed", Kind(who=_OFFICE)),
        ("hold-lifted", Kind(who=_OFFICE)),
        ("case-disposed", Kind(who=_WORKER, statement=Disposal, says={"case": Fact.CASE})),
        ("case-disposed-again", Kind(who=_WORKER, statement=Disposal, says={"case": Fact.CASE})),
        ("no-contact-set", Kind(who=_SERVICE)),
        ("no-contact-lifted", Kind(who=_SERVICE)),
        _link("participate"),
        _link("upload"),
        (
            "link-claimed",
            Kind(
                who=_SENDER,
                statement=Claim,
                says={"case": Fact.CASE, "participant": Fact.ACTOR},
            ),
        ),
        ("second-claim-refused", Kind(who=_LINK)),
        ("passphrase-tries-limited", Kind(who=_LINK)),
        (
            "claim-verified",
            Kind(who=_MEDIATOR, statement=Verification, says={"case": Fact.CASE}),
        ),
        _ending("replaced"),
        _ending("misused"),
        # A message: its sender.
        ("draft-begun", Kind(who=_SENDER, of_message=True)),
        _submission(Event.SUBMIT_LETTER, _SENDER_OR_MEDIATOR, "letter"),
        _submission(Event.SUBMIT_VIDEO, _SENDER, "video"),
        _event(Event.REVISE, _SENDER_OR_MEDIATOR),
        _event(Event.DISCARD, _SENDER),
        _event(
            Event.WITHDRAW,
            _SENDER_OR_MEDIATOR,
            Withdrawal,
            {**_OF_MESSAGE, "participant": Fact.SENDER},
        ),
        (
            "withdrawal-asked",
            Kind(
                who=_SENDER_OR_MEDIATOR,
                statement=Withdrawal,
                says={**_OF_MESSAGE, "participant": Fact.SENDER},
                of_message=True,
            ),
        ),
        # The media worker.
        _event(Event.FINISH_PROCESSING, _WORKER, Rendition, {**_IN_CASE, **_OF_WORDS}),
        _event(Event.FAIL_PROCESSING, _WORKER),
        # The mediators.
        _event(Event.LEASE, _MEDIATOR),
        _event(Event.LET_GO, _MEDIATOR),
        _captions("captions-added", without="exception"),
        _captions("captions-excepted", without="part"),
        _decision(Event.APPROVE_FIRST, "approve"),
        _decision(Event.APPROVE),
        _decision(Event.RETURN),
        _decision(Event.DECLINE),
        _decision(Event.HOLD),
        _decision(Event.RESUME),
        _decision(Event.REOPEN),
        _decision(Event.RETRACT),
        _decision(Event.RECALL),
        _decision(Event.RETRY),
        _event(Event.OFFER, _MEDIATOR, Offer, _OF_OFFER),
        ("granted-again", Kind(who=_MEDIATOR, statement=Offer, says=_OF_OFFER, of_message=True)),
        # The recipient.
        _response(Event.ACCEPT),
        _response(Event.WAIT),
        _response(Event.REFUSE),
        _response(Event.CLOSE),
        _event(Event.OPEN, _RECIPIENT),
        # Nobody: time passed.
        _event(Event.LAPSE, _CLOCK),
        _event(Event.EXPIRE, _CLOCK),
    ]
)

OF_OPEN_CASES: Final = frozenset(
    {
        *("draft-begun", "granted-again", "link-made-to-participate", "link-made-to-upload"),
        *(Event.SUBMIT_LETTER, Event.SUBMIT_VIDEO, Event.REVISE),
        *(transition.event for transition in TRANSITIONS if transition.gated and transition.logged),
    }
)
"""What is not done in a case that is closed."""
