"""The case system finds cases: by reference, state, mediator and change, page by page."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import pytest

from relay.client.connection import Problem
from relay.domain.cases import (
    CaseRegistration,
    CaseState,
    CaseSummary,
    NewParticipant,
    ParticipantRole,
)
from relay.domain.tokens import Scope
from relay.settings import Settings
from relay.testing.people import Case, Organization, open_case
from tests.support.audits import findings
from tests.support.requests import ask, caller_of

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


async def found(people: Organization, **filters: object) -> list[uuid.UUID]:
    """What the case system finds."""
    page = await people.case_system.cases(**filters)  # type: ignore[arg-type]
    assert page.next is None
    return [case.case for case in page.cases]


async def turned(people: Organization, limit: int, **filters: object) -> list[CaseSummary]:
    """The same, page by page."""
    cases: list[CaseSummary] = []
    after: str | None = None
    while True:
        page = await people.case_system.cases(after=after, limit=limit, **filters)  # type: ignore[arg-type]
        assert len(page.cases) <= limit
        cases += page.cases
        after = page.next
        if after is None:
            return cases


async def register(people: Organization, reference: str) -> uuid.UUID:
    """A case that nobody has opened."""
    case_id = uuid.uuid4()
    roles = (ParticipantRole.HARMED, ParticipantRole.RESPONSIBLE)
    registration = CaseRegistration(
        reference=reference,
        participants=[NewParticipant(participant=uuid.uuid4(), role=role) for role in roles],
    )
    await people.case_system.register(case_id, registration)
    return case_id


async def test_each_filter_finds_what_it_names_and_nothing_else(people: Organization) -> None:
    """By itself, and all together."""
    registered = await register(people, "A/1 ü")
    opened, closed = await open_case(people), await open_case(people)
    await people.case_system.set_closed(closed.case_id, closed=True)
    everything = {registered, opened.case_id, closed.case_id}

    assert set(await found(people)) == everything
    assert await found(people, reference="A/1 ü") == [registered]
    assert await found(people, reference="A/1") == []
    for state, expected in (
        (CaseState.REGISTERED, registered),
        (CaseState.OPEN, opened.case_id),
        (CaseState.CLOSED, closed.case_id),
    ):
        assert await found(people, state=state) == [expected]
        [case] = (await people.case_system.cases(state=state)).cases
        assert case.state is state
        assert await found(people, state=state, reference="A/1 ü") == (
            [registered] if state is CaseState.REGISTERED else []
        )
    mediator = opened.mediator.credential_id
    assert await found(people, mediator=mediator) == [opened.case_id]
    assert await found(people, mediator=uuid.uuid4()) == []
    assert await found(people, mediator=mediator, state=CaseState.CLOSED) == []
    whole = {"reference": f"case {opened.case_id}", "state": CaseState.OPEN, "mediator": mediator}
    assert await found(people, **whole, changed_since=LONG_AGO) == [opened.case_id]
    assert await found(people, **whole, changed_since=datetime.now(UTC)) == []
    assert await found(people, **{**whole, "mediator": uuid.uuid4()}) == []
    await people.case_system.set_closed(closed.case_id, closed=False)
    assert await found(people, state=CaseState.CLOSED) == []


async def test_what_changed_last_comes_last_and_none_is_left_out(people: Organization) -> None:
    """Exactly since a time; a case that changes while the pages are turned comes once more."""
    ids = [await register(people, f"{number}") for number in range(5)]
    listed = await turned(people, 2, changed_since=LONG_AGO)
    assert [case.case for case in listed] == ids
    times = [case.changed_at for case in listed]
    assert times == sorted(times)
    assert [case.case for case in await turned(people, 2)] == sorted(ids)
    assert await found(people, changed_since=times[2]) == ids[2:]
    later = times[2] + timedelta(microseconds=1)
    assert await found(people, changed_since=later) == ids[3:]

    first = await people.case_system.cases(changed_since=LONG_AGO, limit=2)
    await people.case_system.set_closed(ids[0], closed=True)
    rest = await people.case_system.cases(changed_since=LONG_AGO, after=first.next)
    assert [case.case for case in rest.cases] == [*ids[2:], ids[0]]


@pytest.mark.tampers
async def test_a_change_is_of_the_case_and_never_of_a_message(
    people: Organization, case: Case, relay_settings: Settings, database_url: str
) -> None:
    """What is logged of the case moves it, to the microsecond; what people do with messages does not.

    Whoever compared the times would tell a refusal from an opening. The audit checks it.
    """

    async def changed() -> datetime:
        [listed] = (await people.case_system.cases()).cases
        return listed.changed_at

    connection = await asyncpg.connect(database_url)
    newest = "select max(at) from events where message_id is null"
    try:
        before = await changed()
        assert before == await connection.fetchval(newest)
        for answer in ("accept", "refuse"):
            sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
            leased = await case.mediator.lease(sent.message)
            await case.mediator.offer(await case.mediator.decide(leased, "approve"))
            offered = await case.responsible.offered(sent.message)
            await case.responsible.respond(offered, answer)
            if answer == "accept":
                await case.responsible.open(await case.responsible.offered(sent.message))
        assert await connection.fetchval("select max(at) from events") > before
        assert await changed() == before
        await case.harmed.consent("paused")
        assert await changed() == await connection.fetchval(newest) > before
        assert await findings(relay_settings) == []
        await connection.execute("update cases set changed_at = changed_at + interval '1 second'")
        assert [finding.code for finding in await findings(relay_settings)] == ["table-differs"]
    finally:
        await connection.close()


async def test_a_mediator_finds_their_own_alone(people: Organization) -> None:
    """Whatever they ask for, and whomever they name."""
    mine, other = await open_case(people), await open_case(people)
    caller = caller_of(mine.mediator)
    theirs = other.mediator.credential_id
    for query, expected in (
        ("", [mine.case_id]),
        (f"?reference=case%20{other.case_id}", []),
        (f"?reference=case%20{mine.case_id}", [mine.case_id]),
        (f"?mediator={theirs}", []),
        (f"?mediator={mine.mediator.credential_id}", [mine.case_id]),
        (f"?mediator={mine.colleague.credential_id}&state=open", [mine.case_id]),
        ("?changed_since=2020-01-01T00:00:00Z", [mine.case_id]),
        (f"?changed_since=2020-01-01T00:00:00Z&mediator={theirs}", []),
        ("?state=closed", []),
    ):
        answer = await caller.ask("GET", f"/v1/cases{query}")
        listed = json.loads(answer.content)["cases"]
        assert [case["case"] for case in listed] == [str(one) for one in expected], query


@pytest.mark.parametrize(
    "query",
    [
        "reference=",
        "reference=a%00b",
        f"reference={'x' * 201}",
        "state=opened",
        "mediator=1",
        "changed_since=yesterday",
        "changed_since=2026-11-27T08:00:00",
        "changed_since=0001-01-01T00:00:00%2B14:00",
        "after=00000000-0000-0000-0000-000000000000",
        "after=e30%3D%3D%3D&changed_since=2020-01-01T00:00:00Z",
        "after=&limit=1",
        "case=1",
    ],
)
async def test_what_cannot_be_asked_is_refused(people: Organization, query: str) -> None:
    """A filter that is none, a time without a zone, a place that is none or of the other order."""
    bearer = people.case_system.token(Scope.CASES_READ)
    answer = await ask(people.connection, "GET", f"/v1/cases?{query}", bearer=bearer)
    assert (answer.status, answer.code) == (400, "invalid-request")


async def test_a_place_is_of_one_order(people: Organization) -> None:
    """The `next` of a list by change does not go on in a list by identifiers."""
    for number in range(3):
        await register(people, f"{number}")
    by_change = await people.case_system.cases(changed_since=LONG_AGO, limit=1)
    by_identifier = await people.case_system.cases(limit=1)
    for after, since in ((by_change.next, None), (by_identifier.next, LONG_AGO)):
        assert after is not None
        with pytest.raises(Problem) as refused:
            await people.case_system.cases(after=after, changed_since=since)
        assert (refused.value.status, refused.value.code) == (400, "invalid-request")


async def test_a_list_says_when_and_never_what(people: Organization, case: Case) -> None:
    """Of a case: what was registered, its figures and times. No message, no statement, no kind of a row."""
    await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    bearer = people.case_system.token(Scope.CASES_READ)
    answer = await ask(people.connection, "GET", "/v1/cases?state=open", bearer=bearer)
    [listed] = json.loads(answer.content)["cases"]
    assert set(listed) == {
        *("case", "reference", "charter_version", "approvals", "captions_required"),
        *("server_processing", "proposed_mediators", "created_at", "closed_at", "media"),
        *("retention_days", "disposal_due_at", "disposed_at"),
        *("recovery", "state", "changed_at", "participants", "figures"),
    }
