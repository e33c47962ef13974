"""A lost link or passphrase: a new link, and everything released granted again."""

from __future__ import annotations

import pytest

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.crypto.errors import ChainError
from relay.demo.cast import PASSPHRASE, Case, Organization


async def test_what_was_released_is_granted_again_to_a_new_key(
    case: Case, people: Organization
) -> None:
    """Somebody who lost their passphrase reads a released letter again through a new link."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Why our house?")
    leased = await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(leased, "approve")
    await case.mediator.offer(approved)
    [waiting] = (await case.responsible.correspondence()).received
    await case.responsible.open(await case.responsible.respond(waiting, "accept"))

    url = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    again = await Participant.claim(people.connection, url, PASSPHRASE)
    [unreadable] = (await again.correspondence()).received
    with pytest.raises(ChainError):
        await again.open(unreadable)

    with pytest.raises(ChainError):
        await case.mediator.offer(await case.mediator.read(sent.message))

    await case.mediator.verify_claims(case.case_id)
    await case.mediator.offer(await case.mediator.read(sent.message))
    [readable] = (await again.correspondence()).received
    assert again.read_text(await again.open(readable)) == "Why our house?"
    with pytest.raises(Problem) as ended:
        await case.responsible.correspondence()
    assert ended.value.code == "unauthenticated"
