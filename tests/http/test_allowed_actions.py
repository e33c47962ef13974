"""What relay says that somebody may do now is what they may do: over every state, for everybody in a case."""

from __future__ import annotations

import dataclasses
import io
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, cast

import msgspec
import pytest

from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.sealing import seal_text
from relay.crypto.age import FileKey
from relay.crypto.encoding import b64u_encode
from relay.crypto.statements import Policy
from relay.domain.messages import (
    AuthorMessage,
    Kind,
    Language,
    NewDraft,
    QueuePage,
    RecipientMessage,
    ReviewMessage,
)
from relay.domain.transitions import Event, Mover, State
from relay.services import processing
from relay.services.transitions import CLOCK_ACTOR, make_transition, require_transition
from relay.storage.messages import lock_message
from relay.testing.people import Case, Organization, open_case
from tests.support.hostile import HostileCase
from tests.support.requests import (
    Answer,
    Caller,
    Subject,
    caller_of,
    consents_of,
    digest_of,
    letter,
    message_statement,
    response,
    withdrawal,
)

Name: TypeAlias = Literal["author", "recipient", "mediator", "colleague"]
NAMES: Final[tuple[Name, ...]] = ("author", "recipient", "mediator", "colleague")
NOTHING: Final = b64u_encode(bytes(32))
OTHER: Final = b64u_encode(b"\1" * 32)
TWO: Final = Policy(approvals=2, captions="optional", server_processing=True, retention_days=365)
DECISIONS: Final = {
    *(Event.APPROVE, Event.RETURN, Event.DECLINE, Event.HOLD, Event.RESUME),
    *(Event.REOPEN, Event.RETRACT, Event.RECALL, Event.RETRY),
}
ANSWERS: Final = {Event.ACCEPT, Event.WAIT, Event.REFUSE, Event.CLOSE}
UNSIGNED: Final = {
    Event.LEASE: ("PUT", "lease"),
    Event.LET_GO: ("DELETE", "lease"),
    Event.OPEN: ("POST", "openings"),
}
WAYS: Final[dict[State, tuple[Event, ...]]] = {
    State.QUEUED: (),
    State.CLAIMED: (Event.LEASE,),
    State.HELD: (Event.LEASE, Event.HOLD),
    State.RETURNED: (Event.LEASE, Event.RETURN),
    State.DECLINED: (Event.LEASE, Event.DECLINE),
    State.APPROVED: (Event.LEASE, Event.APPROVE),
    State.OFFERED: (Event.LEASE, Event.APPROVE, Event.OFFER),
    State.REFUSED: (Event.LEASE, Event.APPROVE, Event.OFFER, Event.REFUSE),
    State.RELEASED: (Event.LEASE, Event.APPROVE, Event.OFFER, Event.ACCEPT),
    State.RECALLED: (Event.LEASE, Event.APPROVE, Event.OFFER, Event.ACCEPT, Event.RECALL),
    State.VIEWED: (Event.LEASE, Event.APPROVE, Event.OFFER, Event.ACCEPT, Event.OPEN),
    State.CLOSED: (Event.LEASE, Event.APPROVE, Event.OFFER, Event.ACCEPT, Event.OPEN, Event.CLOSE),
    State.WITHDRAWN: (Event.WITHDRAW,),
    State.EXPIRED: (Event.LEASE, Event.RETURN, Event.EXPIRE),
}
"""By which events a letter or a prepared video comes into a state."""
SAYS_NO: Final = {
    *("wrong-state", "lease-taken", "approved-already", "sender-unverified"),
    *("gate-closed", "not-available-now", "revision-exists"),
}
"""With which codes relay refuses an event that is not allowed now; another would be for another reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """People of a case who do things to its messages, by their events."""

    hostile_case: HostileCase
    case: Case
    before: datetime = dataclasses.field(
        default_factory=lambda: datetime.now(UTC) - timedelta(seconds=2)
    )
    """A time at which nobody here said anything: what is said of it was never said before."""

    def caller(self, name: Name) -> Caller:
        """Somebody's own session and key."""
        case = self.case
        people: dict[Name, Participant | Mediator] = {
            "author": case.harmed,
            "recipient": case.responsible,
            "mediator": case.mediator,
            "colleague": case.colleague,
        }
        return caller_of(people[name])

    async def reach(self, kind: Kind, state: State) -> uuid.UUID:
        """A message of its own in this state."""
        author, to = self.case.harmed, self.case.responsible.participant_id
        if state is State.DRAFT:
            message = uuid.uuid4()
            draft = NewDraft(recipient=to, kind=kind, language=Language.EN)
            path = f"/v1/messages/{message}/revisions/1/draft"
            assert (await caller_of(author).ask("PUT", path, draft)).status == 200
            return message
        if kind is Kind.LETTER:
            message = (await author.send_letter(to, "Words.")).message
        else:
            film = io.BytesIO(b"a film")
            message = (await author.send_video(to, film, "video/mp4")).message
            if state is State.FAILED:
                await self.fail(message)
            elif state is not State.PROCESSING:
                await self.hostile_case.media.prepare(message)
        for event in WAYS.get(state, ()):
            who: Name = "recipient" if event in {*ANSWERS, Event.OPEN} else "mediator"
            await self.do(who, event, message)
        return message

    async def fail(self, message: uuid.UUID) -> None:
        """The media worker gives up."""
        media = self.hostile_case.media
        async with media.database.connection() as connection:
            job_id = await connection.fetchval(
                "select job_id from jobs where message_id = $1", message
            )
        job = await processing.lease_job(media.database, media.settings, job_id, media.worker)
        assert job is not None
        await processing.fail(media.database, media.worker, job, "video-failed")

    async def expire(self, message: uuid.UUID) -> None:
        """Time passes."""
        async with self.hostile_case.media.database.transaction() as connection:
            row = await lock_message(connection, message)
            assert row is not None
            made = await require_transition(connection, row, Event.EXPIRE, Mover.CLOCK)
            await make_transition(connection, row, made, actor=CLOCK_ACTOR)

    async def look(self, name: Name, message: uuid.UUID) -> tuple[bytes, list[Event]]:
        """What somebody is shown of a message, and may do; nothing where it is not there for them."""
        answer = await self.caller(name).ask("GET", f"/v1/messages/{message}")
        if answer.status == 404:
            return b"", []
        types = {"author": AuthorMessage, "recipient": RecipientMessage}
        shown = msgspec.json.decode(answer.content, type=types.get(name, ReviewMessage))
        return answer.content, list(shown.allowed_actions)

    async def in_list(self, name: Name, message: uuid.UUID) -> list[Event] | None:
        """The same in the list of what a case holds; None where it is not in it."""
        path = f"/v1/cases/{self.case.case_id}/messages?limit=100"
        content = (await self.caller(name).ask("GET", path)).content
        items = msgspec.json.decode(content, type=QueuePage).items
        found = (list(item.allowed_actions) for item in items if item.message == message)
        return next(found, None)

    # An event as a program of relay's makes it.

    async def do(self, name: Name, event: Event, message: uuid.UUID) -> None:
        """Do it, with everything that belongs to it; Problem where relay refuses."""
        if event is Event.EXPIRE:
            await self.expire(message)
        elif name in {"mediator", "colleague"} and event is not Event.WITHDRAW:
            mediator = self.case.mediator if name == "mediator" else self.case.colleague
            await self._mediate(mediator, event, message)
        elif event in {Event.OPEN, *ANSWERS}:
            await self._receive(event, message)
        else:
            answer = await self.attempt(name, event, message)
            assert answer.status in {200, 204}, (name, event, answer.content)

    async def _mediate(self, mediator: Mediator, event: Event, message: uuid.UUID) -> None:
        if event is Event.LEASE:
            await mediator.lease(message)
            return
        if event is Event.LET_GO:
            await mediator.let_go(message)
            return
        review = await mediator.read(message)
        if event in {Event.OFFER, Event.GRANT_AGAIN}:
            await mediator.offer(review, note="Short.")
        elif event is Event.CAPTION:
            await mediator.caption(review, exception="no-speech")
        elif event in {Event.RETURN, Event.DECLINE, Event.HOLD}:
            await mediator.decide(review, event.value, reason="unclear")  # type: ignore[arg-type]  # one of DECISIONS
        else:
            await mediator.decide(review, event.value)  # type: ignore[arg-type]  # one of DECISIONS

    async def _receive(self, event: Event, message: uuid.UUID) -> None:
        person = self.case.responsible
        [found] = [
            one for one in (await person.correspondence()).received if one.message == message
        ]
        if event is Event.OPEN:
            await person.open(found)
        else:
            await person.respond(found, cast("Literal['accept']", event.value))

    # An event as anybody may try it.

    async def attempt(self, name: Name, event: Event, message: uuid.UUID) -> Answer:
        """Try it, whatever relay will say: correctly signed, and about what is there."""
        caller, now = self.caller(name), datetime.now(UTC)
        path, case_id = f"/v1/messages/{message}", self.case.case_id
        author = self.case.harmed.participant_id
        if event is Event.WITHDRAW:
            said = withdrawal(caller.signer, case_id, message, author, now)
            return await caller.send("PUT", f"{path}/withdrawal", said)
        if event in {Event.SUBMIT_LETTER, Event.SUBMIT_VIDEO, Event.REVISE, Event.DISCARD}:
            return await self._attempt_as_sender(caller, event, message)
        if event in UNSIGNED:
            method, place = UNSIGNED[event]
            return await caller.ask(method, f"{path}/{place}")
        if event in ANSWERS:
            _words, offer = await self._words(message)
            answer = cast("Literal['accept']", event.value)
            said = response(
                caller.signer, case_id, message, digest_of(offer) or NOTHING, answer, now
            )
            return await caller.send("POST", f"{path}/responses", said)
        return await self._attempt_as_mediator(caller, event, message)

    async def _attempt_as_mediator(
        self, caller: Caller, event: Event, message: uuid.UUID
    ) -> Answer:
        path, now = f"/v1/messages/{message}", self.before
        words, _offer = await self._words(message)
        if event is Event.CAPTION:
            return await caller.send("PUT", f"{path}/captions", words.exception(caller.signer, now))
        if event in {Event.OFFER, Event.GRANT_AGAIN}:
            recipient = self.caller("recipient")
            to = (recipient.subject, recipient.recipient, NOTHING)
            offered = words.offer(caller.signer, {NOTHING: FileKey(bytes(16))}, *to, now)
            return await caller.ask("POST", f"{path}/offers", offered)
        decision = words.decision(caller.signer, cast("Literal['approve']", event.value), now)
        return await caller.send("POST", f"{path}/decisions", decision)

    async def _attempt_as_sender(self, caller: Caller, event: Event, message: uuid.UUID) -> Answer:
        author, to = self.case.harmed, self.case.responsible.participant_id
        own = await author.sent(message)
        revisions = f"/v1/messages/{message}/revisions"
        if event is Event.DISCARD:
            return await caller.ask("DELETE", f"{revisions}/{own.revision}/draft")
        if event is Event.REVISE:
            draft = NewDraft(recipient=to, kind=own.kind, language=own.language)
            return await caller.ask("PUT", f"{revisions}/{own.revision + 1}/draft", draft)
        body = seal_text(self.case.case_id, "body", "Other words.")
        statement = message_statement(
            caller.signer,
            case=self.case.case_id,
            charter=self.hostile_case.sender.charter,
            message=message,
            sender=author.participant_id,
            to=to,
            parts=[body],
            at=datetime.now(UTC),
            revision=own.revision,
        )
        sent = letter(statement, body, self.case.case_id, self.hostile_case.sender.case_recipient)
        return await caller.ask("PUT", f"{revisions}/{own.revision}", sent)

    async def _words(self, message: uuid.UUID) -> tuple[Subject, str | None]:
        answer = await self.caller("mediator").ask("GET", f"/v1/messages/{message}")
        if answer.status == 404:
            nobodys = Subject(
                case=self.case.case_id,
                message=message,
                revision=1,
                source="",
                charter=self.hostile_case.sender.charter,
                consents=[NOTHING, OTHER],
            )
            return nobodys, None
        shown = msgspec.json.decode(answer.content, type=ReviewMessage)
        words = Subject(
            case=shown.case,
            message=message,
            revision=shown.revision,
            source=shown.statement or "",
            rendition=shown.rendition,
            captions=shown.captions,
            charter=self.hostile_case.sender.charter,
            consents=consents_of(shown),
        )
        return words, shown.offer


def acts_to_try(name: Name, kind: Kind) -> Sequence[Event]:
    """All that can be asked for. Words are sent by their author alone; a film is sent in other tests."""
    never = {
        Event.APPROVE_FIRST,
        Event.LAPSE,
        Event.EXPIRE,
        Event.FINISH_PROCESSING,
        Event.FAIL_PROCESSING,
    }
    never |= {Event.SUBMIT_VIDEO} if name == "author" else {Event.SUBMIT_VIDEO, Event.SUBMIT_LETTER}
    if kind is Kind.VIDEO:
        never.add(Event.SUBMIT_LETTER)
    return [event for event in Event if event not in never]


async def require_as_said(scene: Scene, kind: Kind, state: State) -> set[tuple[Name, Event]]:
    """Assert that what is not allowed is refused and changes nothing, and what is allowed is done."""
    message = await scene.reach(kind, state)
    allowed: set[tuple[Name, Event]] = set()
    for name in NAMES:
        shown = await scene.look(name, message)
        allowed |= {(name, event) for event in shown[1]}
        if name in {"mediator", "colleague"} and shown[0]:
            assert await scene.in_list(name, message) == shown[1]
        # One route for both: what it does follows from the message's state.
        offers = (
            {Event.OFFER, Event.GRANT_AGAIN}
            if {Event.OFFER, Event.GRANT_AGAIN} & {*shown[1]}
            else set()
        )
        for event in acts_to_try(name, kind):
            if event in {*shown[1], *offers}:
                continue
            answer = await scene.attempt(name, event, message)
            is_taken = event is Event.WITHDRAW and answer.status == 204  # and has no effect
            assert is_taken or answer.status in {403, 404} or answer.code in SAYS_NO, (
                name,
                event,
                answer,
            )
            assert await scene.look(name, message) == shown, (name, event)
    for name, event in sorted(allowed - {("author", Event.SUBMIT_VIDEO)}):
        await scene.do(name, event, await scene.reach(kind, state))
    return allowed


LETTERS: Final = [state for state in State if state not in {State.PROCESSING, State.FAILED}]
VIDEOS: Final = [State.DRAFT, State.PROCESSING, State.FAILED, State.CLAIMED, State.APPROVED]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        *((Kind.LETTER, state) for state in LETTERS),
        *((Kind.VIDEO, state) for state in VIDEOS),
    ],
)
async def test_what_is_allowed_is_done_and_all_else_is_refused(
    hostile_case: HostileCase, kind: Kind, state: State
) -> None:
    """Each event by each of the four, from every state that a message can be in."""
    allowed = await require_as_said(
        Scene(hostile_case=hostile_case, case=hostile_case.case), kind, state
    )
    withdraws = ("author", Event.WITHDRAW) in allowed
    over = {State.DECLINED, State.WITHDRAWN, State.EXPIRED}
    assert withdraws == (state not in over)


@pytest.mark.slow
@pytest.mark.parametrize("state", [State.APPROVED, State.OFFERED, State.RELEASED, State.VIEWED])
async def test_a_closed_gate_is_minded_in_what_is_allowed(
    hostile_case: HostileCase, state: State
) -> None:
    """Somebody pauses: what would bring it further is allowed to nobody, and what was opened stays."""
    scene = Scene(hostile_case=hostile_case, case=hostile_case.case)
    message = await scene.reach(Kind.LETTER, state)
    before = {name: (await scene.look(name, message))[1] for name in NAMES}
    await hostile_case.case.harmed.consent("paused")
    after = {name: (await scene.look(name, message))[1] for name in NAMES}
    gone = {State.APPROVED: {Event.OFFER}}.get(state, {Event.GRANT_AGAIN} - {*after["mediator"]})
    assert after["author"] == before["author"]
    assert {*before["mediator"]} - {*after["mediator"]} == gone & {*before["mediator"]}
    assert after["recipient"] == (before["recipient"] if state is State.VIEWED else [])
    for name in NAMES:
        for event in {*before[name]} - {*after[name]}:
            answer = await scene.attempt(name, event, message)
            assert answer.code == ("not-available-now" if name == "recipient" else "gate-closed")


@pytest.mark.slow
@pytest.mark.parametrize("state", LETTERS)
async def test_a_closed_case_is_minded_in_what_is_allowed(
    hostile_case: HostileCase, state: State
) -> None:
    """Nobody is told that they may do what is refused: an author revises nothing, and may still withdraw."""
    scene = Scene(hostile_case=hostile_case, case=hostile_case.case)
    message = await scene.reach(Kind.LETTER, state)
    before = {name: {*(await scene.look(name, message))[1]} for name in NAMES}
    await scene.case.mediator.set_closed(scene.case.case_id, closed=True)
    after = {name: {*(await scene.look(name, message))[1]} for name in NAMES}
    assert before["author"] - after["author"] == before["author"] & {
        *(Event.REVISE, Event.SUBMIT_LETTER)
    }
    assert after["recipient"] == (before["recipient"] if state is State.VIEWED else set())
    listed = (await scene.case.harmed.correspondence()).sent
    assert [{*one.allowed_actions} for one in listed if one.message == message] == [after["author"]]
    for name in NAMES:
        for event in before[name] - after[name]:
            answer = await scene.attempt(name, event, message)
            assert answer.code in {"case-closed", "gate-closed", "not-available-now"}


async def test_a_first_approval_is_not_given_twice(
    hostile_case: HostileCase, people: Organization
) -> None:
    """Who approved may take the message again, and is not told that they may approve it; another may."""
    case = await open_case(people, policy=TWO)
    message = (await case.harmed.send_letter(case.responsible.participant_id, "Words.")).message
    scene = Scene(hostile_case=hostile_case, case=case)
    for name in ("mediator", "colleague"):
        await scene.do(name, Event.LEASE, message)
        assert Event.APPROVE in (await scene.look(name, message))[1]
        if name == "mediator":
            await scene.do(name, Event.APPROVE, message)
            await scene.do(name, Event.LEASE, message)
            assert Event.APPROVE not in (await scene.look(name, message))[1]
            assert (await scene.attempt(name, Event.APPROVE, message)).code == "approved-already"
            await scene.do(name, Event.LET_GO, message)
    await scene.do("colleague", Event.APPROVE, message)
    assert (await case.mediator.read(message)).state is State.APPROVED
