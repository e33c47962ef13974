"""Strangers are counted by address, where the proxy says it; who is known there is not held up."""

from __future__ import annotations

import dataclasses
import uuid
from http import HTTPStatus
from typing import Final

import pytest

from relay.app import ROUTES
from relay.domain.actors import Role
from relay.handlers.routing import Load, Route
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.requests import Answer, ask, caller_of
from tests.support.routes import filled

pytestmark = pytest.mark.own_relay

QUOTA: Final = 3
HEADER: Final = "X-Real-IP"
COUNTED: Final = [
    route for route in ROUTES if Role.PUBLIC in route.roles and route.load is not Load.STATIC
]
STATIC: Final = [route for route in ROUTES if route.load is Load.STATIC]


@pytest.fixture
def relay_settings(relay_settings: Settings) -> Settings:
    """Few of each, by the address in a header."""
    return dataclasses.replace(
        relay_settings,
        address_header=HEADER,
        limit_address_requests=QUOTA,
        limit_refusal_seconds=0,
    )


async def from_address(
    people: Organization, address: str, route: Route, bearer: str | None = None
) -> Answer:
    """One request as the proxy passes it on."""
    return await ask(
        people.connection,
        route.method,
        filled(route.path),
        bearer=bearer,
        headers={HEADER: address},
    )


def _called(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", COUNTED, ids=_called)
async def test_every_public_request_counts_for_its_address(
    people: Organization, route: Route
) -> None:
    """The one beyond the quota is refused, whatever it asks for; another address goes on."""
    answers = [await from_address(people, "192.0.2.1", route) for _ in range(QUOTA + 1)]
    assert HTTPStatus.TOO_MANY_REQUESTS not in {answer.status for answer in answers[:QUOTA]}
    headers = {name.lower(): value for name, value in answers[-1].headers}
    assert (answers[-1].status, 0 < int(headers["retry-after"]) <= 60) == (429, True)
    assert headers["ratelimit-policy"] == f'"address-requests";q={QUOTA};w=60'
    if route.method != "HEAD":
        assert answers[-1].code == "too-many-requests"
    for other in ("192.0.2.2", "", "unknown"):
        assert (await from_address(people, other, route)).status != HTTPStatus.TOO_MANY_REQUESTS


async def test_what_opens_nothing_counts_and_who_is_known_goes_on(
    case: Case, people: Organization
) -> None:
    """Tries of bearers and links from one address end; a person at the same address does not notice."""
    bearer = await caller_of(case.harmed).signed.bearer()
    letters = next(route for route in ROUTES if _called(route) == "GET /v1/messages")
    tries = [
        (next(route for route in ROUTES if Role.LINK in route.roles), "A" * 43),
        (letters, "A" * 43),
        (letters, "a.b.c"),
        (letters, None),
        (letters, uuid.uuid4().hex),
    ]
    statuses = [
        (await from_address(people, "2001:db8::1", route, made_up)).status
        for route, made_up in tries
    ]
    assert HTTPStatus.TOO_MANY_REQUESTS not in statuses[:QUOTA]
    assert set(statuses[QUOTA:]) == {HTTPStatus.TOO_MANY_REQUESTS}
    for _ in range(2 * QUOTA):
        known = await from_address(people, "2001:db8::2", letters, bearer)
        assert known.status == HTTPStatus.OK
    assert (await from_address(people, "192.0.2.9", letters, "A" * 43)).status == 401


@pytest.mark.parametrize("route", STATIC, ids=_called)
async def test_what_everybody_gets_is_not_counted(people: Organization, route: Route) -> None:
    """Pages and what they are made of are there for a whole building behind one address."""
    for _ in range(QUOTA + 2):
        answer = await from_address(people, "192.0.2.3", route)
        assert answer.status != HTTPStatus.TOO_MANY_REQUESTS


async def test_nobody_is_counted_by_what_they_say_themselves(people: Organization) -> None:
    """Other headers than the one that the operator named are not believed."""
    answers = [
        await ask(
            people.connection,
            "GET",
            "/v1/roots",
            headers={HEADER: "192.0.2.4", "X-Forwarded-For": f"192.0.2.{number}"},
        )
        for number in range(QUOTA + 1)
    ]
    assert answers[-1].status == HTTPStatus.TOO_MANY_REQUESTS
