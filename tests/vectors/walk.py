"""Every type of statement, attacked in every way: what is expected of a reader, and why.

A cell is one type under one attack. It changes a released video and all that it rests on in one place; what
comes after that place is made to fit where it would otherwise be refused for not fitting. The table is
written by hand; `cells` makes the statements.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.links import ANCHOR_BYTES, claim_mac
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
    Member,
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
    decode_unverified,
)
from tests.vectors import people
from tests.vectors.chains import Json, revocation, succession, time

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

# Why.

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

# Who signs in the walk. Boris is a mediator of both charters and has done nothing yet.

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
_BY_PERSON: Final = (*_BY_PARTICIPANT, Withdrawal, Consent)
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
        **dict.fromkeys((*_BY_PERSON, Verification), BEFORE_END),
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


# The statements.


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to one statement: other members, another signer, or another text altogether."""

    by: Signer | None = None
    members: Mapping[str, object] = dataclasses.field(default_factory=dict)
    text: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a recipient's reader is given, with what was changed in it."""

    changes: Mapping[str, Change] = dataclasses.field(default_factory=dict)
    """By the name of the statement."""
    settled: bool = True
    """Whether what comes after a change names what was changed, and not what was there before."""
    root: Signer = people.ROOT
    foreign: Sequence[people.Person] = ()
    """People of another root, whose credentials are among the others."""
    revocations: Sequence[str] = ()
    successions: Sequence[str] = ()
    charters: int = 2
    """How many versions the relay shows."""
    more_endings: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Of the `author`'s and the `recipient`'s link."""
    shown: frozenset[type[Statement]] = frozenset()
    """Which of Session, Response and Withdrawal are there too."""


OTHER_CASE: Final = people.identifier("another case")
OTHER_MESSAGE: Final = people.identifier("another message")


def statements(world: World) -> dict[str, str]:
    """Every statement of a world by its name."""
    made: dict[str, str] = {}
    before = made if world.settled else base()

    def put(name: str, signer: Signer, statement: Statement) -> None:
        change = world.changes.get(name, Change())
        by = change.by or signer
        made[name] = change.text or people.resigned(by, statement, **change.members)

    def named(name: str) -> str:
        return people.hash_of(before[name])

    def member(person: people.Person) -> Member:
        name = _credential(person)
        return Member(credential=person.credential.credential, statement=named(name))

    for person in VOUCHED:
        put(_credential(person), people.ROOT, person.credential)
    listed = [member(person) for person in (ANNA, BORIS, CAROL)]
    registered = [person.credential.credential for person in (ANNA, BORIS)]
    put(
        "registration",
        SERVICE.keyring.signer,
        Registration(case=people.CASE, mediators=registered, at=people.NOON),
    )
    first = people.charter(
        1,
        None,
        registration=named("registration"),
        mediators=listed[:2],
        media=[member(WORKER), member(SPARE_WORKER)],
        recovery=[member(RECOVERY)],
    )
    put("charter_1", ANNA.keyring.signer, first)
    second = people.charter(
        2,
        named("charter_1"),
        mediators=listed,
        media=[member(WORKER), member(SPARE_WORKER)],
        recovery=[member(RECOVERY)],
    )
    put("charter_2", ANNA.keyring.signer, second)
    under = {"charter": named("charter_2")}
    for role, came, maker in (
        ("author", people.CLAIRE, ANNA),
        ("recipient", people.DENIS, SERVICE),
    ):
        put(f"{role}_link", maker.keyring.signer, msgspec.structs.replace(came.link, **under))
        put(f"{role}_claim", came.keyring.signer, came.claim)
        verification = Verification(
            case=people.CASE,
            claim=named(f"{role}_claim"),
            participant=came.id,
            recipient=came.claim.recipient,
            at=people.noon_and(30),
        )
        put(f"{role}_verification", CAROL.keyring.signer, verification)
    ended = decode_unverified(people.ending(people.CLAIRE.link), LinkEnding)
    put("author_ending", CAROL.keyring.signer, ended)
    put("author_consent", people.CLAIRE.keyring.signer, people.CLAIRES_CONSENT)
    put("recipient_consent", CAROL.keyring.signer, people.DENIS_CONSENT)
    put(
        "session",
        people.CLAIRE.keyring.signer,
        msgspec.structs.replace(people.SESSION, at=people.noon_and(35)),
    )
    put("message", people.CLAIRE.keyring.signer, msgspec.structs.replace(people.VIDEO, **under))
    of: dict[str, object] = {"source": named("message")}
    put(
        "rendition", WORKER.keyring.signer, msgspec.structs.replace(people.RENDITION, **under, **of)
    )
    of["rendition"] = named("rendition")
    put("captions", ANNA.keyring.signer, msgspec.structs.replace(people.CAPTIONS, **of))
    of["captions"] = named("captions")
    approval = decode_unverified(people.approval(ANNA, **of), Decision)
    put("first_decision", ANNA.keyring.signer, approval)
    put("decision", CAROL.keyring.signer, approval)
    offer = people.offer(
        **under,
        **of,
        claim=named("recipient_claim"),
        consents=[named("author_consent"), named("recipient_consent")],
    )
    put("offer", CAROL.keyring.signer, offer)
    response = msgspec.structs.replace(people.RESPONSE, offer=named("offer"))
    put("response", people.DENIS.keyring.signer, response)
    withdrawal = Withdrawal(
        case=people.CASE,
        message=people.VIDEO.message,
        participant=people.CLAIRE.id,
        at=people.noon_and(41),
    )
    put("withdrawal", people.CLAIRE.keyring.signer, withdrawal)
    return made


@functools.cache
def base() -> dict[str, str]:
    """The statements of a world in which nothing was changed."""
    return statements(World())


def _credential(person: people.Person) -> str:
    return f"credential of {person.name}"


NAME_OF: Final[Mapping[type[Statement], str]] = {
    Credential: _credential(BORIS),
    Registration: "registration",
    Charter: "charter_2",
    Link: "author_link",
    LinkEnding: "author_ending",
    Claim: "author_claim",
    Verification: "author_verification",
    Session: "session",
    Message: "message",
    Rendition: "rendition",
    Captions: "captions",
    Decision: "decision",
    Offer: "offer",
    Response: "response",
    Withdrawal: "withdrawal",
    Consent: "author_consent",
}
"""Which statement of a world is attacked; revocations and successions are beside them."""

_WHEN: Final[Mapping[type[Statement], int]] = {
    Registration: 0,
    Charter: 2,
    Link: 10,
    LinkEnding: 100,
    Verification: 30,
    Rendition: 50,
    Captions: 55,
    Decision: 60,
    Offer: 70,
    Withdrawal: 41,
    Consent: 32,
}
"""At which step each is signed that somebody with a credential may sign."""

_BEHIND: Final[Mapping[type[Statement], int]] = {
    Charter: 1,
    Link: 2,
    LinkEnding: 10,
    Verification: 20,
    Rendition: 40,
    Captions: 50,
    Decision: 55,
    Offer: 55,
}
"""At which step the latest of what it names was signed."""


def _spare(kind: type[Statement]) -> people.Person:
    """Whose credential is revoked: somebody on whom nothing else rests."""
    return {Registration: SPARE_SERVICE, Rendition: SPARE_WORKER}.get(kind, BORIS)


# The attacks.

_BY_OLD, _BY_NEW = (
    succession(by, people.ROOT, people.NEW_ROOT) for by in (people.ROOT, people.NEW_ROOT)
)
_FOREIGN: Final[Mapping[str, people.Person]] = {
    role: people.person(f"a {role} of another root", role, root=STRANGER)
    for role in ("mediator", "media", "service")
}
_THROUGH_RECIPIENTS_LINK: Final = frozenset({Offer, Response})


def _changed(kind: type[Statement], change: Change) -> World:
    return World(changes={NAME_OF[kind]: change})


def _other_case(kind: type[Statement]) -> World:
    return _changed(kind, Change(members={"case": OTHER_CASE, **_mac(kind, OTHER_CASE)}))


def _mac(kind: type[Statement], case: uuid.UUID) -> dict[str, object]:
    """Whoever holds the link makes the MAC of a claim anew."""
    if kind is not Claim:
        return {}
    claim, link = people.CLAIRE.claim, people.CLAIRE.link.link
    mac = claim_mac(
        people.CLAIRE.secret.claim_key(link),
        link=link,
        case=case,
        participant=claim.participant,
        recipient=claim.recipient,
        signer=claim.signer,
    )
    return {"mac": b64u_encode(mac)}


def _other_message(kind: type[Statement]) -> World:
    return _changed(kind, Change(members={"message": OTHER_MESSAGE}))


def _older_charter(kind: type[Statement]) -> World:
    if kind is Charter:
        return World(charters=1)
    older = people.hash_of(base()["charter_1"])
    return _changed(kind, Change(members={"charter": older}))


def _dated_into_it(kind: type[Statement]) -> World:
    older = people.hash_of(base()["charter_1"])
    by = ANNA.keyring.signer if kind is Offer else None
    return _changed(kind, Change(by=by, members={"charter": older, "at": people.noon_and(1, 10)}))


def _replayed(kind: type[Statement]) -> World:
    if kind is Revocation:
        return World(revocations=[revocation(people.ROOT, SPARE_WORKER, 1)])
    if kind is Succession:
        return World(successions=[succession(STRANGER, STRANGER, people.NEW_ROOT, 0)])
    return _changed(kind, Change(text=_elsewhere(kind)))


def _elsewhere(kind: type[Statement]) -> str:
    """A good statement of that type from another place: another case, message, person or relay."""
    here = base()
    said = decode_unverified(here[NAME_OF[kind]], kind)
    claire, anna = people.CLAIRE.keyring.signer, ANNA.keyring.signer
    in_other_case = {"case": OTHER_CASE, "previous": people.digest("its first charter")}
    other = {"message": OTHER_MESSAGE, "source": people.digest("the other message")}
    others: Mapping[type[Statement], Callable[[], str]] = {
        Credential: lambda: here[_credential(ANNA)],
        Registration: lambda: people.resigned(SERVICE.keyring.signer, said, case=OTHER_CASE),
        Charter: lambda: people.resigned(anna, said, **in_other_case),
        Link: lambda: here["recipient_link"],
        LinkEnding: lambda: people.ending(people.DENIS.link, CAROL),
        Claim: lambda: here["recipient_claim"],
        Verification: lambda: here["recipient_verification"],
        Session: lambda: people.resigned(
            claire, said, challenge=people.digest("another challenge")
        ),
        Message: lambda: people.resigned(claire, said, message=OTHER_MESSAGE),
        Rendition: lambda: people.resigned(WORKER.keyring.signer, said, **other),
        Captions: lambda: people.resigned(anna, said, **other),
        Decision: lambda: people.resigned(CAROL.keyring.signer, said, **other),
        Offer: lambda: people.resigned(CAROL.keyring.signer, said, **other),
        Response: lambda: people.resigned(
            people.DENIS.keyring.signer,
            said,
            message=OTHER_MESSAGE,
            offer=people.digest("its offer"),
        ),
        Withdrawal: lambda: people.resigned(claire, said, message=OTHER_MESSAGE),
        Consent: lambda: people.resigned(CAROL.keyring.signer, said, participant=people.DENIS.id),
    }
    return others[kind]()


def _revoked(kind: type[Statement], signed: dt.datetime, revoked: dt.datetime) -> World:
    spare = _spare(kind)
    ends = Revocation(credential=spare.credential.credential, at=revoked)
    world = _changed(kind, Change(by=spare.keyring.signer, members={"at": signed}))
    return dataclasses.replace(world, revocations=[people.sign(people.ROOT, ends)])


def _dated_back(kind: type[Statement]) -> World:
    at = people.noon_and(_WHEN[kind])
    return _revoked(kind, at, at + dt.timedelta(minutes=1))


def _dated_behind(kind: type[Statement]) -> World:
    named = people.noon_and(_BEHIND[kind])
    return _revoked(kind, named - dt.timedelta(minutes=30), named)


def _after_revocation(kind: type[Statement]) -> World:
    at = people.noon_and(_WHEN[kind], 2)
    return _revoked(kind, at, at - dt.timedelta(minutes=1))


def _ending(at: int, reason: str = "replaced") -> Mapping[str, Change]:
    return {"author_ending": Change(members={"at": people.noon_and(at), "reason": reason})}


def _recipients_ending(at: int, reason: str = "replaced") -> World:
    ended = people.ending(people.DENIS.link, CAROL, at=people.noon_and(at), reason=reason)
    return World(more_endings={"recipient": [ended]})


def _after_end(kind: type[Statement]) -> World:
    if kind is Response:
        return _recipients_ending(78)
    if kind is Offer:
        return _recipients_ending(65)
    if kind is LinkEnding:
        return World(
            more_endings={
                "author": [people.ending(people.CLAIRE.link, CAROL, at=people.noon_and(150))]
            }
        )
    ends = {Claim: 15, Verification: 25, Session: 34, Message: 39, Withdrawal: 40, Consent: 41}
    changes = _ending(ends.get(kind, 45))
    if kind is Consent:
        changes = {**changes, NAME_OF[kind]: Change(members={"at": people.noon_and(42)})}
    return World(changes=changes)


def _before_end(kind: type[Statement]) -> World:
    if kind is Response:
        return _recipients_ending(81)
    if kind is Offer:
        return _recipients_ending(76)
    if kind is LinkEnding:
        return World(
            more_endings={
                "author": [people.ending(people.CLAIRE.link, CAROL, at=people.noon_and(42))]
            }
        )
    return World(changes=_ending(42))


def _misused(kind: type[Statement]) -> World:
    if kind in _THROUGH_RECIPIENTS_LINK:
        return _recipients_ending(100, "misused")
    return World(changes=_ending(100, "misused"))


def _after_succession(kind: type[Statement]) -> World:
    if kind is Credential:
        return dataclasses.replace(
            _changed(kind, Change(members={"at": people.noon_and(501)})), successions=[_BY_OLD]
        )
    if kind is Revocation:
        return World(revocations=[revocation(people.ROOT, CAROL, 501)], successions=[_BY_OLD])
    if kind is Succession:
        return World(successions=[_BY_OLD, succession(people.ROOT, people.ROOT, STRANGER)])
    early = Succession(
        old=b64u_encode(people.ROOT.public_key),
        new=b64u_encode(people.NEW_ROOT.public_key),
        at=people.noon_and(0, 15),
    )
    return World(successions=[people.sign(by, early) for by in (people.ROOT, people.NEW_ROOT)])


def _before_succession(kind: type[Statement]) -> World:
    if kind is Credential:
        return dataclasses.replace(
            _changed(kind, Change(members={"at": people.noon_and(500)})), successions=[_BY_OLD]
        )
    return World(revocations=[revocation(people.ROOT, CAROL, 500)], successions=[_BY_OLD])


def _another_root(kind: type[Statement]) -> World:
    if kind is Credential:
        return _changed(kind, Change(by=STRANGER))
    if kind is Revocation:
        return World(revocations=[revocation(STRANGER, CAROL, 0)])
    if kind is Succession:
        return World(successions=[succession(STRANGER, people.ROOT, STRANGER, 0)])
    name = NAME_OF[kind]
    role = {Registration: "service", Rendition: "media"}.get(kind, "mediator")
    if kind in _BY_PERSON:
        name = "recipient_link" if kind is Response else "author_link"
        role = "service"
    foreign = _FOREIGN[role]
    return World(changes={name: Change(by=foreign.keyring.signer)}, foreign=[foreign])


def _successor(kind: type[Statement]) -> World:
    late = [revocation(people.ROOT, SPARE_WORKER, 300)] if kind is Revocation else []
    return World(root=people.NEW_ROOT, successions=[_BY_NEW], revocations=late)


def _signed_by(by: Signer, kind: type[Statement]) -> World:
    if kind is Revocation:
        return World(revocations=[revocation(by, CAROL, 0)])
    if kind is Succession:
        new = STRANGER if by is people.ROOT else by
        return World(successions=[succession(by, people.ROOT, new, -1)])
    own = {"signer": b64u_encode(by.public_key)} if kind is Claim else {}
    return _changed(kind, Change(by=by, members=own))


ATTACKS: Final[Mapping[str, Callable[[type[Statement]], World]]] = {
    "other case": _other_case,
    "other message": _other_message,
    "older charter": _older_charter,
    "older charter, dated into its time": _dated_into_it,
    "replayed in another place": _replayed,
    "dated back before a revocation": _dated_back,
    "dated back before a revocation, behind what it names": _dated_behind,
    "after a revocation": _after_revocation,
    "after a link's end": _after_end,
    "dated back before a link's end": _before_end,
    "through a misused link": _misused,
    "after a succession": _after_succession,
    "dated back before a succession": _before_succession,
    "under another root": _another_root,
    "under the successor of the root": _successor,
    **{f"signed by {name}": functools.partial(_signed_by, by) for name, by in SIGNERS.items()},
}


def world(kind: type[Statement], attack: str) -> World | None:
    """What a reader is given; None where there is nothing to try."""
    outcome = TABLE[attack][kind]
    if isinstance(outcome, Nothing):
        return None
    is_own_step = isinstance(outcome, Refused) and outcome.at == STEP_OF[kind]
    return dataclasses.replace(
        ATTACKS[attack](kind),
        # Of a claim or a consent the hash is looked at before the statement.
        settled=not is_own_step or kind in {Claim, Consent},
        shown=frozenset({kind}) & _SHOWN,
    )


_SHOWN: Final = frozenset({Session, Response, Withdrawal})


# As JSON.

_PARTICIPANTS: Final = tuple(
    SIGNERS[name] for name in ("the author", "the recipient", "an upload link")
)


def given(world: World) -> dict[str, Json]:
    """What a reader is given, member by member."""
    made = statements(world)
    anchor = b64u_decode(people.hash_of(made["charter_2"]))[:ANCHOR_BYTES]
    origins: dict[str, list[str]] = {
        role: [
            *(text for name, text in made.items() if name in _way_in(role)),
            *world.more_endings.get(role, ()),
        ]
        for role in ("author", "recipient")
    }
    said = world.changes.get("author_consent", Change())
    own = said.text is None and (said.by is None or said.by in _PARTICIPANTS)
    return {
        "root_public_key": b64u_encode(world.root.public_key),
        "credentials": [
            *(made[_credential(person)] for person in VOUCHED),
            *(person.compact for person in world.foreign),
        ],
        "revocations": [*world.revocations],
        "successions": [*world.successions],
        "registration": made["registration"],
        "charters": [made["charter_1"], made["charter_2"]][: world.charters],
        "anchor": b64u_encode(anchor),
        "author_origin": origins["author"],
        "recipient_origin": origins["recipient"],
        "session": made["session"] if Session in world.shown else None,
        "message": made["message"],
        "rendition": made["rendition"],
        "captions": made["captions"],
        "decisions": [made["first_decision"], made["decision"]],
        "consents": [
            {"compact": made["author_consent"], "by": "author" if own else None},
            {"compact": made["recipient_consent"], "by": None},
        ],
        "offer": made["offer"],
        "response": made["response"] if Response in world.shown else None,
        "withdrawal": made["withdrawal"] if Withdrawal in world.shown else None,
    }


def _way_in(role: str) -> set[str]:
    return {f"{role}_{what}" for what in ("link", "claim", "verification", "ending")}


def walk() -> Json:
    """The table with the statements of every cell."""
    texts: dict[str, int] = {}

    def numbered(value: Json) -> Json:
        if isinstance(value, str):
            is_statement = value.startswith("eyJ")
            return texts.setdefault(value, len(texts)) if is_statement else value
        if isinstance(value, Mapping):
            return {name: numbered(inner) for name, inner in value.items()}
        if isinstance(value, Sequence):
            return [numbered(inner) for inner in value]
        return value

    unchanged = given(World())
    numbered_base = numbered(unchanged)
    cells = [_cell(kind, attack, unchanged, numbered) for attack in ATTACKS for kind in TYPES]
    claire, link = people.CLAIRE, people.CLAIRE.link.link
    return {
        "now": time(NOW),
        "author_secret": b64u_encode(claire.secret.secret),
        "author_claim_key": b64u_encode(claire.secret.claim_key(link)),
        "challenge": people.SESSION.challenge,
        "audience": people.SESSION.audience,
        "steps": STEPS,
        "given": numbered_base,
        "cells": cells,
        "statements": [*texts],
    }


def _cell(
    kind: type[Statement],
    attack: str,
    unchanged: Mapping[str, Json],
    numbered: Callable[[Json], Json],
) -> Json:
    outcome, found = TABLE[attack][kind], world(kind, attack)
    cell: dict[str, Json] = {"type": kind.typ, "attack": attack}
    if found is None:
        changed = None
    else:
        changed = {name: value for name, value in given(found).items() if value != unchanged[name]}
    cell["exchange"] = numbered(changed)
    if isinstance(outcome, Refused):
        return {**cell, "refused_at": outcome.at, "reason": RULES[outcome.by][0]}
    return {**cell, "refused_at": None, "reason": outcome.reason}
