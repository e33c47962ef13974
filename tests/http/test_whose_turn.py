"""Who has to do something next, and who is who: in the queue, in its figures and in the list of cases."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec
import pytest

from relay.client.connection import Problem
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto.statements import Policy
from relay.domain.cases import (
    CaseFigures,
    CasePage,
    CaseRegistration,
    CaseView,
    NewParticipant,
    ParticipantRole,
)
from relay.domain.messages import Kind, Language, NewDraft, QueuePage, WaitsFor
from relay.domain.reviews import ENDED, QueueFigures
from relay.domain.transitions import State
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import caller_of

TWO: Final = Policy(approvals=2, captions="optional", server_processing=True, retention_days=365)
NOTE: Final = "A short letter."


async def send(case: Case) -> uuid.UUID:
    """A letter in the queue."""
    return (await case.harmed.send_letter(case.responsible.participant_id, "Words.")).message


async def approve(mediator: Mediator, message: uuid.UUID) -> None:
    """Take a message and approve it."""
    await mediator.decide(await mediator.lease(message), "approve")


async def offer(case: Case) -> uuid.UUID:
    """A letter that was offered."""
    message = await send(case)
    await approve(case.mediator, message)
    await case.mediator.offer(await case.mediator.read(message), note=NOTE)
    return message


async def respond(person: Participant, message: uuid.UUID, *answers: str) -> None:
    """Answer an offer; after an acceptance it can be opened and closed."""
    for answer in answers:
        [found] = [
            one for one in (await person.correspondence()).received if one.message == message
        ]
        if answer == "open":
            await person.open(found)
        else:
            await person.respond(found, answer)  # type: ignore[arg-type]  # each test names an answer


async def figures(mediator: Mediator) -> dict[tuple[State, WaitsFor | None], int]:
    """How much a mediator has in which state, and for whom it waits."""
    answer = await caller_of(mediator).ask("GET", "/v1/queue/figures")
    found = msgspec.json.decode(answer.content, type=QueueFigures)
    return {(one.state, one.waits_for): one.messages for one in found.figures}


async def of_turn(mediator: Mediator, turn: WaitsFor) -> list[uuid.UUID]:
    """What waits for somebody, whatever state it is in."""
    return [item.message for item in (await mediator.queue(waits_for=turn)).items]


async def of_case(mediator: Mediator, case_id: uuid.UUID) -> list[tuple[uuid.UUID, State]]:
    """Every message of a case, page by page."""
    found: list[tuple[uuid.UUID, State]] = []
    after = ""
    while True:
        path = f"/v1/cases/{case_id}/messages?limit=2{after}"
        page = msgspec.json.decode(
            (await caller_of(mediator).ask("GET", path)).content, type=QueuePage
        )
        found += [(item.message, item.state) for item in page.items]
        if page.next is None:
            return found
        after = f"&after={page.next}"


async def test_a_first_approval_waits_for_another_mediator(people: Organization) -> None:
    """The mediator who gave it has nothing to do; their colleague has, until they gave theirs."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    first, second = case.mediator, case.colleague
    for mediator in (first, second):
        assert await of_turn(mediator, WaitsFor.YOU) == [message]

    await approve(first, message)

    assert await of_turn(first, WaitsFor.YOU) == []
    assert await of_turn(first, WaitsFor.MEDIATOR) == [message]
    assert await of_turn(second, WaitsFor.YOU) == [message]
    assert await figures(first) == {(State.QUEUED, WaitsFor.MEDIATOR): 1}
    assert await figures(second) == {(State.QUEUED, WaitsFor.YOU): 1}
    [item] = (await first.queue()).items
    assert (item.waits_for, item.approvals, item.approvals_needed) == (WaitsFor.MEDIATOR, 1, 2)
    assert (await first.read(message)).waits_for is WaitsFor.MEDIATOR
    assert (await second.read(message)).waits_for is WaitsFor.YOU

    leased = await second.lease(message)
    assert leased.waits_for is WaitsFor.YOU
    assert await figures(first) == {(State.CLAIMED, WaitsFor.MEDIATOR): 1}
    await second.decide(leased, "approve")
    assert await of_turn(first, WaitsFor.YOU) == await of_turn(second, WaitsFor.YOU) == [message]


async def test_an_approval_that_counts_no_more_is_asked_for_again(people: Organization) -> None:
    """After a review was reopened both have to approve, no matter who did before."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    await approve(case.mediator, message)
    await approve(case.colleague, message)
    await case.mediator.decide(await case.mediator.read(message), "reopen")
    for mediator in (case.mediator, case.colleague):
        assert await of_turn(mediator, WaitsFor.YOU) == [message]
        assert await figures(mediator) == {(State.QUEUED, WaitsFor.YOU): 1}


async def test_renewed_keys_of_a_person_who_approved_are_no_second_person(
    people: Organization,
) -> None:
    """Who approved with older keys waits for somebody else with the newer ones, too."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    await approve(case.mediator, message)
    trust = await case.mediator.trust()
    person = trust.authorities[case.mediator.credential_id].person
    renewed = await people.mediator(person=person)
    await case.colleague.replace_credential(
        case.case_id, case.mediator.credential_id, renewed.credential_id
    )
    assert await of_turn(renewed, WaitsFor.YOU) == []
    assert await of_turn(renewed, WaitsFor.MEDIATOR) == [message]


async def test_every_state_waits_for_somebody(case: Case) -> None:
    """The sender revises, the recipient answers and opens; all else is a mediator's."""
    mediator = case.mediator
    held, returned, waiting = [await send(case) for _ in range(3)]
    await mediator.decide(await mediator.lease(held), "hold", reason="readiness")
    await mediator.decide(
        await mediator.lease(returned), "return", reason="needs-a-question", words="Ask."
    )
    offered, released = await offer(case), await offer(case)
    await respond(case.responsible, released, "accept")
    assert await figures(mediator) == {
        (State.QUEUED, WaitsFor.YOU): 1,
        (State.HELD, WaitsFor.YOU): 1,
        (State.RETURNED, WaitsFor.SENDER): 1,
        (State.OFFERED, WaitsFor.RECIPIENT): 1,
        (State.RELEASED, WaitsFor.RECIPIENT): 1,
    }
    assert await of_turn(mediator, WaitsFor.YOU) == [held, waiting]
    assert await of_turn(mediator, WaitsFor.SENDER) == [returned]
    assert await of_turn(mediator, WaitsFor.RECIPIENT) == [offered, released]

    await case.harmed.withdraw(released)  # too late, so a mediator has to speak with them
    assert await of_turn(mediator, WaitsFor.YOU) == [held, waiting, released]


async def test_what_its_author_is_changing_waits_for_them(case: Case) -> None:
    """A letter that came back stays in the queue while its author changes it; a first draft is in none."""
    mediator, author = case.mediator, caller_of(case.harmed)
    message, first = await send(case), uuid.uuid4()
    await mediator.decide(
        await mediator.lease(message), "return", reason="needs-a-question", words="Ask."
    )
    draft = NewDraft(
        recipient=case.responsible.participant_id, kind=Kind.LETTER, language=Language.EN
    )
    for of, revision in ((message, 2), (first, 1)):
        path = f"/v1/messages/{of}/revisions/{revision}/draft"
        assert (await author.ask("PUT", path, draft)).status == 200

    assert await figures(mediator) == {(State.DRAFT, WaitsFor.SENDER): 1}
    assert await of_turn(mediator, WaitsFor.SENDER) == [message]
    [item] = (await mediator.queue(state=State.DRAFT)).items
    assert (item.message, item.revision) == (message, 1), "what was not sent is its author's alone"
    assert await of_case(mediator, case.case_id) == [(message, State.DRAFT)]
    await mediator.verify(await mediator.read(message))
    with pytest.raises(Problem):
        await mediator.lease(message)
    for look in (mediator.read, mediator.history):
        with pytest.raises(Problem, match="404"):
            await look(first)

    await case.harmed.withdraw(message)
    assert await figures(mediator) == {}


async def test_pages_of_a_turn_go_on_across_states(case: Case) -> None:
    """Each message comes once, the oldest first, whatever state it is in."""
    sent = [await send(case) for _ in range(5)]
    for message in sent[1::2]:
        await case.mediator.decide(await case.mediator.lease(message), "hold", reason="readiness")
    found: list[uuid.UUID] = []
    more: dict[str, str] = {}
    while True:
        page = await case.mediator.queue(waits_for="you", limit=2, **more)
        found += [item.message for item in page.items]
        if page.next is None:
            break
        more = {"after": page.next}
    assert found == sent


async def test_what_has_ended_can_be_looked_up(case: Case) -> None:
    """In the queue by its state, the newest first, and with the rest of its case; it waits for nobody."""
    mediator = case.mediator
    viewed, refused, closed = [await offer(case) for _ in range(3)]
    await respond(case.responsible, viewed, "accept", "open")
    await respond(case.responsible, refused, "refuse")
    await respond(case.responsible, closed, "accept", "open", "close")
    declined, again, withdrawn, waiting = [await send(case) for _ in range(4)]
    for message in (declined, again):
        await mediator.decide(
            await mediator.lease(message), "decline", reason="not-for-this-way", words="No."
        )
    await case.harmed.withdraw(withdrawn)

    for state, messages in {
        State.VIEWED: [viewed],
        State.REFUSED: [refused],
        State.CLOSED: [closed],
        State.DECLINED: [again, declined],
        State.WITHDRAWN: [withdrawn],
    }.items():
        for looking in (mediator, case.colleague):
            items = (await looking.queue(state=state)).items
            assert [item.message for item in items] == messages
            assert {item.waits_for for item in items} == {None}
    first = await mediator.queue(state=State.DECLINED, limit=1)
    rest = await mediator.queue(state=State.DECLINED, limit=1, after=str(first.next))
    assert [item.message for item in (*first.items, *rest.items)] == [again, declined]
    assert rest.next is None
    assert await figures(mediator) == {(State.QUEUED, WaitsFor.YOU): 1}

    everything = await of_case(mediator, case.case_id)
    assert dict(everything) == {
        viewed: State.VIEWED,
        refused: State.REFUSED,
        closed: State.CLOSED,
        declined: State.DECLINED,
        again: State.DECLINED,
        withdrawn: State.WITHDRAWN,
        waiting: State.QUEUED,
    }
    assert [message for message, _ in everything[:3]] == [withdrawn, again, declined]
    assert {State(one) for one in ENDED} == {state for state in State if state in _AFTER}


_AFTER: Final = {
    *(State.VIEWED, State.DECLINED, State.REFUSED, State.WITHDRAWN),
    *(State.RECALLED, State.EXPIRED, State.CLOSED),
}


async def test_nobody_looks_up_the_messages_of_another_case(
    people: Organization, case: Case
) -> None:
    """For a mediator of other cases there is no such case, and nothing of it in any queue."""
    await case.harmed.withdraw(await send(case))
    stranger = await people.mediator()
    answer = await caller_of(stranger).ask("GET", f"/v1/cases/{case.case_id}/messages")
    assert (answer.status, answer.code) == (404, "not-found")
    assert (await stranger.queue(state=State.WITHDRAWN)).items == []
    assert (await stranger.queue(state=State.WITHDRAWN, case=str(case.case_id))).items == []


async def test_a_draft_that_was_never_sent_is_nobody_elses(case: Case) -> None:
    """Begun and taken back: no mediator ever sees that there was one."""
    caller = caller_of(case.harmed)
    message = uuid.uuid4()
    body = {"to": case.responsible.participant_id, "kind": "video", "language": "en"}
    begun = await caller.ask("PUT", f"/v1/messages/{message}/revisions/1/draft", body)
    assert begun.status == 200
    await case.harmed.withdraw(message)
    assert await of_case(case.mediator, case.case_id) == []
    assert (await case.mediator.queue(state=State.WITHDRAWN)).items == []


async def test_a_mediator_who_joins_finds_all_that_there_was(
    people: Organization, case: Case
) -> None:
    """What waits and what has ended is theirs from the next charter on, and was theirs until they left."""
    withdrawn, waiting = await send(case), await send(case)
    await case.harmed.withdraw(withdrawn)
    newcomer = await people.mediator()
    await case.mediator.change_charter(
        case.case_id, mediators=[case.mediator.credential_id, newcomer.credential_id]
    )
    assert await of_turn(newcomer, WaitsFor.YOU) == [waiting]
    found = (await newcomer.queue(state=State.WITHDRAWN)).items
    assert [item.message for item in found] == [withdrawn]
    assert await figures(case.colleague) == {}
    assert (await case.colleague.queue(state=State.WITHDRAWN)).items == []


async def test_a_list_of_cases_says_where_there_is_something_to_do(people: Organization) -> None:
    """Of each case: for whom messages wait, whose links wait to be checked, which were never used."""
    case = await open_case(people, policy=TWO)
    message = await send(case)
    await send(case)
    await approve(case.mediator, message)
    unused = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    claimed = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    await people.claim(claimed)

    async def seen(by: Mediator) -> CaseFigures:
        page = msgspec.json.decode(
            (await caller_of(by).ask("GET", "/v1/cases")).content, type=CasePage
        )
        [one] = page.cases
        assert one.figures == (await by.read_case(case.case_id)).figures
        return one.figures

    assert await seen(case.mediator) == counted(you=1, mediator=1, claims=1, unused_links=1)
    assert await seen(case.colleague) == counted(you=2, claims=1, unused_links=1)
    system = await people.case_system.register(
        case.case_id,
        CaseRegistration(
            reference=f"case {case.case_id}",
            participants=[
                NewParticipant(participant=case.harmed.participant_id, role=ParticipantRole.HARMED),
                NewParticipant(
                    participant=case.responsible.participant_id, role=ParticipantRole.RESPONSIBLE
                ),
            ],
        ),
    )
    assert system.view.figures == counted(mediator=2, claims=1, unused_links=1)
    for link in await case.mediator.links(case.case_id):
        if str(link.link) in unused or str(link.link) in claimed:
            await case.mediator.end_link(case.case_id, link.link, "replaced")
    assert await seen(case.mediator) == counted(you=1, mediator=1)


def counted(**some: int) -> CaseFigures:
    """These figures, and nothing else to do."""
    return CaseFigures(**{**dict.fromkeys(CaseFigures.__struct_fields__, 0), **some})


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """A case in which three have one role."""

    case_id: uuid.UUID
    harmed: list[uuid.UUID]
    """In the order in which they were registered."""
    responsible: uuid.UUID


async def crowd(people: Organization, mediator: Mediator) -> Crowd:
    """Registered in an order that is not that of the identifiers, the third at a later time."""
    # The first has the highest identifier, so that an order by those is another one.
    ordered = sorted((uuid.uuid4() for _ in range(3)), reverse=True)
    responsible, case_id = uuid.uuid4(), uuid.uuid4()
    for harmed in (ordered[:2], ordered):
        participants = [
            NewParticipant(participant=one, role=ParticipantRole.HARMED) for one in harmed
        ]
        participants.append(
            NewParticipant(participant=responsible, role=ParticipantRole.RESPONSIBLE)
        )
        await people.case_system.register(
            case_id,
            CaseRegistration(
                reference=f"case {case_id}",
                participants=participants,
                mediators=[mediator.credential_id],
                pairs=[(responsible, one) for one in harmed[1:]],
            ),
        )
    await mediator.open_case(case_id)
    return Crowd(case_id=case_id, harmed=ordered, responsible=responsible)


async def test_people_of_one_role_have_a_number_that_is_the_same_for_everybody(
    people: Organization,
) -> None:
    """In the order of registration: for a mediator, the case system, and anyone who may write to them."""
    mediator = await people.mediator()
    case = await crowd(people, mediator)

    def numbers(view: CaseView) -> dict[uuid.UUID, int | None]:
        return {one.participant: one.number for one in view.participants}

    first, second, third = case.harmed
    expected = {first: 1, second: 2, third: 3, case.responsible: None}
    assert numbers(await mediator.read_case(case.case_id)) == expected
    person = await people.claim(await mediator.make_link(case.case_id, case.responsible))
    # The first is nobody that they may write to; their number is not given to another.
    assert [(one.participant, one.number) for one in person.correspondents] == [
        (second, 2),
        (third, 3),
    ]


async def test_a_number_tells_nobody_of_people_whom_they_do_not_know(people: Organization) -> None:
    """Who may write to one person with a role is not told which of several that is."""
    mediator = await people.mediator()
    case = await crowd(people, mediator)
    person = await people.claim(await mediator.make_link(case.case_id, case.harmed[1]))
    assert [(one.participant, one.number) for one in person.correspondents] == [
        (case.responsible, None)
    ]
    alone, case_id = uuid.uuid4(), uuid.uuid4()
    two = [uuid.uuid4(), uuid.uuid4()]
    await people.case_system.register(
        case_id,
        CaseRegistration(
            reference=f"case {case_id}",
            participants=[
                *(NewParticipant(participant=one, role=ParticipantRole.HARMED) for one in two),
                NewParticipant(participant=alone, role=ParticipantRole.RESPONSIBLE),
            ],
            mediators=[mediator.credential_id],
            pairs=[(alone, two[1])],
        ),
    )
    await mediator.open_case(case_id)
    knows_one = await people.claim(await mediator.make_link(case_id, alone))
    assert [one.number for one in knows_one.correspondents] == [None]


async def test_somebody_registered_again_keeps_their_number(people: Organization) -> None:
    """Also where they are named in another order, and where another role is tried for them."""
    mediator = await people.mediator()
    case = await crowd(people, mediator)
    again = CaseRegistration(
        reference=f"case {case.case_id}",
        participants=[
            NewParticipant(participant=case.responsible, role=ParticipantRole.RESPONSIBLE),
            *(
                NewParticipant(participant=one, role=ParticipantRole.HARMED)
                for one in reversed(case.harmed)
            ),
        ],
    )
    view = (await people.case_system.register(case.case_id, again)).view
    found = {one.participant: one.number for one in view.participants}
    assert [found[one] for one in case.harmed] == [1, 2, 3]
    other = NewParticipant(participant=case.harmed[0], role=ParticipantRole.REPRESENTATIVE)
    with pytest.raises(Problem, match="role-changed"):
        await people.case_system.register(
            case.case_id,
            msgspec.structs.replace(again, participants=[*again.participants[:-1], other]),
        )
