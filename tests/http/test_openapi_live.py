"""Holds the live routes against the description: what an event carries is what its schema says."""

from __future__ import annotations

import json

import aiohttp
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from relay.testing.people import Case
from tests.support.openapi import load_document
from tests.support.requests import caller_of


@pytest.mark.parametrize("path", ["/v1/messages/events", "/v1/queue/events"])
async def test_a_live_event_is_as_it_is_described(case: Case, path: str) -> None:
    """The first event comes at once, has the described name, and carries the described value."""
    await case.harmed.send_letter(case.responsible.participant_id, "Are you there?")
    document = load_document()
    answer = document["paths"][path]["get"]["responses"]["200"]["content"]["text/event-stream"]
    [(name, schema)] = answer["x-events"].items()
    person = caller_of(case.harmed if name == "messages" else case.mediator)
    async with person.signed.connection.http.get(
        f"{person.signed.connection.url}{path}",
        headers={"Authorization": f"Bearer {await person.signed.bearer()}"},
    ) as stream:
        assert stream.content_type == "text/event-stream"
        lines = await _first_event(stream)
    assert lines[0] == f"event: {name}"
    value = json.loads(lines[1].removeprefix("data: "))
    assert value["everything"]
    validator = Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=FormatChecker()
    )
    assert [error.message for error in validator.iter_errors(value)] == []


async def _first_event(stream: aiohttp.ClientResponse) -> list[str]:
    lines: list[str] = []
    while not lines or lines[-1]:
        lines.append((await stream.content.readuntil(b"\n")).decode().rstrip("\n"))
    return lines
