"""What holds for every route: other origins are let nowhere, two languages, HEAD wherever there is GET."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import pytest
from aiohttp import hdrs

from relay.app import ROUTES
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.errors import RelayError, Unauthenticated
from relay.handlers.pages import PAGES
from relay.handlers.problems import NoSuchRoute, WrongMethod
from relay.handlers.routing import Route, heads
from relay.testing.people import Case, Organization
from tests.support.requests import Answer, ask, caller_of
from tests.support.routes import filled

EVERYTHING: Final = (*ROUTES, *heads(ROUTES), *PAGES)
ELSEWHERE: Final = "https://elsewhere.example"
LANGUAGES: Final = {"": "en", "en-GB": "en", "fr-CA, en;q=0.5": "fr", "de, fr;q=0.1": "fr"}


@pytest.fixture
async def bearers(case: Case, people: Organization) -> Mapping[Role, str | None]:
    """A bearer of every role but the one of an upload link."""
    address = parse_link_url(case.harmed_url)
    return {
        Role.LINK: b64u_encode(address.secret.auth(address.id)),
        Role.PARTICIPANT: await caller_of(case.harmed).signed.bearer(),
        Role.MEDIATOR: await caller_of(case.mediator).signed.bearer(),
        Role.SERVICE: people.case_system.token(*Scope),
        Role.PUBLIC: None,
    }


@pytest.fixture
def known(case: Case) -> Mapping[str, object]:
    """What leads somewhere."""
    return {
        "case": case.case_id,
        "participant": case.harmed.participant_id,
        "link": parse_link_url(case.harmed_url).id,
    }


async def test_no_page_of_another_origin_is_let_in(
    people: Organization, bearers: Mapping[Role, str | None], known: Mapping[str, object]
) -> None:
    """Whoever asks, with a right bearer or none: no answer has a header of CORS."""
    # A session that is ended is of no use any more.
    for entry in sorted(EVERYTHING, key=lambda entry: entry.path == "/v1/sessions/current"):
        role = next(role for role in bearers if role in entry.roles)
        for bearer in {bearers[role], None}:
            method = "HEAD" if _is_feed(entry) else entry.method
            answer = await ask(
                people.connection,
                method,
                filled(entry.path, known),
                bearer=bearer,
                headers={hdrs.ORIGIN: ELSEWHERE},
            )
            assert _permissions(answer) == _expected(entry.path, answer), entry


async def test_no_answer_of_the_api_is_kept_or_sets_a_cookie(
    people: Organization, bearers: Mapping[Role, str | None], known: Mapping[str, object]
) -> None:
    """Whoever asks, with a right bearer or none: no browser stores it, but for the programme's profile."""
    for entry in sorted(ROUTES, key=lambda entry: entry.path == "/v1/sessions/current"):
        role = next(role for role in bearers if role in entry.roles)
        for bearer in {bearers[role], None}:
            method = "HEAD" if _is_feed(entry) else entry.method
            path = filled(entry.path, known)
            answer = await ask(people.connection, method, path, bearer=bearer)
            said = dict(answer.headers)
            assert "Set-Cookie" not in said, entry
            if answer.status < 400 and path.startswith("/v1/profile"):
                continue  # the same for everybody, and of nobody
            assert said["Cache-Control"] == "no-store", entry


async def test_a_browser_that_asks_first_gets_no_permission(
    people: Organization, known: Mapping[str, object]
) -> None:
    """OPTIONS, as a browser sends it before a request: there is no such method, or what tus needs of it."""
    for entry in EVERYTHING:
        answer = await ask(
            people.connection,
            "OPTIONS",
            filled(entry.path, known),
            headers={
                hdrs.ORIGIN: ELSEWHERE,
                hdrs.ACCESS_CONTROL_REQUEST_METHOD: entry.method,
                hdrs.ACCESS_CONTROL_REQUEST_HEADERS: "authorization, content-type",
            },
        )
        assert _permissions(answer) == [], entry
        assert answer.status == (204 if entry.path.startswith("/v1/uploads") else 405), entry


@pytest.mark.parametrize(("asked", "told"), LANGUAGES.items())
async def test_every_refusal_is_in_the_language_of_who_asks(
    people: Organization, asked: str, told: str
) -> None:
    """On every route, without a bearer, with a method that nobody has, and one step beyond it."""
    for entry in EVERYTHING:
        path = filled(entry.path)
        tries: list[tuple[str, str, type[RelayError]]] = [
            ("PROPFIND", path, WrongMethod),
            (entry.method, f"{path}/and/nothing", NoSuchRoute),
        ]
        if Role.PUBLIC not in entry.roles:
            tries.append((entry.method, path, Unauthenticated))
        for method, where, error in tries:
            headers = {"Accept-Language": asked} if asked else {}
            answer = await ask(people.connection, method, where, headers=headers)
            said = dict(answer.headers)
            assert (said["Content-Language"], said["Vary"]) == (told, "Accept-Language"), where
            assert said["Content-Type"] == "application/problem+json"
            if method != "HEAD":
                assert answer.document["title"] == error.sentence(told), where


async def test_head_is_get_without_its_body(
    people: Organization, bearers: Mapping[Role, str | None], known: Mapping[str, object]
) -> None:
    """Of every GET route, with the same status and headers; of a feed too, which ends at once."""
    for entry in EVERYTHING:
        if entry.method != "GET":
            continue
        path = filled(entry.path, known)
        bearer = bearers[next(role for role in bearers if role in entry.roles)]
        async with asyncio.timeout(2):
            head = await ask(people.connection, "HEAD", path, bearer=bearer)
        assert head.content == b""
        if _is_feed(entry):
            assert dict(head.headers)[hdrs.CONTENT_TYPE] == "text/event-stream"
        else:
            whole = await ask(people.connection, "GET", path, bearer=bearer)
            assert (head.status, head.headers) == (whole.status, whole.headers), path


def _is_feed(entry: Route) -> bool:
    return entry.path.endswith("/events") and Role.SERVICE not in entry.roles


def _permissions(answer: Answer) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in answer.headers
        if name.lower().startswith(("access-control-", "timing-allow"))
    ]


def _expected(path: str, answer: Answer) -> list[tuple[str, str]]:
    """The one file that a page of another origin loads and holds to its hash may be read by any."""
    is_there = path == "/embed.js" and answer.status < 400
    return [(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, "*")] if is_there else []
