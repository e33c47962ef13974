"""Cases: charters in their order, and the gates that consent and no-contact facts close."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
import pytest

from relay.client.casework import DEFAULT_POLICY
from relay.client.connection import Problem
from relay.client.mediator import Mediator
from relay.client.writing import ConsentStatus
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import statement_hash
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.gates import Gate
from relay.domain.messages import ReviewMessage
from relay.domain.tokens import Scope
from relay.domain.transitions import State
from relay.domain.views import RecipientView
from relay.testing.people import Case, Organization, open_case, register_case
from tests.support.requests import Answer, Caller, ask, caller_of, consent, next_second

PAUSED_TWICE: Final[tuple[ConsentStatus, ...]] = ("paused", "active", "paused")


async def approved(case: Case) -> ReviewMessage:
    """A letter that was approved."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    return await case.mediator.decide(leased, "approve")


async def set_contact(case: Case, people: Organization, *, allowed: bool) -> None:
    """The case system's word on the two."""
    await people.case_system.set_no_contact(
        case.case_id,
        case.harmed.participant_id,
        case.responsible.participant_id,
        no_contact=not allowed,
    )


async def log_length(people: Organization, case: Case) -> int:
    """How many rows the log of a case has."""
    path = f"/v1/cases/{case.case_id}/log?limit=500"
    answer = await ask(
        people.connection, "GET", path, bearer=people.case_system.token(Scope.LOG_READ)
    )
    return len(msgspec.json.decode(answer.content)["rows"])


async def send(
    caller: Caller,
    case: Case,
    person: uuid.UUID,
    status: Literal["active", "paused", "withdrawn"],
    at: datetime,
) -> Answer:
    """A word about taking part, with a time of one's own."""
    path = f"/v1/cases/{case.case_id}/participants/{person}/consent"
    return await caller.send("PUT", path, consent(caller.signer, case.case_id, person, status, at))


@pytest.mark.parametrize(
    ("gate", "person"),
    [
        (Gate.SENDER_CONSENT, "harmed"),
        (Gate.RECIPIENT_CONSENT, "responsible"),
        (Gate.NO_CONTACT, ""),
    ],
)
async def test_a_gate_freezes_what_is_offered_and_opens_again(
    case: Case, people: Organization, gate: Gate, person: str
) -> None:
    """The offer disappears, nothing is accepted or offered, the mediator is told why; later it is back."""
    message = await approved(case)
    other = await approved(case)
    offered = await case.mediator.offer(message)
    [waiting] = (await case.responsible.correspondence()).received

    for status in ("paused", "withdrawn"):
        if person:
            await getattr(case, person).consent(status)
        else:
            await set_contact(case, people, allowed=False)
        assert (await case.responsible.correspondence()).received == []
        for answer in ("accept", "wait", "refuse"):
            with pytest.raises(Problem) as refused:
                await case.responsible.respond(waiting, answer)
            assert (refused.value.status, refused.value.code) == (409, "not-available-now")
            assert "gates" not in refused.value.members
        with pytest.raises(Problem) as refused:
            await case.mediator.offer(other)
        assert (refused.value.status, refused.value.code) == (409, "gate-closed")
        assert refused.value.members["gates"] == [gate]
        assert (await case.mediator.read(offered.message)).gates == [gate]

    if person:
        caller, later = caller_of(getattr(case, person)), datetime.now(UTC) + timedelta(seconds=2)
        assert (await send(caller, case, caller.subject, "active", later)).status == 204
    else:
        await set_contact(case, people, allowed=True)
    assert (await case.responsible.correspondence()).received == [waiting]
    await case.mediator.offer(other)
    accepted = await case.responsible.respond(waiting, "accept")
    assert case.responsible.read_text(await case.responsible.open(accepted)) == "Words."


async def test_the_same_word_again_within_a_second_is_a_new_one(case: Case) -> None:
    """Paused, taking part and paused again as fast as a program can, somebody is paused."""
    message = await approved(case)
    await next_second()
    for status in PAUSED_TWICE:
        await case.harmed.consent(status)
    assert (await case.mediator.read(message.message)).gates == [Gate.SENDER_CONSENT]


async def known(case: Case) -> CaseRegistration:
    """The case as it is registered: registering it again changes nothing."""
    return CaseRegistration(
        reference=f"case {case.case_id}",
        participants=[
            NewParticipant(participant=case.harmed.participant_id, role=ParticipantRole.HARMED),
            NewParticipant(
                participant=case.responsible.participant_id, role=ParticipantRole.RESPONSIBLE
            ),
        ],
    )


async def test_every_closed_gate_is_named_to_the_mediator(case: Case, people: Organization) -> None:
    """With several gates closed at once all of them are in the answer, in one order."""
    message = await approved(case)
    await case.harmed.consent("paused")
    await case.responsible.consent("withdrawn")
    await set_contact(case, people, allowed=False)

    with pytest.raises(Problem) as refused:
        await case.mediator.offer(message)

    gates = [Gate.SENDER_CONSENT, Gate.RECIPIENT_CONSENT, Gate.NO_CONTACT]
    assert refused.value.members["gates"] == gates


async def test_nobody_is_reached_who_did_not_say_yes(case: Case, people: Organization) -> None:
    """Before somebody said yes the gate of their consent is closed."""
    third = uuid.uuid4()
    registered = await known(case)
    await people.case_system.register(
        case.case_id,
        CaseRegistration(
            reference=registered.reference,
            participants=[
                *registered.participants,
                NewParticipant(participant=third, role=ParticipantRole.HARMED_FAMILY),
            ],
            pairs=[(case.harmed.participant_id, third)],
        ),
    )
    sent = await case.harmed.send_letter(third, "Words.")
    message = await case.mediator.read(sent.message)
    assert message.gates == [Gate.RECIPIENT_CONSENT, Gate.APPROVALS, Gate.RECIPIENT_KEY]


async def test_registering_again_changes_what_is_new_and_nothing_else(
    case: Case, people: Organization
) -> None:
    """What is there already is not logged; what cannot be changed is refused by name, and nothing is."""
    registered = await known(case)
    path = f"/v1/cases/{case.case_id}"
    service = functools.partial(
        ask, people.connection, bearer=people.case_system.token(Scope.CASES_READ, Scope.CASES_WRITE)
    )

    async def put(**changes: object) -> tuple[int, dict[str, Any]]:
        body = msgspec.structs.replace(registered, **changes)
        answer = await service("PUT", path, body)
        return answer.status, msgspec.json.decode(answer.content)

    before = await log_length(people, case)
    assert (await put())[0] == HTTPStatus.OK
    assert await log_length(people, case) == before

    harmed, responsible = registered.participants
    other_role = msgspec.structs.replace(harmed, role=ParticipantRole.REPRESENTATIVE)
    stranger, worker = uuid.uuid4(), (await people.enrol("media"))[0]
    for changes, status, code, members in (
        ({"participants": [harmed]}, 409, "participant-dropped", [str(responsible.participant)]),
        ({"participants": [other_role, responsible]}, 409, "role-changed", str(harmed.participant)),
        ({"mediators": [stranger]}, 400, "unknown-mediator", [str(stranger)]),
        ({"mediators": [worker]}, 400, "unknown-mediator", [str(worker)]),
        ({"reference": "another"}, 409, "case-exists", None),
    ):
        found, problem = await put(**changes)
        assert (found, problem["code"]) == (status, code)
        assert members in (None, *problem.values())
    assert await log_length(people, case) == before
    new = NewParticipant(participant=uuid.uuid4(), role=ParticipantRole.HARMED)
    pairs = [(harmed.participant, responsible.participant)]
    status, _case = await put(participants=[harmed, responsible, new], pairs=pairs)
    assert (status, await log_length(people, case)) == (HTTPStatus.OK, before + 1)


async def test_nobody_changes_what_they_have_not_seen(case: Case, people: Organization) -> None:
    """With the tag of what they read, of two who change a case at once one does; it is made once alone."""
    registered = await known(case)
    path = f"/v1/cases/{case.case_id}"
    service = functools.partial(
        ask, people.connection, bearer=people.case_system.token(Scope.CASES_READ, Scope.CASES_WRITE)
    )
    read = await service("GET", path)
    tag = dict(read.headers)["Etag"]
    again = await service("GET", path, headers={"If-None-Match": tag})
    assert (again.status, again.content, dict(again.headers)["Etag"]) == (304, b"", tag)

    def added() -> CaseRegistration:
        new = NewParticipant(participant=uuid.uuid4(), role=ParticipantRole.HARMED)
        pair = tuple(entry.participant for entry in registered.participants)
        everybody = [*registered.participants, new]
        return msgspec.structs.replace(registered, participants=everybody, pairs=[pair])

    answers = await asyncio.gather(
        *(service("PUT", path, added(), headers={"If-Match": tag}) for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    [changed] = [answer for answer in answers if answer.status == HTTPStatus.OK]
    assert dict(changed.headers)["Etag"] != tag
    assert dict((await service("GET", path)).headers)["Etag"] == dict(changed.headers)["Etag"]

    for condition in ({"If-None-Match": "*"}, {"If-Match": '"of something else"'}):
        refused = await service("PUT", path, registered, headers=condition)
        assert msgspec.json.decode(refused.content)["code"] == "not-as-expected"
    fresh, other = f"/v1/cases/{uuid.uuid4()}", str(uuid.uuid4())
    for condition, status in (
        ({"If-Match": "*"}, 412),
        ({"If-None-Match": "*"}, 201),
        ({"If-None-Match": "*"}, 412),
    ):
        someone = NewParticipant(participant=uuid.UUID(other), role=ParticipantRole.HARMED)
        body = CaseRegistration(reference=other, participants=[someone])
        made = await service("PUT", fresh, body, headers=condition)
        assert made.status == status


async def test_opened_words_stay_with_their_recipient(case: Case) -> None:
    """A consent that ends keeps closed what was accepted and not yet opened; what was opened stays."""
    opened = await case.mediator.offer(await approved(case))
    [waiting] = (await case.responsible.correspondence()).received
    accepted = await case.responsible.respond(waiting, "accept")
    await case.responsible.open(accepted)
    unopened = await case.mediator.offer(await approved(case))
    [_first, waiting] = (await case.responsible.correspondence()).received
    closed = await case.responsible.respond(waiting, "accept")
    await case.harmed.consent("withdrawn")

    received = await case.responsible.open(accepted)
    assert case.responsible.read_text(received) == "Words."
    assert (await case.mediator.read(opened.message)).state is State.VIEWED
    with pytest.raises(Problem) as refused:
        await case.responsible.open(closed)
    assert (refused.value.status, refused.value.code) == (409, "not-available-now")
    assert (await case.mediator.read(unopened.message)).state is State.RELEASED
    [_first, shown] = (await case.responsible.correspondence()).received
    assert shown.view is RecipientView.NOT_AVAILABLE
    assert (shown.statements, shown.parts) == ([], [])


async def test_what_a_recipient_sees_does_not_tell_who_closed_a_gate(
    case: Case, people: Organization
) -> None:
    """Author, recipient, case system or a recall: an accepted message that was not opened reads the same."""

    async def accepted() -> ReviewMessage:
        message = await case.mediator.offer(await approved(case), note="A letter.")
        found = (await case.responsible.correspondence()).received
        waiting = next(entry for entry in found if entry.message == message.message)
        await case.responsible.respond(waiting, "accept")
        return message

    async def seen(message: ReviewMessage) -> object:
        found = (await case.responsible.correspondence()).received
        [shown] = [entry for entry in found if entry.message == message.message]
        return (shown.view, shown.statements, shown.parts)

    recalled, kept = await accepted(), await accepted()
    await case.mediator.decide(await case.mediator.read(recalled.message), "recall")
    looks = [await seen(recalled)]
    for person in (case.harmed, case.responsible):
        await person.consent("paused")
        looks.append(await seen(kept))
        await person.consent("active")
    await set_contact(case, people, allowed=False)
    looks.append(await seen(kept))
    assert looks[0] == (RecipientView.NOT_AVAILABLE, [], [])
    assert all(look == looks[0] for look in looks)


async def test_to_stop_is_possible_whatever_clocks_say(case: Case) -> None:
    """A yes whose clock ran ahead does not keep a later pause out, and neither can it be said again."""
    mediator, person = caller_of(case.mediator), case.harmed.participant_id
    ahead = datetime.now(UTC) + timedelta(minutes=4)
    assert (await send(mediator, case, person, "active", ahead)).status == 204

    own = caller_of(case.harmed)
    now = datetime.now(UTC) + timedelta(seconds=2)
    assert (await send(own, case, person, "paused", now)).status == 204
    assert (await case.mediator.read((await approved(case)).message)).gates == [Gate.SENDER_CONSENT]

    replayed = await send(mediator, case, person, "active", ahead)
    assert (replayed.status, replayed.code) == (409, "own-word-needed")
    older = await send(own, case, person, "active", now)
    assert (older.status, older.code) == (409, "conflict")
    assert (await send(own, case, person, "withdrawn", now)).status == 204
    assert (await send(own, case, person, "paused", now)).status == 409


async def test_what_was_said_before_is_not_said_again(case: Case) -> None:
    """A yes of the very second of a pause is not taken for a new one when it comes again; a new one is."""
    own, person = caller_of(case.harmed), case.harmed.participant_id
    now = datetime.now(UTC) + timedelta(seconds=2)
    path = f"/v1/cases/{case.case_id}/participants/{person}/consent"
    agreed = consent(own.signer, case.case_id, person, "active", now)
    assert (await own.send("PUT", path, agreed)).status == 204
    assert (await send(own, case, person, "paused", now)).status == 204

    assert (await own.send("PUT", path, agreed)).status == 409
    assert (await send(own, case, person, "active", now)).status == 204


async def test_only_the_right_people_speak_for_a_participant(
    case: Case, people: Organization
) -> None:
    """A participant speaks for themselves, a mediator of the case for anybody in it, and nobody else."""
    stranger = await open_case(people)
    person, now = case.harmed.participant_id, datetime.now(UTC) + timedelta(seconds=2)
    for who in (case.responsible, stranger.harmed, stranger.mediator):
        assert (await send(caller_of(who), case, person, "paused", now)).status == 404
    path = f"/v1/cases/{case.case_id}/participants/{person}/consent"
    forged = consent(caller_of(case.mediator).signer, case.case_id, person, "paused", now)
    assert (await caller_of(case.harmed).send("PUT", path, forged)).status == 422
    old = datetime.now(UTC) - timedelta(minutes=10)
    refused = await send(caller_of(case.harmed), case, person, "paused", old)
    assert (refused.status, refused.document["problem"]) == (403, "statement-time")


async def test_a_registration_is_the_same_for_everybody_or_refused(
    case: Case, people: Organization
) -> None:
    """Who registers a case that exists and is not theirs learns that it exists, and nothing of it."""
    stranger = caller_of(await people.mediator())
    registered = await known(case)
    other = CaseRegistration(reference="another", participants=registered.participants)
    answers = [
        await stranger.ask("PUT", f"/v1/cases/{case.case_id}", body) for body in (registered, other)
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(409, "case-exists")] * 2
    assert answers[0] == answers[1]

    for reference in ("", "a\0b", "x" * 201, "line\nfeed"):
        odd = CaseRegistration(reference="?", participants=[])
        body = {"reference": reference, "participants": odd.participants}
        assert (await stranger.ask("PUT", f"/v1/cases/{uuid.uuid4()}", body)).status == 400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Somebody who signs charters for a case, right and wrong."""

    people: Organization
    case: Case

    async def sign(self, mediator: Mediator, **changes: object) -> Answer:
        """File the next charter of the case with `changes`, as this mediator."""
        views = (await self.case.mediator.charters(self.case.case_id)).charters
        last = statements.decode_unverified(views[-1].statement, statements.Charter)
        said: dict[str, object] = {
            "case": self.case.case_id,
            "version": last.version + 1,
            "registration": None,
            "previous": b64u_encode(statement_hash(views[-1].statement)),
            "recipient": last.recipient,
            "mediators": last.mediators,
            "media": last.media,
            "recovery": last.recovery,
            "policy": last.policy,
            "at": datetime.now(UTC) + timedelta(seconds=2),  # none is the first one again
        }
        caller = caller_of(mediator)
        statement = statements.sign(caller.signer, statements.Charter(**{**said, **changes}))  # type: ignore[arg-type]
        body = {"statement": statement, "key_file": "YWdl"}
        return await caller.ask("POST", f"/v1/cases/{self.case.case_id}/charters", body)


async def test_charters_follow_one_another(case: Case, people: Organization) -> None:
    """Only a mediator of the version before signs the next, which names it by number and hash."""
    office = Office(people=people, case=case)
    assert (await office.sign(await people.mediator())).status == 404
    for changes in (
        {"version": 3},
        {"version": 1, "previous": None, "registration": b64u_encode(bytes(32))},
        {"previous": b64u_encode(bytes(32))},
    ):
        refused = await office.sign(case.mediator, **changes)
        assert (refused.status, refused.code) == (409, "charter-out-of-order"), changes
    assert (await office.sign(case.mediator, case=uuid.uuid4())).status == 400

    assert (await office.sign(case.colleague)).status == 201
    assert (await office.sign(case.mediator)).status == 201


async def test_a_charter_names_only_whom_the_root_vouches_for(
    case: Case, people: Organization
) -> None:
    """A worker or a mediator without a credential, of another role or with another statement is refused."""
    office = Office(people=people, case=case)
    worker_id, _ = await people.enrol("media")
    nobody = statements.Member(credential=uuid.uuid4(), statement=b64u_encode(bytes(32)))
    other_hash = statements.Member(credential=worker_id, statement=b64u_encode(bytes(32)))
    for members in ([nobody], [other_hash]):
        refused = await office.sign(case.mediator, media=members)
        assert (refused.status, refused.code) == (400, "charter-invalid")
    last = (await case.mediator.case(case.case_id)).charter
    assert last.version == 1
    mediator = statements.Member(credential=worker_id, statement=b64u_encode(bytes(32)))
    refused = await office.sign(case.mediator, mediators=[mediator])
    assert (refused.status, refused.code) == (400, "charter-invalid")


async def test_whom_a_charter_leaves_out_is_out(case: Case, people: Organization) -> None:
    """A mediator who is not named any more finds nothing of the case; who can read no more, need not."""
    office = Office(people=people, case=case)
    views = (await case.mediator.charters(case.case_id)).charters
    last = statements.decode_unverified(views[-1].statement, statements.Charter)
    own = [m for m in last.mediators if m.credential == case.mediator.credential_id]
    kept = await office.sign(case.mediator, mediators=own)
    assert (kept.status, kept.code) == (400, "charter-invalid"), (
        "the identity is the former one's too"
    )
    await case.mediator.change_charter(case.case_id, mediators=[case.mediator.credential_id])

    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    former = caller_of(case.colleague)
    for path in (f"/v1/messages/{sent.message}", f"/v1/cases/{case.case_id}"):
        assert (await former.ask("GET", path)).status == 404
    assert (await case.colleague.queue()).items == []


async def test_a_case_opens_with_a_mediator_who_was_assigned(people: Organization) -> None:
    """The first charter names its signer, who was assigned before; nobody writes before it."""
    assigned, other = await people.mediator(), await people.mediator()
    case_id, _harmed_id, _responsible_id = await register_case(people, assigned, assigned)
    with pytest.raises(Problem) as refused:
        await other.open_case(case_id)
    assert refused.value.status == 404
    caller = caller_of(assigned)
    statement = statements.sign(
        caller.signer,
        statements.Charter(
            case=case_id,
            version=1,
            registration=b64u_encode(bytes(32)),
            previous=None,
            recipient=str(HybridIdentity.generate().recipient),
            mediators=[
                statements.Member(credential=other.credential_id, statement=b64u_encode(bytes(32)))
            ],
            media=[],
            recovery=[],
            policy=DEFAULT_POLICY,
            at=datetime.now(UTC),
        ),
    )
    body = {"statement": statement, "key_file": "YWdl"}
    refusal = await caller.ask("POST", f"/v1/cases/{case_id}/charters", body)
    assert refusal.status == 400
