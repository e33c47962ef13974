"""What a collector is told of requests: how long what took, in which trace, and never who or what about."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Final

import aiohttp
import pytest
from aiohttp import hdrs

from relay import logs
from relay.app import ROUTES
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.handlers.pages import PAGES
from relay.handlers.routing import heads
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.collector import Collected, Collector, collector, traced
from tests.support.gates import Gate, StoreBehindGate
from tests.support.identifying import identifying
from tests.support.requests import ask, caller_of
from tests.support.routes import filled
from tests.support.uploads import body_of, sending

pytestmark = pytest.mark.own_relay

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
EVERYTHING: Final = (*ROUTES, *heads(ROUTES), *PAGES)
WITHOUT_BODY: Final = {"/v1/challenges", "/v1/events/test"}
ATTRIBUTES: Final = {
    "SERVER": {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "relay.role",
        "error.type",
    },
    "CLIENT": {
        *("db.system.name", "db.query.summary", "error.type"),
        *("rpc.system.name", "rpc.method"),
    },
    "PRODUCER": {
        *("messaging.system", "messaging.destination.name", "error.type"),
        *("messaging.operation.type", "messaging.operation.name"),
    },
}
"""All that may be said of a span of each kind."""


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What relay logs from now on."""
    stream = io.StringIO()
    root, handler = logging.getLogger(), logs.handler("json", stream)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


async def test_a_request_continues_the_trace_of_its_caller(
    people: Organization, collected: Collector, lines: io.StringIO
) -> None:
    """With what it asked of the database inside; the log names the same trace and span."""
    with traced(collected):
        await ask(people.connection, "GET", "/v1/queue", headers={"traceparent": GOOD})
        await ask(people.connection, "GET", "/v1/roots", headers={"traceparent": GOOD})
    [refused] = collected.named("GET /v1/queue")
    [served] = collected.named("GET /v1/roots")
    for span in (refused, served):
        assert (span.trace_id, span.parent_id, span.kind) == (TRACE, SPAN, "SERVER")
    assert refused.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/queue",
        "http.response.status_code": 401,
        "relay.role": "nobody",
        "error.type": "unauthenticated",
    }
    assert not refused.is_error
    assert served.resource["service.name"] == "relay-test"
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    [access] = [line for line in logged if line.get("route") == "/v1/roots"]
    assert (access["trace_id"], access["span_id"]) == (TRACE, served.span_id)


async def test_a_request_without_a_trace_begins_one(
    case: Case, collected: Collector, lines: io.StringIO
) -> None:
    """Each has its own, and its statements are inside it, one after the other."""
    caller = caller_of(case.mediator)
    await caller.signed.bearer()
    with traced(collected):
        for _ in range(2):
            await caller.ask("GET", f"/v1/cases/{case.case_id}")
    one, other = collected.named("GET /v1/cases/{case}")
    assert one.trace_id != other.trace_id
    assert one.parent_id == ""
    assert one.attributes["relay.role"] == "mediator"
    statements = collected.children(one)
    assert "sessions.find_session" in [span.name for span in statements]
    for span in statements:
        assert span.kind == "CLIENT"
        assert span.attributes == {"db.system.name": "postgresql", "db.query.summary": span.name}
        assert one.began <= span.began <= span.ended <= one.ended + 50_000_000
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    ids = [line["trace_id"] for line in logged if line.get("route") == "/v1/cases/{case}"]
    assert ids == [one.trace_id, other.trace_id]


HOSTILE: Final[Mapping[str, list[tuple[str, str]]]] = {
    "upper case": [("traceparent", GOOD.upper())],
    "too long": [("traceparent", f"{GOOD}-{'0' * 4000}")],
    "no version": [("traceparent", f"ff-{TRACE}-{SPAN}-01")],
    "no trace": [("traceparent", f"00-{'0' * 32}-{SPAN}-01")],
    "no span": [("traceparent", f"00-{TRACE}-{'0' * 16}-01")],
    "several": [("traceparent", GOOD), ("traceparent", GOOD)],
    "joined": [("traceparent", f"{GOOD},{GOOD}")],
    "words": [("traceparent", "somebody@example.org")],
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_trace_begins_one(
    people: Organization, collected: Collector, name: str
) -> None:
    """A header that breaks the rules is as none, and nothing of it comes out."""
    with traced(collected):
        async with (
            aiohttp.ClientSession(headers=HOSTILE[name]) as http,
            http.get(f"{people.connection.url}/livez") as answer,
        ):
            assert answer.status == 200
    [span] = collected.named("GET /livez")
    assert span.parent_id == ""
    assert span.trace_id != TRACE
    for _, value in HOSTILE[name]:
        assert value[:20] not in span.everything


async def test_nothing_beside_a_trace_is_taken_over(
    people: Organization, collected: Collector
) -> None:
    """No tracestate, no baggage, no trace of other systems; one that is too large is refused as ever."""
    beside = {
        "traceparent": GOOD,
        "tracestate": "vendor=somebody-by-name",
        "baggage": "person=somebody-by-name",
        "b3": f"{'a' * 32}-{'b' * 16}-1",
        "X-Amzn-Trace-Id": "Root=1-somebody-by-name",
    }
    with traced(collected):
        await ask(people.connection, "GET", "/livez", headers=beside)
        huge = {"traceparent": GOOD, "tracestate": "a=" + "b" * 4_000_000}
        with contextlib.suppress(aiohttp.ClientError):
            assert (await ask(people.connection, "GET", "/livez", headers=huge)).status == 400
    [span] = collected.named("GET /livez")
    assert span.trace_id == TRACE
    for word in ("vendor", "somebody", "a" * 32, "trace_state: "):
        assert word not in span.everything


async def test_who_samples_decides(people: Organization, collected: Collector) -> None:
    """The caller by their flag where the sampler looks at it; relay alone where it does not."""
    not_kept = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    with traced(collected):
        await ask(people.connection, "GET", "/livez", headers=not_kept)
    assert collected.spans == []
    with traced(collected, OTEL_TRACES_SAMPLER="always_on"):
        await ask(people.connection, "GET", "/livez", headers=not_kept)
    assert len(collected.spans) == 1
    with traced(collected, OTEL_TRACES_SAMPLER="parentbased_always_off"):
        await ask(people.connection, "GET", "/livez")
        await ask(people.connection, "GET", "/livez", headers={"traceparent": GOOD})
    assert len(collected.spans) == 2
    sampler = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    with traced(collected, **sampler):
        await ask(people.connection, "GET", "/livez", headers={"traceparent": GOOD})
    assert len(collected.spans) == 2


async def test_a_host_that_waits_for_events_does_not_fill_a_trace(
    case: Case, people: Organization, collected: Collector
) -> None:
    """Of hundreds of looks the first is in it."""
    told = await people.case_system.events()
    bearer = people.case_system.token(*Scope)
    with traced(collected):
        await ask(people.connection, "GET", f"/v1/events?after={told.next}&wait=2", bearer=bearer)
    [span] = collected.named("GET /v1/events")
    assert span.ended - span.began > 1_500_000_000
    assert [one.name for one in collected.children(span)].count("notifications.has_news") == 1


async def busy(people: Organization, case: Case) -> None:
    """A letter all the way, one that comes back, a link, and events that are told."""
    letters = [
        await case.harmed.send_letter(case.responsible.participant_id, "Words of somebody.")
        for _ in range(2)
    ]
    approved = await case.mediator.decide(await case.mediator.lease(letters[0].message), "approve")
    await case.mediator.offer(approved)
    [offered] = (await case.responsible.correspondence()).received
    await case.responsible.respond(offered, "accept")
    await case.responsible.open(offered)
    again = await case.mediator.lease(letters[1].message)
    await case.mediator.decide(again, "return", reason="tone")
    await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    await people.case_system.events()


async def test_no_span_says_who(
    people: Organization,
    case: Case,
    relay_settings: Settings,
    database_url: str,
    collected: Collector,
) -> None:
    """Of a story with everything in it and of every route: no value of any table, no secret, no path."""
    address = parse_link_url(case.harmed_url)
    bearers = {
        Role.LINK: b64u_encode(address.secret.auth(address.id)),
        Role.PARTICIPANT: await caller_of(case.harmed).signed.bearer(),
        Role.MEDIATOR: await caller_of(case.mediator).signed.bearer(),
        Role.SERVICE: people.case_system.token(*Scope),
        Role.PUBLIC: None,
    }
    used = {"a-browser-of-somebody", "192.0.2.77", "query-of-somebody", "body-of-somebody"}
    with traced(collected):
        await busy(people, case)
        async with sending(case, relay_settings, database_url) as draft:
            path = await draft.create(1000)
            await draft.patch(path, 0, body_of(1000))
        for entry in sorted(EVERYTHING, key=lambda entry: entry.path == "/v1/sessions/current"):
            known = {"case": case.case_id, "link": address.id, "message": uuid.uuid4()}
            where = filled(entry.path, known)
            used |= {part for part in where.split("/") if re.search(r"\d", part) and len(part) > 8}
            bearer = bearers[next(role for role in bearers if role in entry.roles)]
            headers = {
                hdrs.USER_AGENT: "a-browser-of-somebody",
                "X-Forwarded-For": "192.0.2.77",
                "tracestate": "a=body-of-somebody",
            }
            method = "HEAD" if "/events" in entry.path and entry.method == "GET" else entry.method
            takes_body = method in {"POST", "PUT"} and entry.path not in WITHOUT_BODY
            body = {"note": "body-of-somebody"} if takes_body else None
            for given in {bearer, None}:
                async with asyncio.timeout(10):
                    await ask(
                        *(people.connection, method, f"{where}?who=query-of-somebody", body),
                        bearer=given,
                        headers=headers,
                    )
    used |= {str(bearer) for bearer in bearers.values() if bearer}

    values = await identifying(database_url) | used
    assert len(values) > 250
    assert {str(case.case_id), str(case.harmed.participant_id)} <= values
    texts = "\n".join(map(told, collected.spans))
    assert [value for value in values if value in texts] == []
    routes = {span.attributes.get("http.route") for span in collected.spans}
    assert {route.path for route in EVERYTHING} <= routes
    for span in collected.spans:
        assert set(span.attributes) <= ATTRIBUTES[span.kind], span.name
        assert not re.search(r"[0-9a-f]{8}", told(span)), span
        assert "events {" not in span.everything
        assert "message:" not in span.everything
    names = {span.name for span in collected.spans}
    assert {"S3/PutObject", "submissions.submit_revision", "begin", "commit"} <= names


def told(span: Collected) -> str:
    """All that a span says in words, without its identifiers, which are random."""
    return "\n".join([span.name, *span.attributes, *map(str, span.attributes.values())])


async def test_a_process_says_nothing_of_its_machine(
    people: Organization, collected: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No host, user, process, command line or file, whatever detectors the environment asks for."""
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process,os,host")
    with traced(collected, OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test"):
        await ask(people.connection, "GET", "/livez")
    assert set(collected.spans[0].resource) == {
        *("telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"),
        *("service.name", "service.version", "service.instance.id"),
        "deployment.environment.name",
    }


async def test_a_collector_is_shown_the_headers(people: Organization, collected: Collector) -> None:
    """What it wants to know relay by; and the batch is compressed where that is asked for."""
    given = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20token",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    with traced(collected, **given):
        await ask(people.connection, "GET", "/livez")
    assert collected.headers[0]["authorization"] == "Bearer token"
    assert collected.headers[0]["content-encoding"] == "gzip"
    assert len(collected.named("GET /livez")) == 1


class TestWithoutTheStore(StoreBehindGate):
    """What is said of a store that does not answer."""

    async def test_a_step_that_fails_says_so_by_its_code(
        self,
        case: Case,
        relay_settings: Settings,
        database_url: str,
        collected: Collector,
        gate: Gate,
    ) -> None:
        """Of what went wrong at the store there is a code, on the call and on the request; no text."""
        async with sending(case, relay_settings, database_url) as draft:
            path = await draft.create(100)
            await gate.close()
            with traced(collected):
                answer = await draft.patch(path, 0, body_of(100))
                assert answer.status == 503
        [span] = collected.named("PATCH /v1/uploads/{upload}")
        assert span.is_error
        assert span.attributes["error.type"] == "store-unavailable"
        stored = collected.named("S3/PutObject")
        assert stored
        for call in stored:
            assert call.trace_id == span.trace_id
            assert call.is_error
            assert call.attributes["error.type"] == "store-unavailable"
