"""A closed case: nothing is begun, sent, offered or released in it, whoever asks, whenever it was closed."""

from __future__ import annotations

import io
import os
import uuid
from typing import Final

import pytest

from relay.client.connection import Problem
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.domain.cases import CaseView
from relay.domain.messages import ReviewMessage
from relay.domain.tokens import Scope
from relay.services.log import LogPage
from relay.testing.people import Case, Organization, open_case
from tests.support.offers import waiting

ROUNDS: Final = int(os.environ.get("STOPS", "4"))
AT_ONCE: Final = int(os.environ.get("STOPS_AT_ONCE", "12"))
ROUND_SECONDS: Final = 30
"""More than any one round takes, on a busy machine too."""


async def approved(case: Case) -> ReviewMessage:
    """A letter that may be offered."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    return await case.mediator.decide(await case.mediator.lease(sent.message), "approve")


async def kinds(people: Organization, case: Case) -> list[str]:
    """The log of a case, by kinds."""
    token = people.case_system.token(Scope.LOG_READ)
    path = f"/v1/cases/{case.case_id}/log?limit=500"
    page = await people.connection.call("GET", path, bearer=token, into=LogPage)
    return [row.kind for row in page.rows]


async def read(people: Organization, case: Case) -> CaseView:
    """A case, as the case system sees it."""
    token = people.case_system.token(Scope.CASES_READ)
    path = f"/v1/cases/{case.case_id}"
    return await people.connection.call("GET", path, bearer=token, into=CaseView)


async def test_nothing_is_begun_sent_or_made_in_a_closed_case(
    case: Case, people: Organization
) -> None:
    """Letters, drafts, uploads and links are refused by name; once it is open again they go through."""
    to = case.responsible.participant_id
    draft, letter = address(to), address(to)
    await case.harmed.begin_video(draft)
    words = case.harmed.hand.letter(letter, "Words.")
    await people.case_system.set_closed(case.case_id, closed=True)

    for act in (
        lambda: case.harmed.send_letter(to, "Words."),
        lambda: case.harmed.submit(letter.path, lambda: words),
        lambda: case.harmed.begin_video(address(to)),
        lambda: Upload(case.harmed.session, Retry()).create(draft.message_id, 1, 5000),
        lambda: case.harmed.send_video(to, io.BytesIO(b"x" * 5000), "video/mp4"),
        lambda: case.mediator.make_link(case.case_id, to),
        lambda: case.mediator.make_link(case.case_id, to, "upload"),
    ):
        with pytest.raises(Problem) as refused:
            await act()
        assert (refused.value.status, refused.value.code) == (409, "case-closed")

    await case.mediator.set_closed(case.case_id, closed=False)
    assert (await case.harmed.send_letter(to, "Words.")).revision == 1
    await case.mediator.make_link(case.case_id, to)


async def test_nothing_is_released_in_a_closed_case(case: Case) -> None:
    """An offer names what is in its way; what was offered is not there for its recipient until it is open."""
    offered, accepted, opened = [await approved(case) for _ in range(3)]
    later = await approved(case)
    for one in (offered, accepted, opened):
        await case.mediator.offer(one)
    for one in (accepted, opened):
        await case.responsible.respond(await waiting(case, one.message), "accept")
    seen = await waiting(case, offered.message)
    text = await case.responsible.open(await waiting(case, opened.message))
    await case.mediator.set_closed(case.case_id, closed=True)

    with pytest.raises(Problem) as refused:
        await case.mediator.offer(later)
    assert (refused.value.code, refused.value.members["gates"]) == ("gate-closed", ["case-closed"])
    shown = {one.message for one in (await case.responsible.correspondence()).received}
    assert offered.message not in shown
    for answer in ("accept", "wait", "refuse"):
        with pytest.raises(Problem) as refused:
            await case.responsible.respond(seen, answer)
        assert refused.value.code in {"not-available-now", "not-found"}
    with pytest.raises(Problem):
        await case.responsible.open(await waiting(case, accepted.message))
    assert await case.responsible.open(await waiting(case, opened.message)) == text

    await case.mediator.set_closed(case.case_id, closed=False)
    await case.mediator.offer(later)
    await case.responsible.respond(await waiting(case, offered.message), "accept")
    await case.responsible.open(await waiting(case, accepted.message))


async def test_closing_is_logged_once_and_told(case: Case, people: Organization) -> None:
    """By whoever did it; what is so already changes nothing, and the case says since when."""
    before = await kinds(people, case)
    assert (await read(people, case)).closed_at is None
    for _ in range(2):
        await case.mediator.set_closed(case.case_id, closed=True)
    since = (await read(people, case)).closed_at
    assert since is not None
    await people.case_system.set_closed(case.case_id, closed=True)
    assert (await read(people, case)).closed_at == since
    for _ in range(2):
        await people.case_system.set_closed(case.case_id, closed=False)

    assert (await kinds(people, case))[len(before) :] == ["case-closed", "case-reopened"]
    events = (await people.case_system.events(0, limit=500)).events
    assert [event.type for event in events][-2:] == ["case.closed", "case.reopened"]
    assert (await read(people, case)).closed_at is None


async def test_nobody_else_closes_a_case(case: Case, people: Organization) -> None:
    """To a mediator of another case it is not there; a participant has no business with it."""
    other = await open_case(people)
    path = f"/v1/cases/{case.case_id}/closing"
    with pytest.raises(Problem) as refused:
        await other.mediator.set_closed(case.case_id, closed=True)
    assert refused.value.code == "not-found"
    with pytest.raises(Problem) as refused:
        await case.harmed.session.call("PUT", path, body={"closed": True})
    assert refused.value.code == "forbidden"
    with pytest.raises(Problem) as refused:
        await people.case_system.set_closed(uuid.uuid4(), closed=True)
    assert refused.value.code == "not-found"
    assert "case-closed" not in await kinds(people, case)


async def test_what_was_sent_before_is_answered_as_before(case: Case) -> None:
    """A client that repeats what it sent, since the answer was lost, is told that it arrived."""
    letter = address(case.responsible.participant_id)
    words = case.harmed.hand.letter(letter, "Words.")
    first = await case.harmed.submit(letter.path, lambda: words)
    await case.mediator.set_closed(case.case_id, closed=True)
    assert await case.harmed.submit(letter.path, lambda: words) == first
