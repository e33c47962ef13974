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
from tests.service_world import Act, Person, World

TOLERANCE: Final = timedelta(minutes=5)
"""How far a clock may be off."""
BEYOND: Final = TOLERANCE + timedelta(minutes=1)
BEFORE: Final = timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent in the place of a good statement."""

    text: str
    path: str
    by: Person
    """Whose bearer is shown."""


Attack: TypeAlias = Callable[[World, Act], Awaitable[Sending | None]]
"""None where there is nothing to try."""


def _resigned(act: Act, members: Mapping[str, object]) -> Sending:
    """The same statement but for these members, by who signs it and as they send it."""
    changed = msgspec.structs.replace(act.statement, **members)
    return Sending(text=statements.sign(act.by.signer, changed), path=act.path, by=act.by)


async def _changed(
    members: Callable[[World, Act], Mapping[str, object]], world: World, act: Act
) -> Sending | None:
    wanted = members(world, act)
    there = {name for name in wanted if hasattr(act.statement, name)}
    return _resigned(act, wanted) if wanted and there == wanted.keys() else None


def _about(world: World, act: Act, participant: uuid.UUID) -> Mapping[str, object]:
    if isinstance(act.statement, Message):
        return {"sender": participant, "recipient": world.harmed.participant_id}
    return {"participant": participant}


def _older_charter(world: World, act: Act) -> Mapping[str, object]:
    name = "previous" if isinstance(act.statement, statements.Charter) else "charter"
    return {name: world.older_charter}


def _other_message(world: World, act: Act) -> Mapping[str, object]:
    is_answer = isinstance(act.statement, statements.Response)
    return {"message": world.offered if is_answer else world.letter}


def _dated_ahead(_world: World, act: Act) -> Mapping[str, object]:
    is_ahead = act.statement.at > datetime.now(UTC) + TOLERANCE
    return {} if is_ahead else {"at": act.statement.at + BEYOND}


def _other_consents(_world: World, act: Act) -> Mapping[str, object]:
    named = getattr(act.statement, "consents", [])
    return {"consents": named[::-1]}


async def _elsewhere(_world: World, act: Act) -> Sending | None:
    if act.elsewhere is None:
        return None
    return Sending(
        text=statements.sign(act.by.signer, act.statement), path=act.elsewhere, by=act.by
    )


async def _of_another_type(world: World, act: Act) -> Sending:
    other: Session | Consent = Session(
        challenge=b64u_encode(bytes(32)), audience=world.people.audience, at=act.statement.at
    )
    if isinstance(act.statement, Session):
        other = Consent(
            case=world.case.case_id,
            participant=world.harmed.participant_id,
            status="paused",
            at=act.statement.at,
        )
    return Sending(text=statements.sign(act.by.signer, other), path=act.path, by=act.by)


def _by(world: World, who: str) -> tuple[Person, Mapping[str, object]]:
    """Somebody, and the time that they write, where it is not that of the act."""
    name, _, when = who.partition(", ")
    times = {
        "dated before": world.revoked_at - BEFORE,
        "dated after": max(datetime.now(UTC), world.revoked_at + timedelta(seconds=1)),
    }
    return world.persons[name], {"at": times[when]} if when else {}


async def _signed_by(who: str, world: World, act: Act) -> Sending | None:
    person, members = _by(world, who)
    if person.signer.public_key == act.by.signer.public_key:
        return None
    changed = msgspec.structs.replace(act.statement, **members)
    return Sending(text=statements.sign(person.signer, changed), path=act.path, by=act.by)


async def _sent_by(who: str, world: World, act: Act) -> Sending | None:
    if act.door == "public":
        return None
    if who == "an upload link":
        # A link carries one message.
        person = await world.upload_link()
        members: Mapping[str, object] = {}
    else:
        person, members = _by(world, who)
    if person.signer.public_key == act.by.signer.public_key:
        return None
    changed = msgspec.structs.replace(act.statement, **members)
    return Sending(text=statements.sign(person.signer, changed), path=act.path, by=person)


async def _brought_by(who: str, world: World, act: Act) -> Sending | None:
    """The good statement itself, by somebody else who came by it."""
    person, _time = _by(world, who)
    if act.door == "public" or person.signer.public_key == act.by.signer.public_key:
        return None
    return Sending(text=statements.sign(act.by.signer, act.statement), path=act.path, by=person)


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

MEMBERS: Final[Mapping[str, Callable[[World, Act], Mapping[str, object]]]] = {
    "of another case": lambda world, _act: {"case": world.other.case_id},
    "of another message": _other_message,
    "of another participant": lambda world, act: _about(
        world, act, world.case.responsible.participant_id
    ),
    "of somebody of another case": lambda world, act: _about(
        world, act, world.other.harmed.participant_id
    ),
    "under an older charter": _older_charter,
    "naming another statement": lambda _world, act: act.words,
    "naming another key": lambda _world, act: act.key,
    "naming other consents": _other_consents,
    "dated back": lambda _world, act: {"at": min(act.statement.at, datetime.now(UTC)) - BEYOND},
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
