"""The statements that the walk attacks: one good one of each type, and how one is changed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

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
    Session,
    Statement,
    Verification,
    Withdrawal,
    decode_unverified,
)
from tests.vectors import people
from tests.vectors.walk_table import (
    ANNA,
    BORIS,
    CAROL,
    RECOVERY,
    SERVICE,
    SPARE_SERVICE,
    SPARE_WORKER,
    VOUCHED,
    WORKER,
)


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
        name = credential(person)
        return Member(credential=person.credential.credential, statement=named(name))

    for person in VOUCHED:
        put(credential(person), people.ROOT, person.credential)
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


def credential(person: people.Person) -> str:
    """The name of their credential among the statements."""
    return f"credential of {person.name}"


NAME_OF: Final[Mapping[type[Statement], str]] = {
    Credential: credential(BORIS),
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

WHEN: Final[Mapping[type[Statement], int]] = {
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

BEHIND: Final[Mapping[type[Statement], int]] = {
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


def spare(kind: type[Statement]) -> people.Person:
    """Whose credential is revoked: somebody on whom nothing else rests."""
    return {Registration: SPARE_SERVICE, Rendition: SPARE_WORKER}.get(kind, BORIS)
