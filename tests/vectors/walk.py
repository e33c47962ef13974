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
from typing import Final

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
from tests.vectors.walk_statements import (
    BEHIND,
    NAME_OF,
    OTHER_CASE,
    OTHER_MESSAGE,
    WHEN,
    Change,
    World,
    base,
    credential,
    spare,
    statements,
)
from tests.vectors.walk_table import (
    ANNA,
    BY_PERSON,
    CAROL,
    NOW,
    RULES,
    SERVICE,
    SIGNERS,
    SPARE_WORKER,
    STEP_OF,
    STEPS,
    STRANGER,
    TABLE,
    TYPES,
    VOUCHED,
    WORKER,
    Nothing,
    Refused,
)

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
        Credential: lambda: here[credential(ANNA)],
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
    another = spare(kind)
    ends = Revocation(credential=another.credential.credential, at=revoked)
    world = _changed(kind, Change(by=another.keyring.signer, members={"at": signed}))
    return dataclasses.replace(world, revocations=[people.sign(people.ROOT, ends)])


def _dated_back(kind: type[Statement]) -> World:
    at = people.noon_and(WHEN[kind])
    return _revoked(kind, at, at + dt.timedelta(minutes=1))


def _dated_behind(kind: type[Statement]) -> World:
    named = people.noon_and(BEHIND[kind])
    return _revoked(kind, named - dt.timedelta(minutes=30), named)


def _after_revocation(kind: type[Statement]) -> World:
    at = people.noon_and(WHEN[kind], 2)
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
    if kind in BY_PERSON:
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
            *(made[credential(person)] for person in VOUCHED),
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
