"""The figures of the case system are kept as sums, and are the messages that there are."""

from __future__ import annotations

import asyncio
import uuid

from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.reviews import QueueFigure
from relay.domain.transitions import State
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import caller_of
from tests.support.tampering.owner import Owner


async def counted(database_url: str) -> list[QueueFigure]:
    """The same by counting every message."""
    async with Owner.of(database_url) as owner:
        rows = await owner.connection.fetch(
            "select state, count(*) as messages, min(waiting_since) as oldest from messages "
            "where is_in_queue(messages) group by state order by state"
        )
    return [
        QueueFigure(
            state=State(row["state"]),
            waits_for=None,
            messages=row["messages"],
            oldest=row["oldest"],
        )
        for row in rows
    ]


async def require_true(people: Organization, database_url: str) -> list[QueueFigure]:
    """The figures of the case system, which are what a count finds."""
    figures = (await people.case_system.figures()).figures
    assert figures == await counted(database_url)
    return figures


async def sum_up(database_url: str) -> int:
    """What the sweep of a worker does; how many rows are left."""
    async with Owner.of(database_url) as owner:
        await owner.run("select sum_queue_counts()")
        left: int = await owner.value("select count(*) from queue_counts")
    return left


async def send(case: Case) -> uuid.UUID:
    """A letter in the queue."""
    return (await case.harmed.send_letter(case.responsible.participant_id, "Words.")).message


async def test_every_transition_is_counted(people: Organization, database_url: str) -> None:
    """Whatever becomes of letters: the figures are right before the sweep has summed them up, and after."""
    case = await open_case(people)
    assert await require_true(people, database_url) == []
    letters = [await send(case) for _ in range(6)]
    decide = case.mediator.decide
    returned = await decide(await case.mediator.lease(letters[0]), "return", reason="tone")
    await require_true(people, database_url)
    await decide(await case.mediator.lease(letters[1]), "hold", reason="readiness")
    await decide(await case.mediator.lease(letters[2]), "decline", reason="tone")
    await case.harmed.withdraw(letters[3])
    await case.mediator.offer(await decide(await case.mediator.lease(letters[4]), "approve"))
    await case.mediator.lease(letters[5])
    before = await require_true(people, database_url)
    assert {one.state for one in before} == {
        State.RETURNED,
        State.HELD,
        State.OFFERED,
        State.CLAIMED,
    }
    assert await sum_up(database_url) == len(before)
    assert await require_true(people, database_url) == before
    await case.mediator.let_go(letters[5])
    await case.harmed.send_letter(
        case.responsible.participant_id,
        "Other words.",
        revises=await case.harmed.sent(returned.message),
    )
    assert await sum_up(database_url) == 3
    await require_true(people, database_url)


async def test_what_was_never_sent_is_in_no_figure(
    people: Organization, case: Case, database_url: str
) -> None:
    """A draft is its sender's until it is sent, and leaves nothing behind when it is discarded."""
    path = f"/v1/messages/{uuid.uuid4()}/revisions/1/draft"
    draft = NewDraft(
        recipient=case.responsible.participant_id, kind=Kind.VIDEO, language=Language.EN
    )
    await caller_of(case.harmed).ask("PUT", path, draft)
    assert await require_true(people, database_url) == []
    await caller_of(case.harmed).ask("DELETE", path)
    assert await require_true(people, database_url) == []
    assert await sum_up(database_url) == 0


async def test_sums_beside_each_other_and_beside_letters(
    people: Organization, database_url: str
) -> None:
    """Sweeps of several workers at once count nothing twice and lose nothing that comes meanwhile."""
    cases = [await open_case(people) for _ in range(2)]
    await asyncio.gather(
        *(send(case) for case in cases for _ in range(6)),
        *(sum_up(database_url) for _ in range(6)),
    )
    [figure] = await require_true(people, database_url)
    assert (figure.state, figure.messages) == (State.QUEUED, 12)
    assert await sum_up(database_url) == 1
    await require_true(people, database_url)
