"""What mediators are told of what came before a message, and an author of the key that signed it."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.client.records import BrokenRecord, Fault, Record
from relay.client.writing import address
from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.transitions import State
from relay.testing.people import Case, Organization, open_case, verify_everybody
from tests.support.requests import caller_of


async def _returned(case: Case, text: str) -> uuid.UUID:
    sent = await case.harmed.send_letter(case.responsible.participant_id, text)
    leased = await case.mediator.lease(sent.message)
    await case.mediator.decide(leased, "return", reason="tone", words="Once more, please.")
    return sent.message


async def _opened(case: Case, sender: Participant, reader: Participant, text: str) -> uuid.UUID:
    sent = await sender.send_letter(reader.participant_id, text)
    leased = await case.mediator.lease(sent.message)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    [waiting] = [
        one for one in (await reader.correspondence()).received if one.message == sent.message
    ]
    await reader.open(await reader.respond(waiting, "accept"))
    return sent.message


async def test_every_revision_is_there_as_it_was_signed(case: Case) -> None:
    """The first one first, each with the way in of its sender, and the words of each among the parts."""
    message = await _returned(case, "Before.")
    revised = await case.harmed.sent(message)
    await case.harmed.send_letter(case.responsible.participant_id, "After.", revises=revised)
    history = await case.mediator.history(message)
    assert [one.revision for one in history.revisions] == [1, 2]
    said = [
        statements.decode_unverified(one.statement, statements.Message) for one in history.revisions
    ]
    first, second = history.revisions
    assert said[1].supersedes == b64u_encode(signing.statement_hash(first.statement))
    assert first.sent_at < second.sent_at
    assert len(first.origin) == len(second.origin) == 3
    held = {part.commitment for part in (await case.mediator.read(message)).parts if part.header}
    assert {part.commit for one in said for part in one.parts} <= held


async def test_what_the_two_sent_each_other_is_listed_the_newest_first(case: Case) -> None:
    """Both ways, with the state of each and when it was opened; a draft is its author's alone."""
    first = await _opened(case, case.responsible, case.harmed, "Why are you silent?")
    second = await _returned(case, "Not yet.")
    third = (await case.harmed.send_letter(case.responsible.participant_id, "Now.")).message
    await case.harmed.begin_video(address(case.responsible.participant_id))
    others = (await case.mediator.history(third)).others
    assert [(one.message, one.sender, one.state) for one in others] == [
        (second, case.harmed.participant_id, State.RETURNED),
        (first, case.responsible.participant_id, State.VIEWED),
    ]
    assert [one.opened_at is not None for one in others] == [False, True]
    assert [one.message for one in (await case.mediator.history(first)).others] == [third, second]


async def test_a_history_is_for_the_mediators_of_the_case(case: Case, people: Organization) -> None:
    """For nobody of another case, and for no participant."""
    message = await _returned(case, "Before.")
    other = await open_case(people)
    stranger = await caller_of(other.mediator).ask("GET", f"/v1/messages/{message}/history")
    assert (stranger.status, stranger.code) == (404, "not-found")
    for person in (case.harmed, case.responsible):
        answer = await caller_of(person).ask("GET", f"/v1/messages/{message}/history")
        assert (answer.status, answer.code) == (403, "forbidden")


async def test_an_author_is_given_the_way_in_of_an_older_key_of_theirs(
    case: Case, people: Organization
) -> None:
    """So that their program tells their own earlier words from those of somebody else."""
    message = (await case.harmed.send_letter(case.responsible.participant_id, "Before.")).message
    assert (await case.harmed.sent(message)).origin == []
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    anew = await people.claim(url)
    with pytest.raises(Problem):
        await anew.sent(message)
    early = (await anew.send_letter(case.responsible.participant_id, "From a new phone.")).message
    assert (await anew.sent(early)).origin == []
    await verify_everybody(case.mediator, case.case_id)
    found = await anew.sent(message)
    kinds = [signing.read_unverified(one).typ for one in found.origin]
    assert sorted(kinds) == sorted(
        kind.typ
        for kind in (
            statements.Link,
            statements.Claim,
            statements.Verification,
            statements.LinkEnding,
        )
    )
    assert (await anew.sent(early)).origin == []


async def test_ones_own_earlier_letter_is_told_from_a_forged_one(
    case: Case, people: Organization
) -> None:
    """The one was sealed for keys that are gone; of the other nobody can say that it is one's own."""
    message = (await case.harmed.send_letter(case.responsible.participant_id, "Before.")).message
    anew = await people.claim(
        await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    )
    await verify_everybody(case.mediator, case.case_id)
    found = await anew.sent(message)
    for origin, record, fault in (
        (found.origin, Record.BODY, Fault.NO_KEY),
        ([], Record.MESSAGE, Fault.NOT_SIGNED),
    ):
        with pytest.raises(BrokenRecord) as refused:
            anew.own_text(msgspec.structs.replace(found, origin=origin))
        assert (refused.value.record, refused.value.fault) == (record, fault)


async def test_a_revision_that_was_begun_hides_nothing_of_the_one_before(case: Case) -> None:
    """Until it is sent, mediators read what was sent before, also where it is taken back meanwhile."""
    message = await _returned(case, "Before.")
    draft = NewDraft(
        recipient=case.responsible.participant_id, kind=Kind.LETTER, language=Language.EN
    )
    path = f"/v1/messages/{message}/revisions/2/draft"
    assert (await caller_of(case.harmed).ask("PUT", path, draft)).status == 200
    other = (await case.harmed.send_letter(case.responsible.participant_id, "Another.")).message
    for state in (State.DRAFT, State.WITHDRAWN):
        if state is State.WITHDRAWN:
            await case.harmed.withdraw(message)
        read = await case.mediator.read(message)
        assert (read.state, read.revision) == (state, 1)
        assert await case.mediator.read_letter(read) == "Before."
        [past] = (await case.mediator.history(other)).others
        assert (past.message, past.state, past.revision) == (message, state, 1)
