"""Every route with every wrong token: refused with the right status and header, and nothing is changed."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import hdrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.app import ROUTES
from relay.client.connection import LinkConnection
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Refusal, Scope
from relay.handlers.routing import Route
from relay.services import token_keys
from relay.testing.people import KEY_ID, Case, Organization
from tests.support.requests import ask, caller_of
from tests.support.tampering.owner import Owner
from tests.support.tokens import Forge, jwk, jwks

GUARDED: Final = [route for route in ROUTES if not route.roles & {Role.PUBLIC, Role.LINK}]
BY_LINK: Final = [route for route in ROUTES if Role.LINK in route.roles]
OF_SERVICE: Final = [route for route in ROUTES if route.scope is not None]
AT_ONCE: Final = 16
PLAIN: Final = "Bearer"
NO_BEARERS: Final[Mapping[str, str | None]] = {
    "no header": None,
    "another scheme": "Basic cmVsYXk6cmVsYXk=",
    "no bearer": "Bearer ",
    "a word": "Bearer garbage",
    "bytes that are no text": "Bearer caf\xe9",
    "a token that is no text": "Bearer a.b.\xff",
}
"""What shows neither a session nor a token, by what it is."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What anyone is told who is refused."""

    status: int
    code: str
    header: str | None
    problem: str | None = None

    @classmethod
    def why(cls, refusal: Refusal) -> Told:
        """Of a token that is not accepted."""
        header = f'Bearer error="invalid_token", error_description="{refusal}"'
        return cls(status=401, code="token-refused", header=header, problem=refusal.value)

    @classmethod
    def lacks(cls, scope: Scope) -> Told:
        """Of a token that is for something else."""
        header = f'Bearer error="insufficient_scope", scope="{scope}"'
        return cls(status=403, code="scope-missing", header=header)


NOBODY: Final = Told(status=401, code="unauthenticated", header=PLAIN)
ANOTHER: Final = Told(status=403, code="forbidden", header=None)
NOWHERE: Final = Told(status=404, code="not-found", header=None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A request that must be refused."""

    route: Route
    who: str
    authorization: str | None
    told: Told


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """A case, and everybody who tries."""

    people: Organization
    forge: Forge
    ids: Mapping[str, str]
    sessions: Mapping[str, tuple[Role, str]]
    """Of persons, with their roles."""
    links: Mapping[str, str]
    """The bearers of links."""
    removed: str
    """A token by a key that was in the set."""
    database_url: str

    async def request(self, route: Route, authorization: str | None) -> aiohttp.ClientResponse:
        """A request that would do something, if it were let in."""
        path = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], route.path)
        headers = {"Tus-Resumable": "1.0.0"}
        if authorization is not None:
            headers[hdrs.AUTHORIZATION] = authorization
        body: dict[str, object] | None = None
        if route.path.endswith("/redeliveries"):
            body = {}
        elif route.method == "PUT" and route.path != "/v1/messages/{message}/lease":
            body = {"no_contact": True}
        answer = await self.people.connection.http.request(
            route.method,
            f"{self.people.connection.url}{path}",
            headers=headers,
            json=body,
        )
        if answer.content_type != "text/event-stream":
            await answer.read()
        return answer

    async def told(self, route: Route, authorization: str | None) -> Told:
        """What is answered."""
        async with await self.request(route, authorization) as answer:
            has_body = answer.content_type == "application/problem+json" and route.method != "HEAD"
            document: dict[str, Any] = await answer.json(content_type=None) if has_body else {}
            return Told(
                status=answer.status,
                code=document.get("code", ""),
                header=answer.headers.get(hdrs.WWW_AUTHENTICATE),
                problem=document.get("problem"),
            )

    async def all_rows(self) -> Mapping[str, list[str]]:
        """All that is in the database."""
        async with Owner.of(self.database_url, keeps=False) as owner:
            tables = await owner.connection.fetch(
                "select table_name from information_schema.tables where table_schema = 'public'"
            )
            rows: dict[str, list[str]] = {}
            for (name,) in tables:
                query = f"select array_agg(t::text order by t::text) from {name} as t"  # noqa: S608
                rows[name] = await owner.value(query)
            return rows


async def remove_key(people: Organization, forge: Forge, jwks_file: Path) -> str:
    """A token whose key relay has used, and has forgotten since then."""
    key, before = Ed25519PrivateKey.generate(), jwks_file.read_text("utf-8")
    mine, other = jwk(forge.key, KEY_ID), jwk(key, "removed")
    path = "/v1/queue/figures"
    token = forge.token(key=key, kid="removed")
    try:
        jwks_file.write_text(jwks(mine, other), "utf-8")
        assert (await ask(people.connection, "GET", path, bearer=token)).status == 200
    finally:
        jwks_file.write_text(before, "utf-8")
    unknown = forge.token(kid="read it again")
    assert (await ask(people.connection, "GET", path, bearer=unknown)).status == 401
    return token


@pytest.fixture
async def attacked(
    case: Case,
    people: Organization,
    token_key: Ed25519PrivateKey,
    jwks_file: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Attacked:
    """A case with a letter in the queue, and everybody who may show something."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    addresses = {
        "an upload link": parse_link_url(url),
        "a claimed link": parse_link_url(case.harmed_url),
    }
    links = {
        who: b64u_encode(address.secret.auth(address.id)) for who, address in addresses.items()
    }
    await people.case_system.events(0)
    async with Owner.of(database_url) as owner:
        await owner.run("insert into receivers values ('case-system', '{}', 0)")
        await owner.run("insert into dead_letters values ('case-system', 1, 9, 'status-500')")
    upload = LinkConnection(
        people.connection, addresses["an upload link"].id, links["an upload link"]
    )
    forge = Forge(key=token_key)
    with monkeypatch.context() as patched:
        patched.setattr(token_keys, "RETRY_SECONDS", 0.0)
        removed = await remove_key(people, forge, Path(jwks_file))
    return Attacked(
        people=people,
        forge=forge,
        ids={
            "case": str(case.case_id),
            "participant": str(case.harmed.participant_id),
            "one": str(case.harmed.participant_id),
            "other": str(case.responsible.participant_id),
            "message": str(sent.message),
            "revision": "1",
            "link": str(addresses["a claimed link"].id),
            "credential": str(case.mediator.credential_id),
            "commitment": sent.parts[0].commitment,
            "upload": str(uuid.uuid4()),
            "text": str(uuid.uuid4()),
            "hold": str(uuid.uuid4()),
            "logo": "none.svg",
            "receiver": "case-system",
        },
        sessions={
            "a participant": (Role.PARTICIPANT, await caller_of(case.harmed).signed.bearer()),
            "an uploader": (Role.UPLOADER, await upload.bearer()),
            "a mediator": (Role.MEDIATOR, await caller_of(case.mediator).signed.bearer()),
        },
        links=links,
        removed=removed,
        database_url=database_url,
    )


def tries(attacked: Attacked) -> Iterator[Try]:
    """Every route with everything that does not open it."""
    forge = attacked.forge
    wrong = {who: (token, Told.why(refusal)) for who, (token, refusal) in forge.refused().items()}
    wrong["a removed key"] = attacked.removed, Told.why(Refusal.UNKNOWN_KEY)
    bearers = {who: f"Bearer {bearer}" for who, bearer in attacked.links.items()}
    for route in GUARDED:
        for who, (token, told) in wrong.items():
            yield Try(route=route, who=who, authorization=f"Bearer {token}", told=told)
        for who, authorization in {**NO_BEARERS, **bearers}.items():
            yield Try(route=route, who=who, authorization=authorization, told=NOBODY)
        for who, (role, session) in attacked.sessions.items():
            if role not in route.roles:
                yield Try(route=route, who=who, authorization=f"Bearer {session}", told=ANOTHER)
        others = [scope for scope in Scope if scope is not route.scope]
        for who, scope in {
            "no scope": None,
            "an empty scope": "",
            "what only begins like a scope": f"{route.scope}s {route.scope}:all",
            "every other scope": " ".join(others),
            **{f"the scope {other}": other.value for other in others},
        }.items():
            told = ANOTHER if route.scope is None else Told.lacks(route.scope)
            token = forge.token(scope=scope)
            yield Try(route=route, who=who, authorization=f"Bearer {token}", told=told)
    for route, (who, (token, _told)) in itertools.product(BY_LINK, wrong.items()):
        yield Try(route=route, who=who, authorization=f"Bearer {token}", told=NOWHERE)


@pytest.mark.slow
async def test_every_route_refuses_every_wrong_token_and_says_why(
    attacked: Attacked, caplog: pytest.LogCaptureFixture
) -> None:
    """And to nobody else; each refusal of a token is in the log once, without a word of the token."""
    caplog.set_level(logging.WARNING)
    before = await attacked.all_rows()
    found: list[str] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def attempt(one: Try) -> None:
        async with gate:
            told = await attacked.told(one.route, one.authorization)
        expected = one.told
        if one.route.method == "HEAD":
            expected = dataclasses.replace(expected, code="", problem=None)
        if told != expected:
            found.append(f"{one.route.method} {one.route.path} by {one.who}: {told}")

    attempts = list(tries(attacked))
    await asyncio.gather(*map(attempt, attempts))
    assert found == []
    assert await attacked.all_rows() == before
    assert len(attempts) > len(GUARDED) * 50

    said = Counter(
        record.getMessage()
        for record in caplog.records
        if record.name == "relay.handlers.problems" and record.levelno == logging.WARNING
    )
    expected = Counter(
        f"{one.route.method} {one.route.path}: {one.told.code}: "
        + (one.told.problem or f"the token lacks {one.route.scope}")
        for one in attempts
        if one.told.code in {"token-refused", "scope-missing"}
    )
    assert said == expected


async def test_a_right_token_opens_its_routes_with_that_scope_alone(attacked: Attacked) -> None:
    """The same requests are let in with the scope of the route, and then do what they say."""
    before = await attacked.all_rows()
    for route in OF_SERVICE:
        token = attacked.forge.token(scope=f"openid {route.scope} mail:read")
        told = await attacked.told(route, f"Bearer {token}")
        assert told.status not in {401, 403}, f"{route.path}: {told}"
        assert told.header is None
    after = await attacked.all_rows()
    assert {name for name in after if after[name] != before[name]} == {
        *("pairs", "events", "cases"),
        *("notifications", "due_notifications", "receiver_lines"),
    }


async def test_what_anybody_may_ask_is_answered_alike_with_a_wrong_token(
    attacked: Attacked,
) -> None:
    """On a route for anybody a bearer is not looked at."""
    for route in ROUTES:
        if Role.PUBLIC in route.roles and route.method == "GET":
            without = await attacked.told(route, None)
            for token, _refusal in attacked.forge.refused().values():
                assert await attacked.told(route, f"Bearer {token}") == without
