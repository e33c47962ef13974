"""What a reader says to each attack on each type of statement, written by hand; and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeAlias

from relay.crypto.signing import Signer
from relay.crypto.statements import (
    Captions,
    Charter,
    Claim,
    Consent,
    Credential,
    Decision,
    Link,
    LinkEnding,
    Message,
    Offer,
    Registration,
    Rendition,
    Response,
    Revocation,
    Session,
    Statement,
    Succession,
    Verification,
    Withdrawal,
)
from tests.vectors import people

STEPS: Final = (
    "trust",
    "charters",
    "anchor",
    "author_origin",
    "session",
    "message",
    "rendition",
    "captions",
    "recipient_origin",
    "offer",
    "response",
    "withdrawal",
)
"""What is verified, in this order. `offer` is the offer with the decisions and the consents."""

NOW: Final = people.noon_and(75)
"""When the recipient opens what was offered."""


RULES: Final[Mapping[str, tuple[str, str]]] = {
    "signer": (
        "only those whom section 3.3 names may sign it",
        r"not signed by anybody who may|signed by another key|of somebody else",
    ),
    "mac": (
        "only who held the link makes the MAC of a claim",
        r"MAC of the claim does not match",
    ),
    "role": (
        "a credential that no trusted root vouches for is set aside, and a charter lists it",
        r"without that role",
    ),
    "case": (
        "it is of another case",
        (
            r"of another case|does not follow|a claim of another link|fewer approvals"
            r"|another key than|a consent in another case"
        ),
    ),
    "place": (
        "it is of something else than what it is shown for",
        (
            r"of another|something else|another offer|another challenge|another consent"
            r"|another secret|does not follow|fewer approvals|share an id"
        ),
    ),
    "version": (
        "it names the version of the charter that was in force at its time",
        r"made under another charter",
    ),
    "anchor": (
        "the chain holds the version that the link's address fixes",
        r"another case than the one that the link leads to",
    ),
    "order": (
        "it is not older than what it names, give or take the clocks",
        (
            r"dated before what it names|before its key was there|does not follow"
            r"|made under another charter"
        ),
    ),
    "revoked": (
        "nothing counts that its signer says they signed after their credential was revoked",
        r"not signed by anybody who may",
    ),
    "person": (
        "approvals count persons, and this one approved already",
        r"fewer approvals",
    ),
    "standing": (
        "nothing counts that was signed with a link's keys after its end",
        r"has ended|is ended|nobody verified",
    ),
    "misused": (
        "nothing counts that came through a link that was misused",
        r"has ended|is ended|nobody verified",
    ),
    "replaced root": (
        "a root signs nothing after its successor took over; one such statement spoils the set",
        r"after its successor took over",
    ),
    "two successors": (
        "a root has one successor",
        r"two successors or two predecessors",
    ),
}
"""Why something is refused: the rule, and what relay's own reader says of it (a regular expression)."""

TOO_FEW: Final = r"fewer approvals"
"""What it says of a decision, whatever the rule: one that does not hold does not count."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A reader must stop at this step, by this rule."""

    at: str
    by: str


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """A reader goes on to the end: the protocol does not, or cannot, forbid it."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to try."""

    reason: str


Outcome: TypeAlias = Refused | Accepted | Nothing

BASE: Final = Accepted("this is who signs it")
AT_WORD: Final = Accepted(
    "`at` is its signer's word: a stolen key dates back to before its revocation; the log shows when it came"
)
SET_ASIDE: Final = Accepted("what no trusted root signed is set aside, and changes nothing")
STAYS: Final = Accepted("those whom a root vouched for before it was replaced go on")
SUCCEEDED: Final = Accepted("whoever pinned the successor follows its statement to the old root")
BEFORE_END: Final = Accepted(
    "what was signed before a link was replaced counts; that it was, is its signer's word"
)
BY_ROOT: Final = Nothing("a root is not revoked; it is succeeded")
BY_PARTICIPANT: Final = Nothing("a participant has no credential; their link is ended")
NO_LINK: Final = Nothing("it does not come through a link")
NO_CHARTER: Final = Nothing("it names no charter")
NO_MESSAGE: Final = Nothing("it is of no message")
NO_CASE: Final = Nothing("it is of no case")
NAMES_NOTHING: Final = Nothing("it names no other statement by its hash")
NOT_BY_ROOT: Final = Nothing("no root signs it")

STEP_OF: Final[Mapping[type[Statement], str]] = {
    Credential: "charters",
    Revocation: "trust",
    Succession: "trust",
    Registration: "charters",
    Charter: "charters",
    Link: "author_origin",
    LinkEnding: "author_origin",
    Claim: "author_origin",
    Verification: "author_origin",
    Session: "session",
    Message: "message",
    Rendition: "rendition",
    Captions: "captions",
    Decision: "offer",
    Offer: "offer",
    Response: "response",
    Withdrawal: "withdrawal",
    Consent: "offer",
}
"""Where a reader finds out that one of these is not what it should be."""

TYPES: Final = tuple(STEP_OF)


STRANGER: Final = people.keyring("Mallory").signer
ANNA, BORIS, CAROL = people.ANNA, people.BORIS, people.person("Carol", "mediator")
WORKER, SPARE_WORKER = people.WORKER, people.person("the other worker", "media")
SERVICE, SPARE_SERVICE = people.SERVICE, people.person("the other case system", "service")
RECOVERY = people.RECOVERY
VOUCHED: Final = (
    ANNA,
    BORIS,
    CAROL,
    WORKER,
    SPARE_WORKER,
    SERVICE,
    SPARE_SERVICE,
    RECOVERY,
)
SIGNERS: Final[Mapping[str, Signer]] = {
    "the root": people.ROOT,
    "its successor": people.NEW_ROOT,
    "Anna": ANNA.keyring.signer,
    "Boris": BORIS.keyring.signer,
    "Carol": CAROL.keyring.signer,
    "a worker": WORKER.keyring.signer,
    "a service": SERVICE.keyring.signer,
    "a recovery key": RECOVERY.keyring.signer,
    "the author": people.CLAIRE.keyring.signer,
    "the recipient": people.DENIS.keyring.signer,
    "an upload link": people.UPLOAD_SECRET.signer(people.UPLOAD_ID),
    "a stranger": STRANGER,
}
_MEDIATORS: Final = {
    name: Accepted("any mediator of the case may sign it") for name in ("Anna", "Boris", "Carol")
}
_SERVICE: Final = {"a service": Accepted("a service may sign it too")}
_RECORDED: Final = {
    name: Accepted("somebody may record it for the person") for name in ("Anna", "Boris", "Carol")
}

MAY_SIGN: Final[Mapping[type[Statement], Mapping[str, Outcome]]] = {
    Credential: {"the root": BASE},
    # Of Carol, from before she did anything: it shows at what she signed.
    Revocation: {
        **dict.fromkeys(SIGNERS, SET_ASIDE),
        "the root": Refused(at="author_origin", by="revoked"),
    },
    # The signer, or the stranger, in the place of the root, from before it vouched for anybody.
    Succession: {
        **dict.fromkeys(SIGNERS, SET_ASIDE),
        "the root": Refused(at="trust", by="replaced root"),
    },
    Registration: {"a service": BASE},
    Charter: {
        **{
            name: Accepted("any mediator of the version before may sign it")
            for name in ("Anna", "Boris")
        },
        "a recovery key": Accepted("a recovery key of the version before may sign a later one"),
    },
    Link: {**_MEDIATORS, **_SERVICE},
    LinkEnding: {**_MEDIATORS, **_SERVICE},
    Claim: {"the author": BASE},
    Verification: _MEDIATORS,
    Session: {"the author": BASE},
    Message: {"the author": BASE},
    Rendition: {"a worker": BASE},
    Captions: _MEDIATORS,
    Decision: {
        "Anna": Refused(at="offer", by="person"),
        "Boris": _MEDIATORS["Boris"],
        "Carol": BASE,
    },
    Offer: _MEDIATORS,
    Response: {"the recipient": BASE},
    Withdrawal: {"the author": BASE, **_RECORDED},
    Consent: {"the author": BASE, **_RECORDED, "a service": _RECORDED["Anna"]},
}
"""Who may sign a type; everybody else is refused at its step, by the rule `signer`."""

OTHERWISE: Final[Mapping[type[Statement], Outcome]] = {
    Credential: Refused(at="charters", by="role"),
    Claim: Refused(at="author_origin", by="mac"),
}


def _refused(
    by: str, *kinds: type[Statement], at: str | None = None
) -> dict[type[Statement], Outcome]:
    return {kind: Refused(at=at or STEP_OF[kind], by=by) for kind in kinds}


_BY_ROOT: Final = (Credential, Revocation, Succession)
_OPENING: Final = (Registration, Charter)
_MADE: Final = (Rendition, Captions, Decision)
_BY_PARTICIPANT: Final = (Claim, Session, Message, Response)
BY_PERSON: Final = (*_BY_PARTICIPANT, Withdrawal, Consent)
_REVOCABLE: Final = (
    Registration,
    Charter,
    Link,
    LinkEnding,
    Verification,
    Rendition,
    Captions,
    Decision,
    Offer,
    Withdrawal,
    Consent,
)
_WITH_CASE: Final = tuple(kind for kind in TYPES if kind not in {*_BY_ROOT, Session})
_WITH_CHARTER: Final = (Link, Message, Rendition, Offer)
_WITH_MESSAGE: Final = (Rendition, Captions, Decision, Offer, Response, Withdrawal)

TABLE: Final[Mapping[str, Mapping[type[Statement], Outcome]]] = {
    "other case": {
        **dict.fromkeys((*_BY_ROOT, Session), NO_CASE),
        **_refused("case", *_WITH_CASE),
    },
    "other message": {
        **dict.fromkeys(
            (*_BY_ROOT, *_OPENING, Link, LinkEnding, Claim, Verification, Session, Consent),
            NO_MESSAGE,
        ),
        **_refused("place", Message, at="rendition"),
        **_refused("place", *_WITH_MESSAGE),
    },
    "older charter": {
        **dict.fromkeys(set(TYPES) - {Charter, *_WITH_CHARTER}, NO_CHARTER),
        **_refused("anchor", Charter, at="anchor"),
        **_refused("version", *_WITH_CHARTER),
    },
    "older charter, dated into its time": {
        **dict.fromkeys(set(TYPES) - {*_WITH_CHARTER}, NO_CHARTER),
        Link: Accepted(
            "a mediator of that time could make one; `at` is their word, and the log shows when it came"
        ),
        **_refused("order", Message, Rendition, Offer),
    },
    "replayed in another place": {
        **_refused("place", *(kind for kind in TYPES if kind not in {Revocation, Succession})),
        **_refused("place", Credential, at="trust"),
        **_refused("place", Message, at="rendition"),
        Revocation: Accepted("a revocation is of one credential"),
        Succession: SET_ASIDE,
    },
    "dated back before a revocation": {
        **dict.fromkeys(_BY_ROOT, BY_ROOT),
        **dict.fromkeys(_BY_PARTICIPANT, BY_PARTICIPANT),
        **dict.fromkeys(_REVOCABLE, AT_WORD),
    },
    "dated back before a revocation, behind what it names": {
        **dict.fromkeys(_BY_ROOT, BY_ROOT),
        **dict.fromkeys(_BY_PARTICIPANT, BY_PARTICIPANT),
        **dict.fromkeys((Registration, Consent, Withdrawal), NAMES_NOTHING),
        **_refused("order", Charter, Link, LinkEnding, Verification, *_MADE, Offer),
    },
    "after a revocation": {
        **dict.fromkeys(_BY_ROOT, BY_ROOT),
        **dict.fromkeys(_BY_PARTICIPANT, BY_PARTICIPANT),
        **_refused("revoked", *_REVOCABLE),
    },
    "after a link's end": {
        **dict.fromkeys((*_BY_ROOT, *_OPENING), NO_LINK),
        Link: Nothing("nothing is made after its own end but what came through it"),
        LinkEnding: Accepted("of two endings the earlier counts"),
        **_refused("standing", Claim, Verification, at="message"),
        **_refused("standing", Session, Message, Response, Withdrawal, Consent),
        **dict.fromkeys(_MADE, Accepted("what was signed before the end may still be worked on")),
        **_refused("standing", Offer, at="recipient_origin"),
    },
    "dated back before a link's end": {
        **dict.fromkeys((*_BY_ROOT, *_OPENING), NO_LINK),
        Link: Nothing("nothing is made after its own end but what came through it"),
        LinkEnding: Accepted("of two endings the earlier counts"),
        **dict.fromkeys((*BY_PERSON, Verification), BEFORE_END),
        **dict.fromkeys(_MADE, Accepted("what was signed before the end may still be worked on")),
        Offer: Accepted("the recipient's link has not ended when they open it"),
    },
    "through a misused link": {
        **dict.fromkeys((*_BY_ROOT, *_OPENING), NO_LINK),
        **_refused("misused", Link, LinkEnding, Claim, Verification, Message, at="message"),
        **_refused("misused", Session),
        **_refused("misused", *_MADE, Withdrawal, Consent, at="message"),
        **_refused("misused", Offer, Response, at="recipient_origin"),
    },
    "after a succession": {
        **_refused("replaced root", Credential, Revocation, at="trust"),
        **_refused("two successors", Succession),
        **dict.fromkeys(set(TYPES) - {*_BY_ROOT}, STAYS),
    },
    "dated back before a succession": {
        Credential: Accepted("`at` is its signer's word, also of a root that was replaced"),
        Revocation: Accepted("`at` is its signer's word, also of a root that was replaced"),
        **dict.fromkeys(set(TYPES) - {*_BY_ROOT}, NOT_BY_ROOT),
        Succession: Nothing("it is what replaces the root"),
    },
    "under another root": {
        **_refused("role", Credential),
        **dict.fromkeys((Revocation, Succession), SET_ASIDE),
        **_refused("signer", Registration, Charter, Link, LinkEnding, Verification, *_MADE, Offer),
        **_refused("signer", Claim, Session, Message, Withdrawal, Consent, at="author_origin"),
        **_refused("signer", Response, at="recipient_origin"),
    },
    "under the successor of the root": dict.fromkeys(TYPES, SUCCEEDED),
    **{
        f"signed by {name}": {
            kind: MAY_SIGN[kind].get(
                name, OTHERWISE.get(kind, Refused(at=STEP_OF[kind], by="signer"))
            )
            for kind in TYPES
        }
        for name in SIGNERS
    },
}
"""What is expected of each attack on each type."""
