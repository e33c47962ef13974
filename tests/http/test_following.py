"""A request can be followed: by its identifier, in and out and through the log, and by its trace."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import hdrs

from relay import logs
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.gates import Gate, StoreBehindGate
from tests.support.requests import Answer, ask, caller_of
from tests.support.uploads import sending, upload_of

ACCEPTED = ["a", "A-b_c.9", "0" * 128, "6f1b2c4e-0d3a-4b5c-8d7e-9f0a1b2c3d4e"]
REFUSED = ["", "a b", "a" * 129, "caf\xe9", "a,b", "<b>", "a;b", "a/b", 'a"', "%0a"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
NO_TRACES = [
    "",
    f"00-{TRACE}-{PARENT}",
    f"00-{TRACE}-{PARENT}-01-more",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{TRACE}x-{PARENT}-01",
]


class Lines:
    """The lines of the log."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        """Those of relay since the last time; the libraries of the test write some, too."""
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        self.stream.seek(0)
        self.stream.truncate()
        return [line for line in found if line["logger"].startswith("relay.")]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged from now on, as `relay serve` does."""
    found = Lines()
    root, handler = logging.getLogger(), logs.handler("json", found.stream)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


def id_of(answer: Answer) -> str:
    """The identifier of an answer, which has exactly one."""
    [found] = [value for name, value in answer.headers if name.lower() == "x-request-id"]
    return found


@pytest.mark.parametrize("given", ACCEPTED)
async def test_an_identifier_comes_back(people: Organization, given: str) -> None:
    """As it was given, with the answer and as the `instance` of a refusal."""
    headers = {"X-Request-Id": given}
    assert id_of(await ask(people.connection, "GET", "/livez", headers=headers)) == given
    refused = await ask(people.connection, "GET", "/v1/queue", headers=headers)
    assert id_of(refused) == given
    assert refused.document["instance"] == (f"urn:uuid:{given}" if given == ACCEPTED[3] else given)


@pytest.mark.parametrize("given", REFUSED)
async def test_what_is_no_identifier_is_replaced(
    people: Organization, lines: Lines, given: str
) -> None:
    """A new UUID takes its place, and nothing of it is logged."""
    headers = {"X-Request-Id": given}
    first = await ask(people.connection, "GET", "/v1/queue", headers=headers)
    second = await ask(people.connection, "GET", "/v1/queue", headers=headers)
    assert uuid.UUID(id_of(first)) != uuid.UUID(id_of(second))
    assert first.document["instance"] == f"urn:uuid:{id_of(first)}"
    logged = [line["request_id"] for line in lines.read() if line["logger"] == "relay.access"]
    assert logged == [id_of(first), id_of(second)]


async def test_two_identifiers_are_none(people: Organization) -> None:
    """Which of them counts would be a guess."""
    url = f"{people.connection.url}/livez"
    headers = [("X-Request-Id", "one"), ("X-Request-Id", "two")]
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        [found] = answer.headers.getall("X-Request-Id")
        assert str(uuid.UUID(found)) == found


async def test_every_kind_of_answer_has_an_identifier(case: Case, people: Organization) -> None:
    """Pages, their absence, wrong methods, 304, probes and streams as well."""
    connection = people.connection
    for method, path in (
        ("GET", "/nowhere"),
        ("PUT", "/v1/queue"),
        ("GET", "/kiosk"),
        ("OPTIONS", "/v1/uploads"),
        ("GET", "/readyz"),
        ("HEAD", "/v1/failures"),
    ):
        assert id_of(await ask(connection, method, path)) == "by-a-test"
    html = {"Accept": "text/html"}
    assert id_of(await ask(connection, "GET", "/nowhere", headers=html)) == "by-a-test"
    headers = {
        "X-Request-Id": "a-feed",
        hdrs.AUTHORIZATION: f"Bearer {await caller_of(case.harmed).signed.bearer()}",
    }
    async with connection.http.get(
        f"{connection.url}/v1/messages/events", headers=headers
    ) as stream:
        assert stream.headers["X-Request-Id"] == "a-feed"


async def test_a_trace_is_in_the_log(people: Organization, lines: Lines) -> None:
    """That of a later version of the header, too; never the parent, which nobody asks for here."""
    for version, more in (("00", ""), ("01", "-more")):
        headers = {"traceparent": f"{version}-{TRACE}-{PARENT}-01{more}"}
        await ask(people.connection, "GET", "/v1/queue", headers=headers)
        [line] = lines.read()
        assert line["trace_id"] == TRACE
        assert PARENT not in str(line)


@pytest.mark.parametrize("given", NO_TRACES)
async def test_what_is_no_trace_is_left_out(people: Organization, lines: Lines, given: str) -> None:
    """A header that breaks the rules is as none."""
    await ask(people.connection, "GET", "/v1/queue", headers={"traceparent": given})
    [line] = lines.read()
    assert "trace_id" not in line
    assert line["request_id"] == "by-a-test"


async def test_a_line_for_each_request_names_nobody(case: Case, lines: Lines) -> None:
    """Method, route, status, time, bytes and role; no identifier, address, query, token or header."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    lines.read()
    caller = caller_of(case.mediator)
    secret = {"User-Agent": "a-browser-of-somebody", "X-Forwarded-For": "192.0.2.77"}
    answer = await caller.ask("GET", f"/v1/cases/{case.case_id}/messages?limit=7", None, secret)
    [line] = [line for line in lines.read() if line["logger"] == "relay.access"]
    assert line["duration_ms"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["time"])
    told = {name: value for name, value in line.items() if name not in {"duration_ms", "time"}}
    assert told == {
        "level": "info",
        "logger": "relay.access",
        "message": line["message"],
        "request_id": "by-a-test",
        "method": "GET",
        "route": "/v1/cases/{case}/messages",
        "status": 200,
        "bytes": len(answer.content),
        "role": "mediator",
    }
    bearer = await caller.signed.bearer()
    for value in (
        case.case_id,
        sent.message,
        "127.0.0.1",
        "192.0.2.77",
        "limit",
        bearer,
        "browser",
    ):
        assert str(value) not in str(line)


async def test_who_is_not_known_is_nobody(people: Organization, lines: Lines) -> None:
    """A path that no route has is not logged, nor a role that was only claimed."""
    await ask(people.connection, "GET", "/l%69nk/of/somebody", bearer="made-up")
    await ask(people.connection, "GET", "/v1/queue?who=somebody", bearer="made-up")
    found = [(line["route"], line["status"], line["role"]) for line in lines.read()]
    assert found == [("(no route)", 404, "nobody"), ("/v1/queue", 401, "nobody")]


async def test_requests_at_the_same_time_are_told_apart(people: Organization, lines: Lines) -> None:
    """On one connection and on many, each line is of its own request."""
    names = [f"request-{number}" for number in range(40)]
    await asyncio.gather(
        *(
            ask(people.connection, "GET", "/v1/roots", headers={"X-Request-Id": name})
            for name in names
        )
    )
    assert sorted(line["request_id"] for line in lines.read()) == sorted(names)


@pytest.mark.own_relay
class TestWithoutTheStore(StoreBehindGate):
    """What is answered 503 is logged where it happens."""

    async def test_an_upload_that_fails_is_logged(
        self, case: Case, gate: Gate, relay_settings: Settings, database_url: str, lines: Lines
    ) -> None:
        """With its code and its request, and without the identifier of the upload."""
        async with sending(case, relay_settings, database_url) as draft:
            path = await draft.create(100)
            await gate.close()
            lines.read()
            answer = await draft.patch(path, 0, bytes(100), {"X-Request-Id": "an-upload"})
            assert (answer.status, answer.code) == (503, "store-unavailable")
        found = [line for line in lines.read() if line["logger"] != "relay.access"]
        assert any("store-unavailable" in line["message"] for line in found)
        assert {line["request_id"] for line in found} == {"an-upload"}
        assert str(upload_of(path)) not in str(found)


@pytest.mark.parametrize(("asked", "told"), [("fr-CH, en;q=0.5", "fr"), ("de", "en"), ("", "en")])
async def test_a_refusal_says_in_which_language_it_is(
    people: Organization, asked: str, told: str
) -> None:
    """And that it depends on what was asked for."""
    refused = await ask(people.connection, "GET", "/v1/queue", headers={"Accept-Language": asked})
    headers = dict(refused.headers)
    assert (headers["Content-Language"], headers["Vary"]) == (told, "Accept-Language")


async def test_a_refusal_says_what_it_is_this_time(people: Organization) -> None:
    """`detail`, where there is more to say than the title does; and none where there is not."""
    refused = await ask(people.connection, "POST", "/v1/receipts", {})
    assert refused.document["detail"] == "Object missing required field `receipt`"
    assert refused.document["title"] != refused.document["detail"]
    french = {"Accept-Language": "fr"}
    refused = await ask(people.connection, "POST", "/v1/receipts", {}, headers=french)
    assert str(refused.document["detail"]).startswith("En anglais\u00a0: ")
    assert "detail" not in (await ask(people.connection, "GET", "/v1/queue")).document
