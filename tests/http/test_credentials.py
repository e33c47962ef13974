"""Who may call what: every route with every caller, and every way to be nobody in particular."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import Final

import pytest
from aiohttp import hdrs, web

from relay.app import ROUTES
from relay.client.administrator import publish_revocation
from relay.client.connection import Connection
from relay.client.participant import Participant
from relay.client.sealing import seal_text
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.crypto.signing import Signer
from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.tokens import Scope
from relay.handlers.routing import Role, Route, route
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import (
    Answer,
    Caller,
    Subject,
    ask,
    caller_of,
    consent,
    letter,
    message_statement,
    response,
    withdrawal,
)

PARAMETER: Final = re.compile(r"\{(\w+)\}")
BODY: Final = b'{"statement":"a.b.c"}'
BODYLESS: Final = ("/events/test", "/challenges", "/openings", "/lease", "/{link}/sessions")
LAST: Final = ("/v1/sessions/current", "/v1/links/{link}")
"""What these end is asked for by others before."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A case with something in it, and everybody who might call."""

    connection: Connection
    ids: dict[str, str]
    """What is in the paths of this case."""
    callers: dict[str, tuple[Role | None, str]]
    """Bearers by who shows them, with the role that they have in truth."""

    async def status(self, entry: Route, bearer: str | None, ids: dict[str, str]) -> int:
        """The status of a request to a route, whose answer is not read: a stream has no end."""
        path = PARAMETER.sub(lambda found: ids[found[1]], entry.path)
        headers = {hdrs.CONTENT_TYPE: "application/json", "Tus-Resumable": "1.0.0"}
        if bearer is not None:
            headers[hdrs.AUTHORIZATION] = f"Bearer {bearer}"
        bodyless = entry.method not in {"PUT", "POST", "PATCH"} or entry.path.endswith(BODYLESS)
        data = None if bodyless else BODY
        async with self.connection.http.request(
            entry.method, f"{self.connection.url}{path}", headers=headers, data=data
        ) as answer:
            return answer.status


@pytest.fixture
async def scene(case: Case, people: Organization, database_url: str) -> Scene:
    """A case with a letter in it, and bearers of every kind."""
    other = await open_case(people)
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    link = parse_link_url(case.harmed_url)
    revoked, expired = await people.mediator(), await people.mediator()
    bearers = {
        name: await caller_of(person).signed.bearer()
        for name, person in (
            ("participant", case.harmed),
            ("uploader", uploader),
            ("mediator", case.mediator),
            ("mediator of another case", other.mediator),
            ("participant of another case", other.harmed),
            ("revoked mediator", revoked),
            ("expired session", expired),
        )
    }
    await publish_revocation(
        people.connection,
        revoked.credential_id,
        people.administrator.sign_revocation(revoked.credential_id),
    )
    database = await Database.connect(database_url, connections=1)
    async with database.connection() as connection:
        await connection.execute(
            "update sessions set expires_at = now() - interval '1 second' where subject_id = $1",
            expired.credential_id,
        )
    await database.close()
    callers: dict[str, tuple[Role | None, str]] = {
        "link holder": (Role.LINK, b64u_encode(link.secret.auth(link.id))),
        "participant": (Role.PARTICIPANT, bearers["participant"]),
        "uploader": (Role.UPLOADER, bearers["uploader"]),
        "mediator": (Role.MEDIATOR, bearers["mediator"]),
        "mediator of another case": (Role.MEDIATOR, bearers["mediator of another case"]),
        "participant of another case": (Role.PARTICIPANT, bearers["participant of another case"]),
        "service": (Role.SERVICE, people.case_system.token(*Scope)),
        "revoked mediator": (None, bearers["revoked mediator"]),
        "expired session": (None, bearers["expired session"]),
    }
    return Scene(
        connection=people.connection,
        ids={
            "case": str(case.case_id),
            "participant": str(case.harmed.participant_id),
            "one": str(case.harmed.participant_id),
            "other": str(case.responsible.participant_id),
            "message": str(sent.message),
            "revision": "1",
            "link": str(link.id),
            "credential": str(case.mediator.credential_id),
            "commitment": sent.parts[0].commitment,
            "upload": str(uuid.uuid4()),
            "text": str(uuid.uuid4()),
            "hold": str(uuid.uuid4()),
            "receiver": "case-system",
            "logo": "none.svg",
        },
        callers=callers,
    )


@pytest.mark.slow
async def test_every_route_refuses_everybody_whom_it_is_not_for(scene: Scene) -> None:
    """Each route with each caller: 401, 403 or 404 where the role does not fit, and nowhere an error."""
    asked = 0
    for entry in sorted(ROUTES, key=lambda entry: (entry.method == "DELETE", entry.path in LAST)):
        if (entry.method, entry.path) == ("DELETE", "/v1/sessions/current"):
            continue  # in a test of its own: it would end the sessions of this one
        for who, (role, bearer) in scene.callers.items():
            status = await scene.status(entry, bearer, scene.ids)
            where = f"{entry.method} {entry.path} by {who}: {status}"
            asked += 1
            assert status < 500 or entry.path == "/readyz", where
            if Role.PUBLIC in entry.roles:
                assert status not in {401, 403} or entry.method != "GET", where
            elif Role.LINK in entry.roles:
                assert (status == 404) == (role is not Role.LINK) or status in {400, 401, 422}, (
                    where
                )
            elif role is None or role is Role.LINK:
                assert status == 401, where
            elif role not in entry.roles:
                assert status == 403, where
            elif who.endswith("another case") and "{" in entry.path and entry.method == "GET":
                assert status == 404, where
            else:
                assert status not in {401, 403}, where
        if Role.PUBLIC not in entry.roles:
            assert await scene.status(entry, None, scene.ids) == 401, entry.path
    assert asked > 500


def test_a_route_without_roles_cannot_be_written() -> None:
    """Default deny: anyone who forgets to say who may call does not get a route."""

    async def handler(_call: object) -> web.Response:
        return web.Response()

    with pytest.raises(RuntimeError, match="open to nobody"):
        route("GET", "/v1/everything", handler)


@pytest.mark.parametrize(
    ("roles", "scope"),
    [((Role.SERVICE,), None), ((Role.MEDIATOR,), Scope.CASES_READ), ((), Scope.CASES_READ)],
)
def test_a_route_for_the_case_system_has_a_scope_and_no_other_has(
    roles: tuple[Role, ...], scope: Scope | None
) -> None:
    """Default deny: a token that is for nothing opens no route, because none goes without a scope."""

    async def handler(_call: object) -> web.Response:
        return web.Response()

    with pytest.raises(RuntimeError, match=r"scope|nobody"):
        route("GET", "/v1/everything", handler, *roles, scope=scope)


def test_every_route_of_the_case_system_is_meant_to_be_one() -> None:
    """The routes that its tokens open, with the scope of each, are these; a new one shows here."""
    scopes = {f"{entry.method} {entry.path}": entry.scope for entry in ROUTES if entry.scope}
    assert scopes == {
        "GET /v1/cases": "cases:read",
        "GET /v1/cases/{case}": "cases:read",
        "GET /v1/cases/{case}/charters": "cases:read",
        "GET /v1/cases/{case}/log": "log:read",
        "GET /v1/credentials": "credentials:read",
        "GET /v1/credentials/{credential}/keyring": "keyring:read",
        "GET /v1/events": "events:read",
        "GET /v1/queue/figures": "figures:read",
        "PUT /v1/cases/{case}": "cases:write",
        "PUT /v1/cases/{case}/pairs/{one}/{other}/no-contact": "no-contact:write",
        "PUT /v1/cases/{case}/participants/{participant}/consent": "consents:write",
        "PUT /v1/links/{link}": "links:write",
        "PUT /v1/links/{link}/ending": "links:write",
        "PUT /v1/cases/{case}/closing": "cases:write",
        "GET /v1/cases/{case}/holds": "cases:read",
        "PUT /v1/cases/{case}/holds/{hold}": "cases:write",
        "DELETE /v1/cases/{case}/holds/{hold}": "cases:write",
        "GET /v1/cases/{case}/disposal": "cases:read",
        "GET /v1/webhooks": "webhooks:read",
        "GET /v1/webhooks/{receiver}/dead-letters": "webhooks:read",
        "POST /v1/webhooks/{receiver}/redeliveries": "webhooks:write",
        "POST /v1/events/test": "webhooks:write",
    }
    assert set(scopes.values()) == set(Scope)


def test_every_public_route_is_meant_to_be_one() -> None:
    """The routes that anybody may call are these, and a new one shows here."""
    public = {f"{entry.method} {entry.path}" for entry in ROUTES if Role.PUBLIC in entry.roles}
    assert public == {
        "GET /livez",
        "GET /readyz",
        "GET /v1/failures",
        "GET /v1/embedding",
        "GET /v1/profile",
        "GET /v1/profile/logo/{logo}",
        "GET /v1/roots",
        "POST /v1/challenges",
        "POST /v1/sessions",
        "POST /v1/credentials",
        "POST /v1/roots/successions",
        "POST /v1/cases/{case}/charters/recovered",
        "PUT /v1/credentials/{credential}/revocation",
        "POST /v1/receipts",
        "OPTIONS /v1/uploads",
        "OPTIONS /v1/uploads/{upload}",
    }


class Stranger:
    """Somebody of another case, who asks for what is not theirs, and for what does not exist."""

    def __init__(self, caller: Caller, case: uuid.UUID, to: uuid.UUID) -> None:
        self.caller = caller
        self.case = case
        self.to = to

    async def asks(self, message: uuid.UUID, case: uuid.UUID, link: uuid.UUID) -> list[Answer]:
        """Everything that has an identifier in its path, with statements that fit it."""
        ask, path, now = self.caller.ask, f"/v1/messages/{message}", datetime.now(UTC)
        signer, subject = self.caller.signer, self.caller.subject
        charter, *consents = [b64u_encode(hashlib.sha256(bytes([n])).digest()) for n in range(3)]
        words = Subject(
            case=self.case,
            message=message,
            revision=1,
            source="x",
            charter=charter,
            consents=consents,
        )
        keys = {b64u_encode(bytes(32)): bytes(16)}
        draft = NewDraft(recipient=self.to, kind=Kind.LETTER, language=Language.EN)
        offer = words.offer(signer, keys, subject, self.caller.recipient, next(iter(keys)), now)
        statement = {
            "responses": response(signer, self.case, message, next(iter(keys)), "accept", now),
            "withdrawal": withdrawal(signer, self.case, message, subject, now),
            "consent": consent(signer, case, subject, "paused", now),
            "decision": words.decision(signer, "approve", now),
            "captions": words.exception(signer, now),
            "ending": statements.sign(
                signer,
                statements.LinkEnding(
                    link=link, case=case, participant=subject, reason="replaced", at=now
                ),
            ),
        }
        who = f"/v1/cases/{case}/participants/{subject}/consent"
        return [
            await ask("GET", path),
            await ask("PUT", f"{path}/revisions/2/draft", draft),
            await ask("DELETE", f"{path}/revisions/1/draft"),
            await ask("POST", f"{path}/openings"),
            await ask("PUT", f"{path}/lease"),
            await ask("DELETE", f"{path}/lease"),
            await ask("POST", f"{path}/offers", offer),
            await ask("POST", f"{path}/decisions", {"statement": statement["decision"]}),
            await ask("PUT", f"{path}/captions", {"statement": statement["captions"]}),
            await ask("POST", f"{path}/responses", {"statement": statement["responses"]}),
            await ask("PUT", f"{path}/withdrawal", {"statement": statement["withdrawal"]}),
            await ask("PUT", who, {"statement": statement["consent"]}),
            await ask("GET", f"/v1/cases/{case}"),
            await ask("GET", f"/v1/cases/{case}/charters"),
            await ask("GET", f"/v1/cases/{case}/links"),
            await ask("GET", f"/v1/cases/{case}/log"),
            await ask("PUT", f"/v1/links/{link}/ending", {"statement": statement["ending"]}),
        ]


async def test_what_is_not_ones_own_looks_like_what_does_not_exist(
    case: Case, people: Organization
) -> None:
    """A participant and a mediator of another case get the very same answers for real and random names."""
    other = await open_case(people)
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    link = parse_link_url(case.harmed_url).id
    for person in (other.harmed, other.mediator):
        stranger = Stranger(caller_of(person), other.case_id, other.responsible.participant_id)
        real = await stranger.asks(sent.message, case.case_id, link)
        random = await stranger.asks(uuid.uuid4(), uuid.uuid4(), uuid.uuid4())
        assert real == random
        assert {answer.status for answer in real} <= {403, 404}
        assert sum(answer.status == 404 for answer in real) >= 7


async def test_a_problem_is_told_in_the_language_of_the_caller_and_tells_nothing_else(
    case: Case, people: Organization
) -> None:
    """RFC 9457 in English or French; no statement, no SQL and no name of a class comes back."""
    caller = caller_of(case.harmed)
    bearer = await caller.signed.bearer()
    secret = "q7Zk2mVb9"
    body = seal_text(case.case_id, "body", "Words.")
    forged = letter(
        message_statement(
            Signer.generate(),
            case=case.case_id,
            charter=b64u_encode(bytes(32)),
            message=uuid.uuid4(),
            sender=case.harmed.participant_id,
            to=case.responsible.participant_id,
            parts=[body],
            at=datetime.now(UTC),
        ),
        body,
        case.case_id,
        caller.recipient,
    )
    requests = [
        ("GET", f"/v1/messages/{secret}", None),
        ("PUT", f"/v1/messages/{uuid.uuid4()}/revisions/1", forged),
        ("PUT", f"/v1/messages/{uuid.uuid4()}/withdrawal", {"statement": secret}),
        ("POST", "/v1/receipts", {"receipt": secret}),
        ("GET", f"/v1/queue?{secret}={secret}", None),
        ("GET", f"/{secret}", None),
        ("PATCH", "/v1/messages", None),
    ]
    for language, words in (("fr", "fr-CA, fr;q=0.9, en;q=0.2"), ("en", "de, en;q=0.5")):
        for method, path, content in requests:
            headers = {"Accept-Language": words}
            answer = await ask(
                people.connection, method, path, content, bearer=bearer, headers=headers
            )
            document = answer.document
            assert dict(answer.headers)[hdrs.CONTENT_TYPE] == "application/problem+json"
            assert document["status"] == answer.status
            assert document["type"] == f"urn:relay:problem:{document['code']}"
            title = str(document["title"])
            assert title.endswith(".")
            text = answer.content.decode()
            assert not re.search(rf"{secret}|select |Error|Traceback|asyncpg|eyJ", text), text
            french = bool(re.search(r"[éèàç]|\b(le|la|ne|pas|ou)\b", title))
            assert french == (language == "fr"), title


async def test_a_credential_needs_the_root(people: Organization, root: Signer) -> None:
    """Another key, another statement and a second credential of the same name are refused."""
    credential_id, keyring = await people.enrol("mediator")
    stranger = Signer.generate()
    right = statements.Credential(
        credential=uuid.uuid4(),
        person=uuid.uuid4(),
        role="mediator",
        recipient=str(keyring.identity.recipient),
        signer=b64u_encode(Signer.generate().public_key),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2036, 1, 1, tzinfo=UTC),
        at=datetime.now(UTC),
    )

    async def add(signer: Signer, said: statements.Statement) -> tuple[int, str]:
        body = {"statement": statements.sign(signer, said)}
        answer = await ask(people.connection, "POST", "/v1/credentials", body)
        return answer.status, answer.code

    assert await add(stranger, right) == (403, "unknown-signer")
    ends = statements.Revocation(credential=credential_id, at=datetime.now(UTC))
    assert (await add(root, ends))[0] == 422
    assert await add(root, right) == (204, "")
    assert await add(root, right) == (204, "")
    later = statements.Credential(
        **{name: getattr(right, name) for name in right.__struct_fields__ if name != "not_after"},
        not_after=datetime(2037, 1, 1, tzinfo=UTC),
    )
    assert await add(root, later) == (409, "credential-exists")
    path = f"/v1/credentials/{uuid.uuid4()}/revocation"
    body = {"statement": statements.sign(root, ends)}
    assert (await ask(people.connection, "PUT", path, body)).status == 403
