"""Review: an item goes to one mediator at a time, and an approval is of exactly what was seen."""

from __future__ import annotations

import asyncio
import base64
import io
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from relay.client.connection import Problem
from relay.crypto.statements import Policy
from relay.domain.messages import ReviewMessage, ReviewRequest
from relay.domain.transitions import State
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Connection
from relay.testing.people import Case, Organization, open_case
from tests.support.prepared_videos import prepare
from tests.support.requests import Answer, Subject, caller_of, next_second

ROUNDS = 8
TWO = Policy(approvals=2, captions="required", server_processing=True, retention_days=365)

CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:01.000\nWords.\n"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    """A look behind the scenes."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def send(case: Case) -> uuid.UUID:
    """A letter in the queue."""
    return (await case.harmed.send_letter(case.responsible.participant_id, "Words.")).message


async def send_video(people: Organization, settings: Settings) -> tuple[Case, uuid.UUID]:
    """A prepared video in the queue of a case in which two mediators approve."""
    credential_id, keyring = await people.enrol("media")
    worker = MediaWorker(credential_id=credential_id, keyring=keyring)
    case = await open_case(people, policy=TWO)
    to = case.responsible.participant_id
    message = (await case.harmed.send_video(to, io.BytesIO(b"a film"), "video/mp4")).message
    await prepare(settings, worker, message)
    return case, message


def words_of(message: ReviewMessage) -> Subject:
    """What there is to decide on."""
    return Subject(
        case=message.case,
        message=message.message,
        revision=message.revision,
        source=message.statement or "",
        rendition=message.rendition,
        captions=message.captions,
    )


def outcome(answers: list[Answer]) -> list[tuple[int, str]]:
    """Status and code of each answer, in order of status."""
    return sorted((answer.status, answer.code) for answer in answers)


async def run_out(database: Connection, message: uuid.UUID) -> None:
    """Let the time of a lease be over."""
    await database.execute(
        "update messages set lease_expires_at = now() - interval '1 second' where message_id = $1",
        message,
    )


async def test_of_two_who_lease_at_once_one_has_it(case: Case) -> None:
    """In every round exactly one of the two holds the item, and the other is told so."""
    both = (caller_of(case.mediator), caller_of(case.colleague))
    for _ in range(ROUNDS):
        message = await send(case)
        path = f"/v1/messages/{message}/lease"
        answers = await asyncio.gather(*(caller.ask("PUT", path) for caller in both))
        assert outcome(list(answers)) == [(200, ""), (409, "lease-taken")]
        winner = both[0 if answers[0].status == 200 else 1]
        lease = (await case.mediator.read(message)).lease
        assert lease is not None
        assert lease.holder == winner.subject


async def test_the_same_approval_twice_at_once_counts_once(
    case: Case, database: Connection
) -> None:
    """Repeated at the same moment, a decision is answered alike and kept once; a second one is refused."""
    caller = caller_of(case.mediator)
    for _ in range(ROUNDS):
        words = words_of(await case.mediator.lease(await send(case)))
        compact = words.decision(caller.signer, "approve", datetime.now(UTC))
        path = f"/v1/messages/{words.message}/decisions"
        act = ReviewRequest(statement=compact)
        answers = await asyncio.gather(*(caller.ask("POST", path, act) for _ in range(3)))
        assert outcome(list(answers)) == [(200, "")] * 3
    assert await database.fetchval("select count(*) from decisions") == ROUNDS


async def test_of_two_decisions_at_once_one_is_carried_out(case: Case) -> None:
    """Approve and decline at the same moment by the same hands: one happens, the other is too late."""
    caller = caller_of(case.mediator)
    for _ in range(ROUNDS):
        words = words_of(await case.mediator.lease(await send(case)))
        path = f"/v1/messages/{words.message}/decisions"
        now = datetime.now(UTC)
        acts = [
            ReviewRequest(statement=words.decision(caller.signer, decision, now))
            for decision in ("approve", "decline")
        ]
        answers = await asyncio.gather(*(caller.ask("POST", path, act) for act in acts))
        assert outcome(list(answers)) == [(200, ""), (409, "wrong-state")]


async def test_the_same_decision_again_within_a_second_is_a_new_one(case: Case) -> None:
    """Held, resumed and held again as fast as a program can, a message is held."""
    letter = await send(case)
    await next_second()
    held = await case.mediator.decide(await case.mediator.lease(letter), "hold", reason="safety")
    await case.mediator.decide(held, "resume")
    leased = await case.mediator.lease(letter)
    message = await case.mediator.decide(leased, "hold", reason="safety")

    assert message.state is State.HELD
    assert len(set(message.decisions)) == 3


async def test_a_lease_that_ran_out_decides_nothing(case: Case, database: Connection) -> None:
    """After its time a decision is a conflict, and anybody may take the item; the late one stays late."""
    message = await send(case)
    leased = await case.mediator.lease(message)
    await run_out(database, message)

    with pytest.raises(Problem) as late:
        await case.mediator.decide(leased, "approve")
    assert (late.value.status, late.value.code) == (409, "wrong-state")
    with pytest.raises(Problem):
        await case.mediator.let_go(message)

    taken = await case.colleague.lease(message)
    with pytest.raises(Problem) as late:
        await case.mediator.decide(leased, "approve")
    assert (late.value.status, late.value.code) == (409, "lease-taken")
    assert (await case.colleague.decide(taken, "approve")).state is State.APPROVED


async def test_a_lease_is_renewed_by_its_holder(case: Case, database: Connection) -> None:
    """Taking again what one holds lets the lease run for longer."""
    message = await send(case)
    first = (await case.mediator.lease(message)).lease
    await database.execute(
        "update messages set lease_expires_at = lease_expires_at - interval '5 minutes'"
    )
    second = (await case.mediator.lease(message)).lease

    assert first is not None
    assert second is not None
    assert second.expires_at >= first.expires_at


async def test_two_approvals_are_two_people(people: Organization) -> None:
    """Where the case asks for two, the same person twice is refused and the second one makes it approved."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    first = await case.mediator.decide(await case.mediator.lease(message), "approve")
    assert (first.state, first.approvals, first.approvals_needed) == (State.QUEUED, 1, 2)

    again = await case.mediator.lease(message)
    now = datetime.now(UTC) + timedelta(seconds=2)
    caller = caller_of(case.mediator)
    compact = words_of(again).decision(caller.signer, "approve", now)
    act = ReviewRequest(statement=compact)
    refused = await caller.ask("POST", f"/v1/messages/{message}/decisions", act)
    assert (refused.status, refused.code) == (409, "approved-already")
    await case.mediator.let_go(message)

    second = await case.colleague.decide(await case.colleague.lease(message), "approve")
    assert (second.state, second.approvals) == (State.APPROVED, 2)


async def test_reopening_voids_every_approval(people: Organization) -> None:
    """After a message was reopened both have to approve it again, and both may."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    for mediator in (case.mediator, case.colleague):
        await mediator.decide(await mediator.lease(message), "approve")
    reopened = await case.mediator.decide(await case.mediator.read(message), "reopen")
    assert (reopened.state, reopened.approvals) == (State.QUEUED, 0)

    now = datetime.now(UTC) + timedelta(seconds=2)
    for mediator in (case.mediator, case.colleague):
        words = words_of(await mediator.lease(message))
        act = ReviewRequest(statement=words.decision(caller_of(mediator).signer, "approve", now))
        path = f"/v1/messages/{message}/decisions"
        assert (await caller_of(mediator).ask("POST", path, act)).status == 200
    assert (await case.mediator.read(message)).state is State.APPROVED


async def test_captions_void_the_approval_before_them(
    people: Organization, worker_settings: Settings
) -> None:
    """Captions added after the first approval void it; its mediator may approve again, with them."""
    case, message = await send_video(people, worker_settings)

    await case.mediator.decide(await case.mediator.lease(message), "approve")
    captioned = await case.colleague.caption(await case.colleague.lease(message), text=CAPTIONS)
    assert (captioned.approvals, captioned.captions is not None) == (0, True)
    first = await case.colleague.decide(captioned, "approve")
    assert first.state is State.QUEUED
    second = await case.mediator.decide(await case.mediator.lease(message), "approve")
    assert (second.state, second.approvals) == (State.APPROVED, 2)
    assert (await case.mediator.offer(second)).state is State.OFFERED


async def test_the_same_word_on_captions_again_within_a_second_is_a_new_one(
    people: Organization, worker_settings: Settings
) -> None:
    """What was said last of captions counts: not needed, here they are, not needed after all."""
    case, message = await send_video(people, worker_settings)
    leased = await case.mediator.lease(message)
    await next_second()
    without = await case.mediator.caption(leased, exception="no-speech")
    captioned = await case.mediator.caption(leased, text=CAPTIONS)
    again = await case.mediator.caption(leased, exception="no-speech")

    assert again.captions not in {None, without.captions, captioned.captions}


async def test_a_letter_has_no_captions(case: Case) -> None:
    """Captions for a letter could never be released: they are refused."""
    leased = await case.mediator.lease(await send(case))
    for given in ({"text": CAPTIONS}, {"exception": "no-speech"}):
        with pytest.raises(Problem) as refused:
            await case.mediator.caption(leased, **given)
        assert refused.value.code == "wrong-state"


async def test_a_decision_is_about_one_message(case: Case) -> None:
    """A decision sent to another message is refused there, also after it was carried out where it belongs."""
    caller = caller_of(case.mediator)
    first, second = [await case.mediator.lease(await send(case)) for _ in range(2)]
    compact = words_of(first).decision(caller.signer, "approve", datetime.now(UTC))
    for _ in range(2):
        answer = await caller.ask(
            "POST", f"/v1/messages/{second.message}/decisions", {"statement": compact}
        )
        assert (answer.status, answer.code) == (400, "statement-mismatch")
        await caller.ask("POST", f"/v1/messages/{first.message}/decisions", {"statement": compact})
    assert (await case.mediator.read(second.message)).state is State.CLAIMED


async def test_new_words_void_what_was_decided_about_the_old(case: Case) -> None:
    """A decision on a revision that was replaced in the meantime is a conflict."""
    message = await send(case)
    leased = await case.mediator.lease(message)
    returned = await case.mediator.decide(leased, "return", reason="unclear")
    sent = await case.harmed.sent(returned.message)
    await case.harmed.send_letter(case.responsible.participant_id, "Others.", revises=sent)
    await case.mediator.lease(message)

    with pytest.raises(Problem) as late:
        await case.mediator.decide(leased, "approve")
    assert (late.value.status, late.value.code) == (409, "wrong-state")


async def test_the_queue_is_in_order_and_pages_join(case: Case, people: Organization) -> None:
    """Oldest first, page after page, each item once, and none of another mediator's cases."""
    sent = [await send(case) for _ in range(5)]
    found: list[uuid.UUID] = []
    page = await case.mediator.queue(limit=2)
    while True:
        found += [item.message for item in page.items]
        if page.next is None:
            break
        page = await case.mediator.queue(limit=2, after=page.next)
    assert found == sent
    assert (await (await people.mediator()).queue()).items == []

    for after in ("x", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCAw", "AAAA"):
        with pytest.raises(Problem) as refused:
            await case.mediator.queue(after=after)
        assert refused.value.status == 400


async def test_an_early_end_of_time_is_no_place_in_the_queue(case: Case) -> None:
    """A place whose time cannot be brought to UTC is refused like any other that relay did not give."""
    place = f"0001-01-01T00:00:00+14:00 {uuid.uuid4()}".encode()
    with pytest.raises(Problem) as refused:
        await case.mediator.queue(after=base64.urlsafe_b64encode(place).decode().rstrip("="))
    assert refused.value.status == 400
