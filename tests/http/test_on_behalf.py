"""Words with help: a mediator writes them down, or staff assist; and nobody hides behind that."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from relay.client.connection import Problem
from relay.client.sealing import SealedText, open_text, seal_text, view_of
from relay.client.writing import Hand, address
from relay.crypto import release
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, StatementError
from relay.crypto.fields import Part
from relay.crypto.items import verify_item
from relay.crypto.statements import OFFER_NOTES, Message, Offer, decode_unverified
from relay.crypto.verified import VerifiedParticipant
from relay.domain.messages import AuthorMessage, RecipientMessage, Submission
from relay.domain.transitions import State
from relay.domain.views import AuthorView
from relay.testing.people import Case, Organization, open_case
from tests.support.offers import offer_request, waiting
from tests.support.requests import Caller, caller_of, digest_of, letter, message_statement

WORDS = "He would like her to know that he thinks of it."
STAFF = "B. Roy, chaplain"


async def relayed(case: Case, text: str = WORDS) -> AuthorMessage:
    """A letter that the mediator wrote down for the person responsible."""
    return await case.mediator.relay_letter(
        case.case_id, case.responsible.participant_id, case.harmed.participant_id, text
    )


async def test_a_relayed_letter_goes_the_whole_way_and_says_who_wrote_it_down(case: Case) -> None:
    """It is reviewed, offered and read like any other; its reader verifies that a mediator signed it."""
    sent = await relayed(case)
    [own] = (await case.responsible.correspondence()).sent
    assert own.message == sent.message
    assert own.view is AuthorView.IN_REVIEW
    approved = await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    assert approved.origin == []
    await case.mediator.offer(approved, note="A letter.", summary="He thinks of it.")
    offered = await waiting_for_harmed(case, sent.message)
    assert case.harmed.content_note(offered) == "A letter."
    assert case.harmed.summary(offered) == "He thinks of it."
    received = await case.harmed.open(await case.harmed.respond(offered, "accept"))
    assert case.harmed.read_text(received) == WORDS


async def waiting_for_harmed(case: Case, message: uuid.UUID) -> RecipientMessage:
    """The message as the person harmed sees it."""
    found = (await case.harmed.correspondence()).received
    return next(entry for entry in found if entry.message == message)


async def test_its_author_reads_it_again_revises_it_and_takes_it_back(case: Case) -> None:
    """What was written down for somebody is theirs: they open it, and their own revision follows it."""
    sent = await relayed(case)
    [own] = (await case.responsible.correspondence()).sent
    body = next(part for part in own.parts if part.header is not None)
    assert body.body is not None
    returned = await case.mediator.decide(
        await case.mediator.lease(sent.message), "return", reason="unclear"
    )
    assert returned.state is State.RETURNED
    revised = await case.responsible.send_letter(
        case.harmed.participant_id, "In my own words.", revises=own
    )
    review = await case.mediator.lease(revised.message)
    assert await case.mediator.read_letter(review) == "In my own words."
    await case.responsible.withdraw(sent.message)
    assert (await case.responsible.sent(sent.message)).view is AuthorView.CLOSED


async def test_a_mediator_does_not_touch_a_participants_own_words(case: Case) -> None:
    """No revision of a letter that its author wrote, and none under the name of a draft of theirs."""
    own = await case.harmed.send_letter(case.responsible.participant_id, "My words.")
    await case.mediator.decide(await case.mediator.lease(own.message), "return", reason="unclear")
    own = await case.harmed.sent(own.message)
    draft = address(case.responsible.participant_id)
    await case.harmed.begin_video(draft)
    charter = (await case.mediator.case(case.case_id)).charter
    hand = Hand(
        case_id=case.case_id,
        participant_id=case.harmed.participant_id,
        charter=charter,
        signer=caller_of(case.mediator).signer,
        recipient=None,
    )
    for written in (
        address(case.responsible.participant_id, revises=own),
        address(case.responsible.participant_id, message_id=draft.message_id),
    ):
        answer = await caller_of(case.mediator).ask(
            "PUT", written.path, hand.letter(written, WORDS)
        )
        assert (answer.status, answer.code) == (409, "wrong-state")
    assert (await case.harmed.sent(own.message)).view is AuthorView.SENT_BACK


async def test_only_a_mediator_of_the_case_writes_down_and_only_between_a_pair(
    case: Case, people: Organization
) -> None:
    """Not a mediator of another case, not a participant for the other, not to oneself, not a video."""
    other = await open_case(people)
    charter = (await case.mediator.case(case.case_id)).charter
    body = seal_text(case.case_id, "body", WORDS)
    video = seal_text(case.case_id, "original", WORDS, media_type="video/mp4")
    stranger = uuid.uuid4()

    async def put(
        caller: Caller, sender: uuid.UUID, to: uuid.UUID, part: SealedText = body
    ) -> tuple[int, str]:
        message = uuid.uuid4()
        statement = message_statement(
            caller.signer,
            case=case.case_id,
            charter=b64u_encode(charter.statement_hash),
            message=message,
            sender=sender,
            to=to,
            parts=[part],
            at=datetime.now(UTC),
        )
        submission = letter(statement, part, case.case_id, charter.recipient)
        answer = await caller.ask("PUT", f"/v1/messages/{message}/revisions/1", submission)
        return answer.status, answer.code

    harmed, responsible = case.harmed.participant_id, case.responsible.participant_id
    mine = caller_of(case.mediator)
    assert await put(caller_of(other.mediator), responsible, harmed) == (404, "not-found")
    assert await put(caller_of(case.harmed), responsible, harmed) == (400, "statement-mismatch")
    assert await put(mine, stranger, harmed) == (404, "not-found")
    assert await put(mine, responsible, other.harmed.participant_id) == (404, "not-found")
    assert await put(mine, responsible, harmed, video) == (400, "invalid-request")
    assert await put(mine, responsible, harmed) == (200, "")


async def test_a_participants_words_cannot_be_passed_off_as_relayed(case: Case) -> None:
    """A relay that hides the origin of a message does not get it believed, no matter who signed it."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "My words.")
    message = await case.mediator.read(sent.message)
    charter = (await case.mediator.case(case.case_id)).charter
    verify_item([message.statement or ""], message.origin, charter)
    with pytest.raises(ChainError):
        verify_item([message.statement or ""], [], charter)
    down = await relayed(case)
    theirs = await case.mediator.read(down.message)
    verify_item([theirs.statement or ""], [], charter)
    with pytest.raises(StatementError):
        verify_item([theirs.statement or ""], message.origin, charter)


async def test_who_assisted_is_for_the_mediators_and_not_for_the_recipient(case: Case) -> None:
    """The note is sealed with the message, read at review, and neither offered nor to be offered."""
    sent = await case.harmed.send_letter(
        case.responsible.participant_id, "My words.", assistant=STAFF
    )
    review = await case.mediator.lease(sent.message)
    identities = (await case.mediator.case(case.case_id)).identities
    item = await case.mediator.verify(review)
    note = next(part for part in item.message.parts if part.role == "note")
    assert open_text(case.case_id, note, view_of(review.parts, note), identities) == STAFF
    approved = await case.mediator.decide(review, "approve")

    offering = await offer_request(case, approved)
    assert note.commit in offering.keys
    act = offering.act(datetime.now(UTC))
    assert await offering.send(act) == (400, "statement-mismatch")
    recipient = await recipient_of(case)
    charter = (await case.mediator.case(case.case_id)).charter
    with pytest.raises(ChainError, match="not reviewed"):
        release.verify_offer(
            act.statement, charter, item, recipient, decisions=approved.decisions, consents=[]
        )

    await case.mediator.offer(approved, note="A letter.")
    offered = await waiting(case, sent.message)
    accepted = await case.responsible.respond(offered, "accept")
    received = await case.responsible.open(accepted)
    assert note.commit not in received.keys
    assert note.commit not in {part.commitment for part in accepted.parts}
    answer = await caller_of(case.responsible).ask("GET", f"/v1/parts/{note.commit}")
    assert (answer.status, answer.code) == (404, "not-found")


async def recipient_of(case: Case) -> VerifiedParticipant:
    """The person responsible, as their own program knows them."""
    return await case.mediator.recipient_claim(case.case_id, case.responsible.participant_id)


async def test_a_message_names_one_assistant_whom_the_case_can_read(case: Case) -> None:
    """A note without a grant for the case is refused, and so is a second note, by form alone."""
    hand = case.harmed.hand
    written = address(case.responsible.participant_id)
    whole = hand.letter(written, "My words.", assistant=STAFF)
    note = next(part for part in parts_of(whole) if part.role == "note")
    lacking = Submission(
        statement=whole.statement,
        grants=[
            grant
            for grant in whole.grants
            if (grant.commitment, grant.audience.value) != (note.commit, "case")
        ],
        bodies=whole.bodies,
    )
    answer = await caller_of(case.harmed).ask("PUT", written.path, lacking)
    assert (answer.status, answer.code) == (400, "missing-grant")
    with pytest.raises(ValueError, match="part"):
        message_statement(
            caller_of(case.harmed).signer,
            case=case.case_id,
            charter=b64u_encode(bytes(32)),
            message=written.message_id,
            sender=case.harmed.participant_id,
            to=written.to,
            parts=[
                seal_text(case.case_id, "body", "My words."),
                seal_text(case.case_id, "note", STAFF),
                seal_text(case.case_id, "note", STAFF),
            ],
            at=datetime.now(UTC),
        )


def parts_of(submission: Submission) -> list[Part]:
    """The parts that a submission declares."""
    return decode_unverified(submission.statement, Message).parts


async def test_an_offer_has_a_content_note_and_a_summary_and_no_more(case: Case) -> None:
    """Its first note is what is shown first; a third is refused by form."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "My words.")
    approved = await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    offered = await case.mediator.offer(approved, note="A letter.", summary="About that night.")
    offer = decode_unverified(offered.offer or "", Offer)
    assert len(offer.notes) == OFFER_NOTES
    message = await waiting(case, sent.message)
    assert case.responsible.content_note(message) == "A letter."
    assert case.responsible.summary(message) == "About that night."
    third = seal_text(case.case_id, "note", "And more.").part
    with pytest.raises(ValueError, match="no more"):
        type(offer)(
            **{name: getattr(offer, name) for name in offer.__struct_fields__ if name != "notes"},
            notes=[*offer.notes, third],
        )


async def test_a_relayed_letter_waits_for_the_gates_like_any_other(case: Case) -> None:
    """Consent that was taken back stops it, and the same statement again is the same letter."""
    sent = await relayed(case)
    again = await case.mediator.read(sent.message)
    assert digest_of(again.statement) == digest_of(sent.statement)
    approved = await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    await case.responsible.consent("withdrawn")
    with pytest.raises(Problem) as refused:
        await case.mediator.offer(approved, note="A letter.")
    assert refused.value.code == "gate-closed"
