"""Unknown, foreign, ended and deleted are answered alike, to the byte, where the caller may not know which.

Every route with an identifier in its path is asked by everybody who may call it, for what was never there and
for what is there and not theirs. Where they may know, `MAY_KNOW` has the reason.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
import pytest
from aiohttp import hdrs

from relay.app import ROUTES
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.handlers.routing import Route, heads
from relay.settings import Settings
from relay.testing.people import Organization
from tests.support.existence import (
    PATCH_TYPE,
    RECIPIENT,
    TUS,
    Asker,
    askers,
    bodies,
    disposed,
    never,
)
from tests.support.requests import Answer, ask, caller_of
from tests.support.statement_walk.cases import Person, ValidRequest, WalkCases, cases
from tests.support.statement_walk.requests import REQUESTS

pytestmark = [pytest.mark.slow, pytest.mark.tampers]  # a case is moved into the past

WITH_IDENTIFIER: Final = [route for route in (*ROUTES, *heads(ROUTES)) if "{" in route.path]
STATEMENTS: Final = {
    ("PUT", "/v1/credentials/{credential}/revocation"),
    ("PUT", "/v1/cases/{case}"),
    ("POST", "/v1/cases/{case}/charters"),
    ("POST", "/v1/cases/{case}/charters/recovered"),
    ("PUT", "/v1/cases/{case}/participants/{participant}/consent"),
    ("PUT", "/v1/links/{link}"),
    ("PUT", "/v1/links/{link}/ending"),
    ("PUT", "/v1/links/{link}/claim"),
    ("PUT", "/v1/messages/{message}/revisions/{revision}"),
    ("PUT", "/v1/messages/{message}/withdrawal"),
    ("POST", "/v1/messages/{message}/responses"),
    ("POST", "/v1/messages/{message}/decisions"),
    ("PUT", "/v1/messages/{message}/captions"),
    ("POST", "/v1/messages/{message}/offers"),
}
"""Routes whose requests are signed."""
OF_LINKS: Final = {
    ("POST", "/v1/links/{link}/sessions"),
    ("GET", "/v1/links/{link}"),
    ("HEAD", "/v1/links/{link}"),
    ("POST", "/v1/links/{link}/keyring"),
}
"""Routes that a link's own bearer opens."""
OF_ALL_CASES: Final = {
    ("GET", "/v1/credentials/{credential}/keyring"),
    ("HEAD", "/v1/credentials/{credential}/keyring"),
    ("PUT", "/v1/cases/{case}/pairs/{one}/{other}/no-contact"),
    ("GET", "/v1/webhooks/{receiver}/dead-letters"),
    ("HEAD", "/v1/webhooks/{receiver}/dead-letters"),
    ("POST", "/v1/webhooks/{receiver}/redeliveries"),
}
"""For the case system alone, which registered every case, and may know of every one."""
OF_NOBODY: Final = {
    ("OPTIONS", "/v1/uploads/{upload}"),
    ("GET", "/v1/profile/logo/{logo}"),
    ("HEAD", "/v1/profile/logo/{logo}"),
}
"""Public, and of nothing that anybody has."""

OFFERED: Final = "it was shown to them; both are told of as a gate that closed, alike"
CREATES: Final = {
    ("PUT", "/v1/messages/{message}/revisions/{revision}/draft"),
    ("PUT", "/v1/unsent/{text}"),
    ("PUT", "/v1/cases/{case}/holds/{hold}"),
}
"""Whoever makes something chooses its identifier of 122 random bits, and is told where it is taken."""
IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
FREE: Final = {"disposed of", "discarded", "of another"}
"""What became of identifiers that can be had again: unsent texts are each writer's own."""
MAY_KNOW: Final[Mapping[tuple[str, str, str], str]] = {
    ("POST", "/v1/messages/{message}/openings", "offered once, and retracted"): OFFERED,
    ("POST", "/v1/messages/{message}/openings", "offered once, and withdrawn"): OFFERED,
}
"""By method, path and fate: where the recipient may be answered otherwise than for what was never there."""


def test_every_route_with_an_identifier_is_asked() -> None:
    """A new one is in one of these lists, or is asked by everybody."""
    there = {(route.method, route.path) for route in WITH_IDENTIFIER}
    assert there >= STATEMENTS | OF_LINKS | OF_ALL_CASES | OF_NOBODY
    left = there - STATEMENTS - OF_LINKS - OF_ALL_CASES - OF_NOBODY
    assert len(left) > 25


@pytest.fixture
async def scene(
    people: Organization, root: Signer, database_url: str, worker_settings: Settings
) -> AsyncIterator[WalkCases]:
    """Two cases, and somebody in every role."""
    async with cases(people, root, database_url, worker_settings) as made:
        yield made


async def asked(scene: WalkCases, route: Route, who: Asker, name: str, value: str) -> Answer:
    """What this caller is answered where one identifier is this one."""
    body = bodies(scene.case.responsible.participant_id).get((route.method, route.path))
    path = re.sub(
        r"\{(\w+)\}",
        lambda found: value if found[1] == name else who.own.get(found[1]) or never(found[1]),
        route.path,
    )
    headers = TUS if "/uploads/" in path else {}
    if isinstance(body, bytes):
        headers = {**headers, hdrs.CONTENT_TYPE: PATCH_TYPE}
    return await ask(
        scene.people.connection, route.method, path, body, bearer=who.bearer, headers=headers
    )


async def test_what_is_not_the_callers_was_never_there(
    scene: WalkCases, worker_settings: Settings, database_url: str
) -> None:
    """Status, headers and body are the same, for each fate; whoever makes something takes none of it."""
    everybody = await askers(scene, worker_settings, database_url)
    await _nothing_is_found(scene, everybody)
    for who in everybody:
        await _nothing_is_taken(scene, who)


async def _nothing_is_found(scene: WalkCases, everybody: Sequence[Asker]) -> None:
    different, compared, told = [], 0, set()
    for who in everybody:
        for route in WITH_IDENTIFIER:
            row = (route.method, route.path)
            if who.role not in route.roles or row in STATEMENTS | CREATES:
                continue
            for name in re.findall(r"\{(\w+)\}", route.path):
                strange = await asked(scene, route, who, name, never(name))
                for fate, value in who.unknown.get(name, {}).items():
                    compared += 1
                    found = await asked(scene, route, who, name, value)
                    if (*row, fate) in MAY_KNOW and who.name == RECIPIENT:
                        told.add((MAY_KNOW[*row, fate], found))
                    elif found != strange:
                        different.append(f"{who.name}: {route.method} {route.path}, {fate}")
    assert different == []
    assert compared > 300
    # Of what they may know they are told one thing, whatever became of it.
    assert len(told) == len(set(MAY_KNOW.values()))


async def _nothing_is_taken(scene: WalkCases, who: Asker) -> None:
    """One refusal for each identifier in the case that is somebody else's; what has it stays as it was."""
    for route in WITH_IDENTIFIER:
        if (route.method, route.path) not in CREATES or who.role not in route.roles:
            continue
        name = re.findall(r"\{(\w+)\}", route.path)[0]
        before = await scene.kept()
        taken = {
            await asked(scene, route, who, name, value)
            for fate, value in who.unknown.get(name, {}).items()
            if fate not in FREE
        }
        assert {answer.status for answer in taken} <= {HTTPStatus.NOT_FOUND}, who.name
        assert len(taken) <= 1, who.name
        assert await scene.kept() == before, who.name


def renamed(request: ValidRequest, names: Mapping[str, str]) -> tuple[str, Any]:
    """Path and statement with other identifiers."""
    path, text = request.path, msgspec.json.encode(request.statement).decode()
    for before, after in names.items():
        path, text = path.replace(before, after), text.replace(before, after)
    return path, msgspec.json.decode(text, type=type(request.statement))


def _of_key(said: Any, person: Person) -> dict[str, str]:
    """What of a statement names the key that signs it."""
    return (
        {"signer": b64u_encode(person.signer.public_key)}
        if isinstance(said, statements.Claim)
        else {}
    )


def outsiders(scene: WalkCases, valid: ValidRequest) -> Mapping[str, Person]:
    """Who may send such a request of their own, and has nothing to do with this one."""
    names = ["a mediator of another case", "a dismissed mediator", "a participant of another case"]
    if valid.authentication == "public":
        return {"nobody": Person(signer=Signer.generate())}
    if "/messages/" in valid.path and valid.by is scene.persons["the participant"]:
        names.append("the other participant")
    return {name: scene.persons[name] for name in names}


SIGNED: Final = [
    name
    for name, (kind, _build) in REQUESTS.items()
    if kind not in {statements.Session, statements.Credential, statements.Succession}
]
"""What is about something that is there: the others begin something, and name nothing."""


async def test_a_statement_of_a_stranger_tells_nothing(
    scene: WalkCases, worker_settings: Settings, database_url: str
) -> None:
    """All that is right about something there, signed by whom it is no business of: as if it never was."""
    stranger = caller_of(scene.other.responsible)
    bearer = await stranger.signed.bearer()
    scene = dataclasses.replace(
        scene,
        persons={
            **scene.persons,
            "a participant of another case": Person(signer=stranger.signer, bearer=lambda: bearer),
        },
    )
    gone, _letter, _part = await disposed(scene, worker_settings, database_url)
    different, compared = [], 0
    for name in SIGNED:
        valid = await REQUESTS[name][1](scene)
        if valid.authentication in {"service", "link"}:
            continue  # the case system may know every case; who holds a link has one of their own
        text = msgspec.json.encode(valid.statement).decode()
        there = dict.fromkeys(IDENTIFIER.findall(valid.path + text))
        for who, person in outsiders(scene, valid).items():
            answers = []
            # As it is; with another object in the same case; with nothing in it that there is; and in a
            # case that was disposed of, which was never theirs.
            in_path = dict.fromkeys(IDENTIFIER.findall(valid.path))
            ways = [{}, in_path] if who == "the other participant" else [{}, in_path, there]
            renamings = [{before: str(uuid.uuid4()) for before in changed} for changed in ways]
            if who not in {"the other participant", "a mediator of another case"}:
                last = {scene.case.case_id: gone.case_id}
                renamings.append({**renamings[-1], **{str(k): str(v) for k, v in last.items()}})
            for names in renamings:
                path, said = renamed(valid, names)
                said = msgspec.structs.replace(said, **_of_key(said, person))
                sent = statements.sign(person.signer, said)
                answers.append(await scene.send(valid, sent, path=path, by=person))
            compared += len(answers)
            if len(set(answers)) > 1:
                different.append((name, who, [(a.status, a.code) for a in answers]))
    assert different == []
    assert compared > 60
