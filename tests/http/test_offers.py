"""Offers: of exactly what was approved, to exactly the recipient's key, and never past a gate that closed."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from relay.client.participant import Participant
from relay.client.sealing import grant_key
from relay.crypto.encoding import b64u_encode
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import statement_hash
from relay.domain.gates import Gate
from relay.domain.messages import Audience, ReviewMessage, ReviewRequest
from relay.domain.transitions import State
from relay.services.log import LogPage
from relay.storage.database import Connection
from relay.testing.people import Case, Organization, verify_everybody
from tests.support.offers import offer_request, waiting
from tests.support.requests import (
    caller_of,
    consent,
    digest_of,
    response,
    withdrawal,
)

ROUNDS = 6


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    """A look behind the scenes."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def approve(case: Case) -> ReviewMessage:
    """A letter that was approved."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    return await case.mediator.decide(await case.mediator.lease(sent.message), "approve")


async def test_only_an_offer_of_what_was_approved_is_taken(case: Case) -> None:
    """Other words, another key, another claim, other grants and another hand: each is refused."""
    message = await approve(case)
    offering = await offer_request(case, message)
    now = datetime.now(UTC)
    another = str(HybridIdentity.generate().recipient)
    other_words = dataclasses.replace(
        offering, words=dataclasses.replace(offering.words, source="x")
    )
    next_words = dataclasses.replace(
        offering, words=dataclasses.replace(offering.words, revision=2)
    )
    author = case.harmed.participant_id
    right = offering.act(now)
    rewrapped = [
        grant_key(
            grant.commitment,
            offering.keys[grant.commitment],
            Audience.RECIPIENT,
            offering.to,
            another,
        )
        for grant in right.grants
    ]
    mismatch = (400, "statement-mismatch")
    refusals = [
        (offering.act(now, recipient=another), mismatch),
        (offering.act(now, claim=b64u_encode(bytes(32))), mismatch),
        (offering.act(now, to=author), mismatch),
        (offering.act(now, keys={b64u_encode(bytes(32)): bytes(16)}), mismatch),
        (offering.act(now, keys={**offering.keys, b64u_encode(bytes(32)): bytes(16)}), mismatch),
        (ReviewRequest(statement=right.statement, grants=rewrapped), mismatch),
        (ReviewRequest(statement=right.statement, grants=[]), (400, "missing-grant")),
        (ReviewRequest(statement=right.statement, grants=[*right.grants, *right.grants]), mismatch),
        (other_words.act(now), (409, "wrong-state")),
        (next_words.act(now), (409, "wrong-state")),
        (offering.act(now - timedelta(minutes=10)), (403, "forbidden")),
    ]
    for act, refusal in refusals:
        assert await offering.send(act) == refusal
    colleague = dataclasses.replace(offering, caller=caller_of(case.colleague))
    assert (await colleague.send(right))[0] == 422
    assert (await case.responsible.correspondence()).received == []

    assert await offering.send(right) == (200, "")


async def test_an_offer_is_for_later_where_it_says_so(case: Case) -> None:
    """Before its time it is not shown and not answered; from then on it is."""
    message = await approve(case)
    offering = await offer_request(case, message)
    now = datetime.now(UTC)
    early = offering.act(now, not_before=now + timedelta(hours=1))
    assert await offering.send(early) == (200, "")
    assert (await case.responsible.correspondence()).received == []
    caller = caller_of(case.responsible)
    accept = response(
        caller.signer,
        case.case_id,
        message.message,
        digest_of(early.statement) or "",
        "accept",
        now,
    )
    path = f"/v1/messages/{message.message}/responses"
    answer = await caller.send("POST", path, accept)
    assert (answer.status, answer.code) == (409, "not-available-now")

    await case.mediator.decide(await case.mediator.read(message.message), "retract")
    await case.mediator.offer(
        await case.mediator.read(message.message), not_before=now - timedelta(hours=1)
    )
    assert (await waiting(case, message.message)).view == "waiting"


async def test_an_offer_that_was_taken_back_is_not_made_again_by_repeating_it(case: Case) -> None:
    """An older offer sent again answers with the present state, and changes nothing."""
    message = await approve(case)
    offering = await offer_request(case, message)
    now = datetime.now(UTC)
    first, second = offering.act(now), offering.act(now + timedelta(seconds=1))
    for at, act in ((now, first), (now + timedelta(seconds=1), second)):
        assert await offering.send(act) == (200, "")
        back = offering.words.decision(offering.caller.signer, "retract", at)
        path = f"/v1/messages/{message.message}/decisions"
        assert (await offering.caller.send("POST", path, back)).status == 200

    for act in (first, second):
        assert await offering.send(act) == (200, "")
        assert (await case.mediator.read(message.message)).state is State.APPROVED


async def test_offer_and_withdrawal_at_once_leave_nothing_open(
    case: Case, database: Connection
) -> None:
    """Whichever comes first: in the end it is withdrawn, and the recipient has no grant."""
    author = caller_of(case.harmed)
    for _ in range(ROUNDS):
        message = await approve(case)
        offering = await offer_request(case, message)
        now = datetime.now(UTC)
        away = withdrawal(author.signer, case.case_id, message.message, author.subject, now)
        offered, withdrawn = await asyncio.gather(
            offering.send(offering.act(now)),
            author.send("PUT", f"/v1/messages/{message.message}/withdrawal", away),
        )
        assert withdrawn.status == 204
        assert offered in {(200, ""), (409, "wrong-state")}
        assert (await case.mediator.read(message.message)).state is State.WITHDRAWN
    assert await database.fetchval("select count(*) from grants where audience = 'recipient'") == 0
    assert (await case.responsible.correspondence()).received == []


async def test_accept_and_an_end_of_consent_at_once_are_one_after_the_other(case: Case) -> None:
    """Either it was accepted before, and the log says so, or the gate was closed and it was not."""
    author, recipient = caller_of(case.harmed), caller_of(case.responsible)
    at = datetime.now(UTC)
    path = f"/v1/cases/{case.case_id}/participants/{author.subject}/consent"
    outcomes = set()
    for number in range(ROUNDS):
        message = await case.mediator.offer(await approve(case))
        at += timedelta(seconds=1)
        stop = consent(author.signer, case.case_id, author.subject, "paused", at)
        offer = digest_of(message.offer) or ""
        accept = response(recipient.signer, case.case_id, message.message, offer, "accept", at)
        requests = [
            recipient.send("POST", f"/v1/messages/{message.message}/responses", accept),
            author.send("PUT", path, stop),
        ]
        answers = await asyncio.gather(*(requests if number % 2 else reversed(requests)))
        accepted, stopped = answers if number % 2 else reversed(answers)
        assert stopped.status == 204
        assert accepted.status in {200, 409}
        outcomes.add(accepted.status)
        log = await case.mediator.session.call(
            "GET", f"/v1/cases/{case.case_id}/log?limit=500", into=LogPage
        )
        kinds = [row.kind for row in log.rows if row.kind in {"accept", "consent-paused"}]
        assert kinds[-1] == "consent-paused"
        assert (len(kinds) > 1 and kinds[-2] == "accept") == (accepted.status == 200)
        at += timedelta(seconds=1)
        again = consent(author.signer, case.case_id, author.subject, "active", at)
        assert (await author.send("PUT", path, again)).status == 204
    assert outcomes


async def test_an_answer_is_about_the_offer_that_stands(case: Case) -> None:
    """An answer to another offer or for another message is refused, and repeating one changes nothing."""
    first = await case.mediator.offer(await approve(case))
    second = await case.mediator.offer(await approve(case))
    caller, now = caller_of(case.responsible), datetime.now(UTC)

    def said(message: uuid.UUID, offer: str | None) -> str:
        named = digest_of(offer) or ""
        return response(caller.signer, case.case_id, message, named, "refuse", now)

    path = f"/v1/messages/{first.message}/responses"
    for compact in (said(second.message, second.offer), said(first.message, second.offer)):
        answer = await caller.send("POST", path, compact)
        assert (answer.status, answer.code) == (400, "statement-mismatch")
    right = said(first.message, first.offer)
    answers = await asyncio.gather(*(caller.send("POST", path, right) for _ in range(3)))
    assert {answer.status for answer in answers} == {200}
    other = f"/v1/messages/{second.message}/responses"
    assert (await caller.send("POST", other, right)).status == 400
    assert (await case.mediator.read(second.message)).state is State.OFFERED


async def test_the_gate_of_the_recipients_key_waits_for_a_mediator(
    case: Case, people: Organization
) -> None:
    """Nothing is offered to a key not yet verified; once it is, offers to the old key are gone."""
    offered = await case.mediator.offer(await approve(case))
    message = await approve(case)
    old = await offer_request(case, message)
    url = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    fresh = await people.claim(url)

    assert (await fresh.correspondence()).received == []
    assert (await case.mediator.read(offered.message)).gates == []
    unverified = dataclasses.replace(
        old, recipient=caller_of(fresh).recipient, claim=b64u_encode(fresh.claim_hash or b"")
    )
    now = datetime.now(UTC)
    assert await unverified.send(unverified.act(now)) == (400, "statement-mismatch")
    await verify_everybody(case.mediator, case.case_id)
    assert (await case.mediator.read(offered.message)).gates == [Gate.RECIPIENT_KEY]
    assert await old.send(old.act(now)) == (400, "statement-mismatch")
    assert (await case.mediator.read(message.message)).gates == []
    await case.mediator.offer(message)
    [now_waiting] = (await fresh.correspondence()).received
    accepted = await fresh.respond(now_waiting, "accept")
    assert fresh.read_text(await fresh.open(accepted)) == "Words."


async def test_nobody_else_answers_or_opens(case: Case, people: Organization) -> None:
    """The author, a mediator and a link to upload with neither answer an offer nor open what was released."""
    message = await case.mediator.offer(await approve(case))
    url = await case.mediator.make_link(case.case_id, case.responsible.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    accept = response(
        caller_of(uploader).signer,
        case.case_id,
        message.message,
        b64u_encode(statement_hash(message.offer or "")),
        "accept",
        datetime.now(UTC),
    )
    for person, status in ((case.harmed, 404), (case.mediator, 403), (uploader, 403)):
        caller = caller_of(person)
        path = f"/v1/messages/{message.message}"
        assert (await caller.ask("POST", f"{path}/openings")).status == status
        answer = await caller.send("POST", f"{path}/responses", accept)
        assert answer.status in {status, 422}
    with pytest.raises(LookupError):
        await uploader.open(await waiting(case, message.message))
