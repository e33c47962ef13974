"""A letter's whole way: written, reviewed, sent back, revised, approved, offered, accepted, opened."""

from __future__ import annotations

from relay.domain.transitions import State
from relay.domain.views import AuthorView, RecipientView
from relay.testing.people import Case


async def test_a_letter_reaches_its_recipient_only_after_review_and_acceptance(case: Case) -> None:
    """A letter is sent back once, revised, approved, offered, waited with, accepted and read."""
    first = await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    assert first.view is AuthorView.IN_REVIEW

    [item] = (await case.mediator.queue()).items
    leased = await case.mediator.lease(item.message)
    assert await case.mediator.read_letter(leased) == "Why?"
    author = await case.mediator.recipient_claim(case.case_id, case.harmed.participant_id)
    await case.mediator.decide(
        leased, "return", reason="unclear", words="Tell more.", author=author.recipient
    )

    returned = await case.harmed.sent(first.message)
    assert returned.view is AuthorView.SENT_BACK
    assert case.harmed.guidance(returned) == ("unclear", "Tell more.")
    await case.harmed.send_letter(
        case.responsible.participant_id, "Why did you come to our street?", revises=returned
    )
    leased = await case.mediator.lease(first.message)
    approved = await case.mediator.decide(leased, "approve")
    assert approved.state is State.APPROVED
    assert (await case.responsible.correspondence()).received == []

    offered = await case.mediator.offer(approved, note="A letter with questions.")
    assert offered.state is State.OFFERED
    [waiting] = (await case.responsible.correspondence()).received
    assert waiting.view is RecipientView.WAITING
    assert waiting.statements == []
    assert case.responsible.content_note(waiting) == "A letter with questions."
    await case.responsible.respond(waiting, "wait")
    accepted = await case.responsible.respond(waiting, "accept")
    assert accepted.view is RecipientView.TO_OPEN
    received = await case.responsible.open(accepted)
    assert case.responsible.read_text(received) == "Why did you come to our street?"

    assert (await case.harmed.sent(first.message)).view is AuthorView.WITH_MEDIATOR
