"""Requests and moments that were made to break something: each is answered in words, and never with a 500."""

from __future__ import annotations

import base64
import zlib
from urllib.parse import urlsplit

import asyncpg
import pytest

from relay.embedded import Access, Services
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.requests import ask, caller_of


@pytest.mark.parametrize("coding", ["deflate", "gzip"])
async def test_a_body_that_does_not_unpack_is_refused(people: Organization, coding: str) -> None:
    """A body that is not compressed as it says is an invalid request."""
    headers = {"Content-Encoding": coding}
    answer = await ask(people.connection, "POST", "/v1/receipts", b"\x00as it is", headers=headers)
    assert (answer.status, answer.code) == (400, "invalid-request")


async def test_a_body_that_unpacks_to_much_more_is_refused(people: Organization) -> None:
    """A small body that unpacks to 64 MiB is too large, and is not unpacked to its end."""
    packed = zlib.compress(b'{"receipt":"' + b"A" * 64 * 1024 * 1024 + b'"}')
    headers = {"Content-Encoding": "deflate"}
    answer = await ask(people.connection, "POST", "/v1/receipts", packed, headers=headers)
    assert (answer.status, answer.code) == (413, "too-large")


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/queue"])
async def test_what_is_nested_too_deeply_is_refused(
    people: Organization, case: Case, path: str
) -> None:
    """A place in a list, which is JSON inside, and a body: it is the caller's mistake, and told as one."""
    caller = caller_of(case.mediator)
    nested = b'{"x":' + b"[" * 3000
    place = base64.urlsafe_b64encode(nested).decode().rstrip("=")
    answer = await caller.ask("GET", f"{path}?after={place}")
    assert (answer.status, answer.code) == (400, "invalid-request")
    body = b'{"challenge":' + b"[" * 100_000
    headers = {"Content-Type": "application/json"}
    answer = await ask(people.connection, "POST", "/v1/sessions", body, headers=headers)
    assert (answer.status, answer.code) == (400, "invalid-request")


async def test_the_log_of_a_case_can_be_read_to_its_end(case: Case) -> None:
    """Page by page, and after the largest number that there is as well."""
    caller = caller_of(case.mediator)
    first = await caller.ask("GET", f"/v1/cases/{case.case_id}/log?limit=2")
    rows = first.document["rows"]
    assert isinstance(rows, list)
    assert [row["seq"] for row in rows] == [1, 2]
    last = await caller.ask("GET", f"/v1/cases/{case.case_id}/log?after={2**63 - 1}")
    assert last.document["rows"] == []


@pytest.mark.own_relay
@pytest.mark.tampers
async def test_relay_says_that_it_cannot_work_when_its_database_is_gone(
    people: Organization, relay_settings: Settings, services: Services
) -> None:
    """Without its database, relay is not ready and says why, and requests are told to come again."""
    name = urlsplit(relay_settings.database_url).path.removeprefix("/")
    administrator = await asyncpg.connect(
        services.accesses[Access.ADMINISTRATOR]["RELAY_DATABASE_URL"]
    )
    try:
        await administrator.execute(f"alter database {name} allow_connections false")
        await administrator.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1", name
        )
    finally:
        await administrator.close()
    ready = await ask(people.connection, "GET", "/readyz")
    assert (ready.status, ready.document) == (
        503,
        {"status": "unavailable", "database": "unreachable", "objects": "ok", "redis": "ok"},
    )
    refused = await ask(people.connection, "POST", "/v1/challenges")
    assert (refused.status, refused.code) == (503, "unavailable")
