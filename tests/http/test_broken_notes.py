"""Notes and grants of a hostile mediator: a state of that guidance, that offer or that part alone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from relay.client.records import BrokenRecord, Record
from relay.client.sealing import seal_text
from relay.crypto import statements
from relay.domain.messages import Audience, ReviewRequest
from relay.testing.people import Case
from tests.support.corruptions import KEYS, LETTERS, TIMED, WORDS, forge
from tests.support.hostile import HostileCase, HostileMediator, HostileSender, shown
from tests.support.requests import caller_of, digest_of


async def test_guidance_that_does_not_hold_is_a_state_of_that_guidance(case: Case) -> None:
    """A note to the author, sealed and signed in every wrong way: they still read and revise their letter."""
    caller, author = caller_of(case.mediator), caller_of(case.harmed)
    to_case = (await HostileSender.of(case)).to_case
    for name, corruption in LETTERS.items():
        sent = await case.harmed.send_letter(case.responsible.participant_id, f"About {name}.")
        leased = await case.mediator.lease(sent.message)
        forged, grant = forge(case.case_id, "note", corruption)
        said = statements.Decision(
            case=case.case_id,
            message=sent.message,
            revision=1,
            source=digest_of(leased.statement) or "",
            rendition=None,
            captions=None,
            decision="return",
            reason="unclear",
            notes=[forged.part],
            at=datetime.now(UTC),
        )
        to_author = (Audience.AUTHOR, case.harmed.participant_id, author.recipient)
        act = ReviewRequest(
            statement=statements.sign(caller.signer, said),
            grants=[grant(*to_case), grant(*to_author)],
            bodies=[forged.as_body()],
        )
        answer = await caller.ask("POST", f"/v1/messages/{sent.message}/decisions", act)
        assert answer.code == (corruption.refused or ""), name
        own = await case.harmed.sent(sent.message)
        assert case.harmed.own_text(own) == f"About {name}."
        if corruption.refused is not None:
            await case.mediator.decide(leased, "decline", reason="unclear")
        elif corruption.fault is None:
            assert case.harmed.guidance(own) == ("unclear", shown("note", corruption)), name
        else:
            with pytest.raises(BrokenRecord) as refused:
                case.harmed.guidance(own)
            assert (refused.value.record, refused.value.fault) == (
                Record.DECISION,
                corruption.fault,
            ), name
    assert len((await case.harmed.correspondence()).sent) == len(LETTERS)


async def test_an_offer_that_does_not_hold_is_a_state_of_that_offer(case: Case) -> None:
    """A content note, sealed and signed in every wrong way: the recipient may still answer."""
    offering = await HostileMediator.of(case)
    for name, corruption in LETTERS.items():
        approved = await offering.approved(f"About {name}.")
        answer = await offering.offer(approved, note=corruption)
        assert answer.code == (corruption.refused or ""), name
        if corruption.refused is not None:
            continue
        waiting = await offering.waiting(approved.message)
        if corruption.fault is None:
            assert case.responsible.content_note(waiting) == shown("note", corruption), name
        else:
            with pytest.raises(BrokenRecord) as refused:
                case.responsible.content_note(waiting)
            found = (refused.value.record, refused.value.fault)
            assert found == (Record.OFFER, corruption.fault), name
        assert (await case.responsible.respond(waiting, "refuse")).view == "not-accepted"


async def test_a_released_letter_that_does_not_open_is_a_state_of_that_letter(case: Case) -> None:
    """Grants that open nothing: said of these words, while the letter beside them is read."""
    offering = await HostileMediator.of(case)
    sound = await offering.approved("Read me.")
    assert (await offering.offer(sound)).status == 200
    await case.responsible.respond(await offering.waiting(sound.message), "accept")
    for name, corruption in KEYS.items():
        approved = await offering.approved(f"About {name}.")
        if corruption.grant is None:
            continue  # a commitment is the author's: a mediator signs none
        assert (await offering.offer(approved, parts={"body": corruption})).status == 200
        accepted = await case.responsible.respond(
            await offering.waiting(approved.message), "accept"
        )
        received = await case.responsible.open(accepted)
        with pytest.raises(BrokenRecord) as refused:
            case.responsible.read_text(received)
        assert (refused.value.record, refused.value.fault) == (Record.BODY, corruption.fault), name
    received = await case.responsible.open(await offering.waiting(sound.message))
    assert case.responsible.read_text(received) == "Read me."


async def test_a_part_of_a_video_that_does_not_open_hides_no_other(
    hostile_case: HostileCase,
) -> None:
    """Words, rendition, poster and captions: each opens or not by itself."""
    case, offering = hostile_case.case, await HostileMediator.of(hostile_case.case)
    roles = ("body", "rendition", "poster", "captions")
    for role, (name, corruption) in itertools.product(roles, KEYS.items()):
        if corruption.grant is None:
            continue
        texts = [
            seal_text(case.case_id, "body", WORDS),
            seal_text(case.case_id, "captions", f"{TIMED}{WORDS}\n", media_type="text/vtt"),
        ]
        grants = [text.grant(*hostile_case.sender.to_case) for text in texts]
        message, _answer = await hostile_case.video(*texts, grants=grants)
        approved = await case.mediator.decide(await case.mediator.lease(message), "approve")
        assert (await offering.offer(approved, parts={role: corruption})).status == 200, name
        accepted = await case.responsible.respond(await offering.waiting(message), "accept")
        received = await case.responsible.open(accepted)
        assert {part.role for part in received.item.released} == set(roles)
        for part in received.item.released:
            if part.role != role:
                assert received.part(part.role) == part
                continue
            with pytest.raises(BrokenRecord) as refused:
                received.part(role)
            assert (refused.value.record, refused.value.fault) == (Record(role), corruption.fault)
