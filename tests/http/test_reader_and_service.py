"""What relay lets somebody offer, accept and open is exactly what the recipient's program then believes."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import pytest

from relay.client.administrator import publish_revocation
from relay.client.casework import DEFAULT_POLICY
from relay.client.connection import Problem
from relay.client.records import BrokenRecord, Fault, Record
from relay.client.sealing import seal_text
from relay.crypto import statements
from relay.crypto.statements import Policy
from relay.domain.gates import Gate
from relay.domain.messages import ReviewMessage
from relay.domain.transitions import State
from relay.testing.people import Case, Organization, open_case, verify_everybody
from tests.support.cases import replace_mediators
from tests.support.corruptions import TIMED, WORDS
from tests.support.hostile import HostileCase, HostileMediator, HostileSender
from tests.support.requests import Subject, caller_of

AUTHORS = "The author's."
MEDIATORS = "The mediator's."
TWO = msgspec.structs.replace(DEFAULT_POLICY, approvals=2)

MediatorsCaptions = Literal["none", "text", "exception"]


async def under(hostile_case: HostileCase, people: Organization, policy: Policy) -> HostileCase:
    """The same worker with a new case, under another policy."""
    case = await open_case(people, policy=policy)
    return dataclasses.replace(hostile_case, case=case, sender=await HostileSender.of(case))


async def captioned(
    hostile_case: HostileCase, *, authors: bool, mediators: MediatorsCaptions, words: bool
) -> ReviewMessage:
    """An approved video with captions of its author's, a mediator's, both or none."""
    case, texts = hostile_case.case, []
    if words:
        texts.append(seal_text(case.case_id, "body", WORDS))
    if authors:
        file = f"{TIMED}{AUTHORS}\n"
        texts.append(seal_text(case.case_id, "captions", file, media_type="text/vtt"))
    grants = [text.grant(*hostile_case.sender.to_case) for text in texts]
    message, _answer = await hostile_case.video(*texts, grants=grants)
    leased = await case.mediator.lease(message)
    if mediators == "text":
        leased = await case.mediator.caption(leased, text=f"{TIMED}{MEDIATORS}\n")
    elif mediators == "exception":
        leased = await case.mediator.caption(leased, exception="no-speech")
    return await case.mediator.decide(leased, "approve")


@pytest.mark.parametrize("policy", ["required", "optional"])
async def test_gate_reviewer_and_reader_agree_on_captions(
    hostile_case: HostileCase, people: Organization, policy: Literal["required", "optional"]
) -> None:
    """For every combination: what the gate lets pass opens, and shows the captions that were reviewed."""
    wanted = msgspec.structs.replace(DEFAULT_POLICY, captions=policy)
    own = await under(hostile_case, people, wanted)
    case, offering = own.case, await HostileMediator.of(own.case)
    every: itertools.product[tuple[bool, MediatorsCaptions, bool]] = itertools.product(
        (False, True), ("none", "text", "exception"), (False, True)
    )
    for authors, mediators, words in every:
        approved = await captioned(own, authors=authors, mediators=mediators, words=words)
        settled = policy == "optional" or authors or mediators != "none"
        assert (Gate.CAPTIONS not in approved.gates) == settled
        reviewed = (await case.mediator.examine(approved)).text("captions")
        answer = await offering.offer(approved)
        assert answer.code == ("" if settled else "gate-closed")
        if not settled:
            continue
        accepted = await case.responsible.respond(
            await offering.waiting(approved.message), "accept"
        )
        received = await case.responsible.open(accepted)
        released = {part.role for part in received.item.released}
        if reviewed is None:
            assert "captions" not in released
        else:
            assert case.responsible.read_text(received, "captions") == reviewed
            assert (MEDIATORS if mediators == "text" else AUTHORS) in reviewed
        assert ("body" in released) == words
        assert not received.broken


async def test_letters_need_no_captions(people: Organization) -> None:
    """Whatever the policy asks of videos."""
    policy = msgspec.structs.replace(DEFAULT_POLICY, captions="required")
    case = await open_case(people, policy=policy)
    offering = await HostileMediator.of(case)
    approved = await offering.approved("Words.")
    assert (await offering.offer(approved)).status == 200
    accepted = await case.responsible.respond(await offering.waiting(approved.message), "accept")
    assert case.responsible.read_text(await case.responsible.open(accepted)) == "Words."


async def test_captions_that_were_replaced_are_granted_to_nobody(hostile_case: HostileCase) -> None:
    """An offer that grants the author's captions beside a mediator's is refused as a whole."""
    approved = await captioned(hostile_case, authors=True, mediators="text", words=False)
    examined = await hostile_case.case.mediator.examine(approved)
    item = examined.require_whole()
    replaced = next(part for part in item.message.parts if part.role == "captions")
    assert item.part(replaced.commit) is None
    offering = await HostileMediator.of(hostile_case.case)
    [view] = [one for one in approved.parts if one.commitment == replaced.commit]
    assert view.header is not None
    answer = await offering.offer(approved, besides={replaced.commit: view.header})
    assert answer.code == "statement-mismatch"


async def revoke_into_the_past(people: Organization, case: Case) -> None:
    """Revoke the colleague's credential from an hour ago, so that nothing they signed here counts."""
    subject = caller_of(case.colleague).subject
    said = statements.Revocation(credential=subject, at=datetime.now(UTC) - timedelta(hours=1))
    root = people.administrator.root
    await publish_revocation(people.connection, subject, statements.sign(root, said))


async def approve_twice(case: Case, text: str) -> ReviewMessage:
    """A letter that both mediators approved."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, text)
    await case.colleague.decide(await case.colleague.lease(sent.message), "approve")
    return await case.mediator.decide(await case.mediator.lease(sent.message), "approve")


@pytest.mark.own_relay
@pytest.mark.tampers
async def test_an_approval_that_stopped_counting_stops_what_is_under_way(
    people: Organization,
) -> None:
    """Neither offered, nor accepted, nor called opened: before the revocation each would have been."""
    case = await open_case(people, policy=TWO)
    offering = await HostileMediator.of(case)
    approved = await approve_twice(case, "Approved.")
    offered = await case.mediator.offer(await approve_twice(case, "Offered."))
    released = await case.mediator.offer(await approve_twice(case, "Released."))
    accepted = await case.responsible.respond(await offering.waiting(released.message), "accept")
    await revoke_into_the_past(people, case)

    assert (await offering.offer(approved)).code == "not-verifiable"
    with pytest.raises(Problem) as late:
        await case.responsible.respond(await offering.waiting(offered.message), "accept")
    assert late.value.code == "not-available-now"
    with pytest.raises(Problem) as unopened:
        await case.responsible.open(accepted)
    assert unopened.value.code == "not-available-now"
    assert (await case.mediator.read(released.message)).state is State.RELEASED

    with pytest.raises(BrokenRecord) as refused:
        await case.mediator.offer(approved)
    assert (refused.value.record, refused.value.fault) == (Record.APPROVALS, Fault.TOO_FEW)
    waiting = await offering.waiting(offered.message)
    assert (await case.responsible.respond(waiting, "refuse")).view == "not-accepted"


async def test_a_charter_that_asks_for_more_by_now_is_asked_before_anything_is_opened(
    people: Organization,
) -> None:
    """Accepted under one approval, and the case asks for two since: it is not called opened."""
    case = await open_case(people)
    offering = await HostileMediator.of(case)
    released = await case.mediator.offer(await offering.approved("Words."))
    accepted = await case.responsible.respond(await offering.waiting(released.message), "accept")
    await replace_mediators(case, case.mediator, [case.mediator, case.colleague], TWO)

    with pytest.raises(Problem) as refused:
        await case.responsible.open(accepted)
    assert refused.value.code == "not-available-now"
    assert (await case.mediator.read(released.message)).state is State.RELEASED


async def test_words_of_keys_that_nobody_checked_are_not_approved(
    case: Case, people: Organization
) -> None:
    """The reader would not believe them: relay takes no approval, no matter who signs it."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    stranger = await people.claim(url, "another passphrase")
    sent = await stranger.send_letter(case.responsible.participant_id, "Believe me.")
    leased = await case.mediator.lease(sent.message)
    words = Subject(
        case=case.case_id, message=sent.message, revision=1, source=leased.statement or ""
    )
    caller = caller_of(case.mediator)
    approval = words.decision(caller.signer, "approve", datetime.now(UTC))
    answer = await caller.send("POST", f"/v1/messages/{sent.message}/decisions", approval)
    assert (answer.status, answer.code) == (409, "sender-unverified")
    assert (await case.mediator.decide(leased, "hold", reason="unclear")).state is State.HELD


async def test_what_was_offered_to_older_keys_is_not_called_opened(
    case: Case, people: Organization
) -> None:
    """Somebody who comes with a new link reads nothing yet, and nothing is noted as read."""
    offering = await HostileMediator.of(case)
    released = await case.mediator.offer(await offering.approved("Words."))
    await case.responsible.respond(await offering.waiting(released.message), "accept")
    url = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    again = await people.claim(url)
    await verify_everybody(case.mediator, case.case_id)
    answer = await caller_of(again).ask("POST", f"/v1/messages/{released.message}/openings")
    assert (answer.status, answer.code) == (409, "not-available-now")
    assert (await case.mediator.read(released.message)).state is State.RELEASED
