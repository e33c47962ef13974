"""What is done to a good statement before it reaches the service: changed in one way, and signed again."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.statements import Consent, Message, Session
from tests.support.statement_walk.cases import Person, ValidRequest, WalkCases

TOLERANCE: Final = timedelta(minutes=5)
"""How far a clock may be off."""
BEYOND: Final = TOLERANCE + timedelta(minutes=1)
BEFORE: Final = timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AttackedRequest:
    """What is sent in the place of a good statement."""

    text: str
    path: str
    by: Person
    """Whose bearer is shown."""


Attack: TypeAlias = Callable[[WalkCases, ValidRequest], Awaitable[AttackedRequest | None]]
"""None where there is nothing to try."""


def _resigned(valid: ValidRequest, members: Mapping[str, object]) -> AttackedRequest:
    """The same statement but for these members, by who signs it and as they send it."""
    changed = msgspec.structs.replace(valid.statement, **members)
    return AttackedRequest(
        text=statements.sign(valid.by.signer, changed), path=valid.path, by=valid.by
    )


async def _changed(
    members: Callable[[WalkCases, ValidRequest], Mapping[str, object]],
    cases: WalkCases,
    valid: ValidRequest,
) -> AttackedRequest | None:
    wanted = members(cases, valid)
    there = {name for name in wanted if hasattr(valid.statement, name)}
    return _resigned(valid, wanted) if wanted and there == wanted.keys() else None


def _about(cases: WalkCases, valid: ValidRequest, participant: uuid.UUID) -> Mapping[str, object]:
    if isinstance(valid.statement, Message):
        return {"sender": participant, "recipient": cases.harmed.participant_id}
    return {"participant": participant}


def _older_charter(cases: WalkCases, valid: ValidRequest) -> Mapping[str, object]:
    name = "previous" if isinstance(valid.statement, statements.Charter) else "charter"
    return {name: cases.older_charter}


def _other_message(cases: WalkCases, valid: ValidRequest) -> Mapping[str, object]:
    is_answer = isinstance(valid.statement, statements.Response)
    return {"message": cases.offered if is_answer else cases.letter}


def _dated_ahead(_world: WalkCases, valid: ValidRequest) -> Mapping[str, object]:
    is_ahead = valid.statement.at > datetime.now(UTC) + TOLERANCE
    return {} if is_ahead else {"at": valid.statement.at + BEYOND}


def _other_consents(_world: WalkCases, valid: ValidRequest) -> Mapping[str, object]:
    named = getattr(valid.statement, "consents", [])
    return {"consents": named[::-1]}


async def _elsewhere(_world: WalkCases, valid: ValidRequest) -> AttackedRequest | None:
    if valid.elsewhere is None:
        return None
    return AttackedRequest(
        text=statements.sign(valid.by.signer, valid.statement), path=valid.elsewhere, by=valid.by
    )


async def _of_another_type(cases: WalkCases, valid: ValidRequest) -> AttackedRequest:
    other: Session | Consent = Session(
        challenge=b64u_encode(bytes(32)), audience=cases.people.audience, at=valid.statement.at
    )
    if isinstance(valid.statement, Session):
        other = Consent(
            case=cases.case.case_id,
            participant=cases.harmed.participant_id,
            status="paused",
            at=valid.statement.at,
        )
    return AttackedRequest(
        text=statements.sign(valid.by.signer, other), path=valid.path, by=valid.by
    )


def _by(cases: WalkCases, who: str) -> tuple[Person, Mapping[str, object]]:
    """Somebody, and the time that they write, where it is not that of the request."""
    name, _, when = who.partition(", ")
    times = {
        "dated before": cases.revoked_at - BEFORE,
        "dated after": max(datetime.now(UTC), cases.revoked_at + timedelta(seconds=1)),
    }
    return cases.persons[name], {"at": times[when]} if when else {}


async def _signed_by(who: str, cases: WalkCases, valid: ValidRequest) -> AttackedRequest | None:
    person, members = _by(cases, who)
    if person.signer.public_key == valid.by.signer.public_key:
        return None
    changed = msgspec.structs.replace(valid.statement, **members)
    return AttackedRequest(
        text=statements.sign(person.signer, changed), path=valid.path, by=valid.by
    )


async def _sent_by(who: str, cases: WalkCases, valid: ValidRequest) -> AttackedRequest | None:
    if valid.authentication == "public":
        return None
    if who == "an upload link":
        # A link carries one message.
        person = await cases.upload_link()
        members: Mapping[str, object] = {}
    else:
        person, members = _by(cases, who)
    if person.signer.public_key == valid.by.signer.public_key:
        return None
    changed = msgspec.structs.replace(valid.statement, **members)
    return AttackedRequest(text=statements.sign(person.signer, changed), path=valid.path, by=person)


async def _brought_by(who: str, cases: WalkCases, valid: ValidRequest) -> AttackedRequest | None:
    """The good statement itself, by somebody else who came by it."""
    person, _time = _by(cases, who)
    if valid.authentication == "public" or person.signer.public_key == valid.by.signer.public_key:
        return None
    return AttackedRequest(
        text=statements.sign(valid.by.signer, valid.statement), path=valid.path, by=person
    )


WITH_BEARERS: Final = (
    "a service",
    "a mediator of the case",
    "a mediator of another case",
    "a dismissed mediator",
    "a revoked mediator, dated before",
    "a revoked mediator, dated after",
    "the participant",
    "the other participant",
    "an upload link",
    "an unverified claim",
    "an ended link",
)
"""Who has, or had, a bearer of their own."""
BRINGERS: Final = tuple(who for who in WITH_BEARERS if not who.endswith("dated after"))
"""Who may come by what somebody else signed."""
SIGNERS: Final = ("a stranger", "the root", "a media worker", "a recovery key", *WITH_BEARERS)

MEMBERS: Final[Mapping[str, Callable[[WalkCases, ValidRequest], Mapping[str, object]]]] = {
    "of another case": lambda cases, _act: {"case": cases.other.case_id},
    "of another message": _other_message,
    "of another participant": lambda cases, valid: _about(
        cases, valid, cases.case.responsible.participant_id
    ),
    "of somebody of another case": lambda cases, valid: _about(
        cases, valid, cases.other.harmed.participant_id
    ),
    "under an older charter": _older_charter,
    "naming another statement": lambda _world, valid: valid.words,
    "naming another key": lambda _world, valid: valid.key,
    "naming other consents": _other_consents,
    "dated back": lambda _world, valid: {"at": min(valid.statement.at, datetime.now(UTC)) - BEYOND},
    "dated ahead": _dated_ahead,
}

ATTACKS: Final[Mapping[str, Attack]] = {
    **{name: functools.partial(_changed, members) for name, members in MEMBERS.items()},
    "in another place": _elsewhere,
    "of another type": _of_another_type,
    **{f"signed by {who}": functools.partial(_signed_by, who) for who in SIGNERS},
    **{f"sent by {who}": functools.partial(_sent_by, who) for who in ("a stranger", *WITH_BEARERS)},
    **{f"brought by {who}": functools.partial(_brought_by, who) for who in BRINGERS},
}
"""Each changes one thing: a member, the place, who signs, who sends, or both."""
