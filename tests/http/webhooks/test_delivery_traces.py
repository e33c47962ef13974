"""A delivery is a trace of its own: it says how it went, and the receiver is told nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from aiohttp import web

from relay.storage.database import Database
from relay.testing.people import Case
from tests.support.collector import Collector, collector, traced
from tests.support.identifying import identifying
from tests.support.receivers import ReceivingHost, Webhook, delivering
from tests.support.webhook_calls import write


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


async def test_each_attempt_is_a_trace(
    case: Case,
    deliverer: Database,
    host: ReceivingHost,
    collected: Collector,
    database_url: str,
) -> None:
    """With the request inside it; one that was refused is an error by its code. Nothing says of what."""
    failures = iter([500])

    async def fail_at_first(webhook: Webhook) -> web.Response:
        status = next(failures, None)
        return await host.take(webhook) if status is None else web.Response(status=status)

    host.answer = fail_at_first
    with traced(collected):
        async with delivering(deliverer, host.receiver()):
            await write(case, 1)
            await host.until(lambda: len(host.taken) == 1)
    first, second = sorted(collected.named("deliver"), key=lambda span: span.began)
    assert first.trace_id != second.trace_id
    for number, span in enumerate((first, second), 1):
        assert (span.parent_id, span.links, span.kind) == ("", (), "INTERNAL")
        assert span.attributes["relay.receiver"] == "case-system"
        assert span.attributes["relay.delivery.attempt"] == number
        assert collected.children(span)[0].name == "POST"
    [refused, taken] = [collected.children(span)[0] for span in (first, second)]
    assert (refused.kind, refused.is_error) == ("CLIENT", True)
    assert refused.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 500,
        "error.type": "status-500",
    }
    assert (taken.is_error, taken.attributes["http.response.status_code"]) == (False, 204)
    assert (first.is_error, first.attributes["error.type"]) == (True, "status-500")
    assert not second.is_error

    values = await identifying(database_url) - {"case-system", "status-500"}
    texts = json.dumps(
        [[span.name, dict(span.attributes)] for span in collected.spans], default=str
    )
    assert [value for value in values if value in texts] == []
    assert host.url.partition("//")[2] not in texts


async def test_a_receiver_is_told_of_no_trace(
    case: Case, deliverer: Database, host: ReceivingHost, collected: Collector
) -> None:
    """No header of any kind that would tie together what it gets."""
    with traced(collected):
        async with delivering(deliverer, host.receiver()):
            await write(case, 1)
            await host.until(lambda: len(host.taken) == 1)
    names = {name.lower() for name in host.taken[0].headers}
    assert not names & {"traceparent", "tracestate", "baggage", "b3", "x-request-id"}
    told = str(host.taken[0])
    assert [span for span in collected.spans if span.trace_id in told] == []
