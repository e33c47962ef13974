"""Holds docs/start.md to what is there: its code runs, and its requests are answered as it says."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client import charters
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.notifications import NotificationType
from relay.domain.tokens import Scope
from relay.testing.people import ISSUER, KEY_ID, Organization
from tests.support.foreign_host import FOLDER
from tests.support.node import ROOT
from tests.support.requests import caller_of

TEXT: Final = (ROOT / "docs" / "start.md").read_text("utf-8")
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LEAST_CODE: Final = 9
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def blocks(language: str) -> list[str]:
    """The blocks of code of the page in one language, with their last line end."""
    return [code for named, code in _BLOCK.findall(TEXT) if named == language]


def body_of(block: str) -> Any:
    """The JSON after the head of a request or an answer."""
    return json.loads(block.partition("\n\n")[2])


def named_anew(value: object, names: Mapping[str, str]) -> Any:
    """The same with other identifiers."""
    return json.loads(_UUID.sub(lambda found: names[found[0]], json.dumps(value)))


def test_its_code_in_node_is_that_of_the_host_which_runs() -> None:
    """Word for word."""
    files = [file.read_text("utf-8") for file in FOLDER.glob("*.mjs")]
    code = blocks("js")
    assert len(code) >= _LEAST_CODE
    assert [one for one in code if not any(one in file for file in files)] == []


def test_the_host_writes_to_people_for_every_event_that_names_them_as_readers() -> None:
    """The four types of docs/events.md, and no other."""
    found = re.findall(r"'([a-z]+\.[a-z-]+)': WAITS", (FOLDER / "events.mjs").read_text("utf-8"))
    assert set(found) == {one for one in NotificationType if one.startswith("participant.")}


async def test_its_token_in_python_is_taken(
    people: Organization, relay_url: str, token_key: Ed25519PrivateKey
) -> None:
    """For the scope that it names; for another one relay says which is missing."""
    [code] = blocks("python")
    made: dict[str, Any] = {}
    exec(code, made)  # noqa: S102 - of our own page
    assert people.case_system.keys is None
    said = {}
    async with aiohttp.ClientSession() as http:
        for scope in ("cases:read", "events:read"):
            bearer = made["token"](token_key, KEY_ID, ISSUER, scope)
            headers = {"Authorization": f"Bearer {bearer}"}
            async with http.get(f"{relay_url}/v1/cases", headers=headers) as answer:
                said[scope] = answer.status, await answer.json()
    assert said["cases:read"][0] == HTTPStatus.OK
    status, problem = said["events:read"]
    assert (status, problem["code"]) == (HTTPStatus.FORBIDDEN, "scope-missing")
    assert problem["scope"] == "cases:read"


async def test_its_first_case_is_answered_as_it_says(people: Organization, relay_url: str) -> None:
    """The request of the page with new identifiers; a change; and 412 for one that comes too late."""
    people = await people.with_case_system_keys()
    keys = people.case_system.keys
    assert keys is not None
    mediator, colleague = await people.mediator(), await people.mediator()
    put, created, change = blocks("")[1:4]
    [refused] = blocks("json")
    old = sorted(set(_UUID.findall(put)))
    names = dict(zip(old, sorted(str(uuid.uuid4()) for _ in old), strict=True))  # in the same order
    [chosen] = body_of(put)["mediators"]
    names[chosen] = str(mediator.credential_id)
    method, path, _version = named_anew(put.splitlines()[0], names).split(" ")
    body = named_anew(body_of(put), names)
    case_id = uuid.UUID(path.rpartition("/")[2])
    headers = {"Authorization": f"Bearer {people.case_system.token(Scope.CASES_WRITE)}"}

    async with aiohttp.ClientSession(relay_url, headers=headers) as http:

        async def sent(also: Mapping[str, str], mediators: list[uuid.UUID]) -> tuple[int, str, Any]:
            statement = charters.register(keys.signer, case_id, mediators)
            chosen = {"mediators": [str(one) for one in mediators], "statement": statement}
            request = http.request(method, path, json={**body, **chosen}, headers=also)
            async with request as answer:
                return answer.status, answer.headers.get("ETag", ""), await answer.json()

        status, etag, said = await sent({}, [mediator.credential_id])
        assert created.startswith(f"HTTP/1.1 {status} ")
        expected = named_anew(body_of(created), names)
        assert said == {**expected, "created_at": said["created_at"]}

        name, _, _tag = change.splitlines()[1].partition(": ")
        assert method == change.split()[0]
        both = [mediator.credential_id, colleague.credential_id]
        status, newer, _ = await sent({name: etag}, both)
        assert (status, newer != etag) == (HTTPStatus.OK, True)
        status, _, said = await sent({name: etag}, both)
        assert status == HTTPStatus.PRECONDITION_FAILED
        told = json.loads(refused)
        assert {**said, "instance": ""} == {**told, "instance": ""}


def registration(signer: Signer, case_id: uuid.UUID, mediator: uuid.UUID, wrong: str) -> str:
    """The statement of the page, with one thing wrong in it."""
    now = datetime.now(UTC)
    seconds = "seconds" if wrong != "fractions of a second in `at`" else "milliseconds"
    said: dict[str, object] = {
        "at": now.replace(tzinfo=None).isoformat(timespec=seconds) + "Z",
        "nonce": b64u_encode(uuid.uuid4().bytes),
        "case": str(case_id),
        "mediators": [str(mediator)],
    }
    if wrong == "members in another order":
        said = {name: said[name] for name in ("nonce", "at", "case", "mediators")}
    separators = (", ", ": ") if wrong == "white space" else (",", ":")
    kid = b64u_encode(hashlib.sha256(signer.public_key).digest()[:16])
    head = {"alg": "EdDSA", "kid": kid, "typ": "relay-registration+jws"}
    parts = json.dumps(head, separators=(",", ":")), json.dumps(said, separators=separators)
    text = ".".join(b64u_encode(part.encode()) for part in parts)
    key = Ed25519PrivateKey.from_private_bytes(signer.seed)
    return f"{text}.{b64u_encode(key.sign(text.encode()))}"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ("nothing", HTTPStatus.CREATED, None),
        ("members in another order", HTTPStatus.UNPROCESSABLE_ENTITY, "crypto"),
        ("white space", HTTPStatus.UNPROCESSABLE_ENTITY, "crypto"),
        ("fractions of a second in `at`", HTTPStatus.UNPROCESSABLE_ENTITY, "crypto"),
        ("the root does not vouch", HTTPStatus.FORBIDDEN, "unknown-signer"),
    ],
)
async def test_what_a_wrong_statement_is_answered(
    people: Organization, relay_url: str, wrong: str, status: HTTPStatus, code: str | None
) -> None:
    """As the page says, where the hour goes."""
    assert wrong == "nothing" or wrong in TEXT
    people = await people.with_case_system_keys()
    keys = people.case_system.keys
    assert keys is not None
    mediator, case_id = await people.mediator(), uuid.uuid4()
    signer = Signer.generate() if wrong == "the root does not vouch" else keys.signer
    body = {
        "reference": "R-2030-016",
        "participants": [
            {"participant": str(uuid.uuid4()), "role": role} for role in ("harmed", "responsible")
        ],
        "mediators": [str(mediator.credential_id)],
        "statement": registration(signer, case_id, mediator.credential_id, wrong),
    }
    headers = {"Authorization": f"Bearer {people.case_system.token(Scope.CASES_WRITE)}"}
    async with (
        aiohttp.ClientSession(relay_url, headers=headers) as http,
        http.put(f"/v1/cases/{case_id}", json=body) as answer,
    ):
        said = await answer.json()
    assert (answer.status, said.get("code")) == (status, code)


async def test_mediators_are_not_taken_without_the_statement(
    people: Organization, relay_url: str
) -> None:
    """Neither with a new case nor added to one that nobody opened; what changes nothing needs none."""
    people = await people.with_case_system_keys()
    keys = people.case_system.keys
    assert keys is not None
    mediator, colleague = await people.mediator(), await people.mediator()
    case_id = uuid.uuid4()
    body: dict[str, object] = {
        "reference": "R-2030-015",
        "participants": [
            {"participant": str(uuid.uuid4()), "role": role} for role in ("harmed", "responsible")
        ],
    }
    headers = {"Authorization": f"Bearer {people.case_system.token(Scope.CASES_WRITE)}"}
    async with aiohttp.ClientSession(relay_url, headers=headers) as http:

        async def put(mediators: list[uuid.UUID], *, is_signed: bool = False) -> tuple[int, str]:
            signed = charters.register(keys.signer, case_id, mediators) if is_signed else None
            said = {"mediators": [str(one) for one in mediators], "statement": signed}
            async with http.put(f"/v1/cases/{case_id}", json={**body, **said}) as answer:
                return answer.status, (await answer.json(content_type=None)).get("code", "")

        one, both = [mediator.credential_id], [mediator.credential_id, colleague.credential_id]
        refused = (HTTPStatus.BAD_REQUEST, "registration-missing")
        assert await put(one) == refused
        assert await put([]) == (HTTPStatus.CREATED, "")
        assert await put(one) == refused
        assert await put(one, is_signed=True) == (HTTPStatus.OK, "")
        assert await put(one) == (HTTPStatus.OK, "")
        assert await put(both) == refused
        assert await put(both, is_signed=True) == (HTTPStatus.OK, "")
    await colleague.open_case(case_id, colleagues=[mediator.credential_id])


async def test_a_mediator_registers_no_case_beside_a_case_system(people: Organization) -> None:
    """It could not be opened."""
    mediator = await people.mediator()
    await people.with_case_system_keys()
    registration = CaseRegistration(
        reference="R-2030-016",
        participants=[
            NewParticipant(participant=uuid.uuid4(), role=role)
            for role in (ParticipantRole.HARMED, ParticipantRole.RESPONSIBLE)
        ],
    )
    answer = await caller_of(mediator).ask("PUT", f"/v1/cases/{uuid.uuid4()}", registration)
    assert (answer.status, answer.code) == (HTTPStatus.BAD_REQUEST, "registration-missing")
