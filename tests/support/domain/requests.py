"""What everybody may try to do, right and wrong, as the rules of a state machine for hypothesis."""

from __future__ import annotations

import dataclasses
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from relay.client.sealing import Sealed, SealedText, seal_file, seal_text
from relay.client.uploading import upload_body
from relay.crypto import statements
from relay.crypto.age import FileKey
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.domain.messages import Audience, Kind, Language, NewDraft, Submission
from relay.testing.people import Case, open_case
from tests.support.domain.model import PEOPLE, Item, Model, Verdict
from tests.support.domain.relay import DomainRelay
from tests.support.requests import (
    Answer,
    Caller,
    Subject,
    caller_of,
    consent,
    digest_of,
    letter,
    message_statement,
    withdrawal,
)

MESSAGES = 4

ALLOWED: dict[Verdict, frozenset[int]] = {
    Verdict.DONE: frozenset({200, 201, 204}),
    Verdict.NOTHING: frozenset({200, 201, 204, 400, 403, 404, 409, 422}),
    Verdict.REFUSED: frozenset({400, 409, 422}),
    Verdict.ABSENT: frozenset({404, 422}),
    Verdict.NOT_THEIRS: frozenset({403}),
}
ENDED = frozenset({"declined", "refused", "withdrawn", "recalled", "expired", "closed"})

Decision = Literal[
    "approve", "return", "decline", "hold", "resume", "reopen", "retract", "recall", "retry"
]
DECISIONS: tuple[Decision, ...] = (
    "approve",
    "return",
    "decline",
    "hold",
    "resume",
    "reopen",
    "retract",
    "recall",
    "retry",
)
Quality = Literal["right", "stale", "forged"]

actors = st.one_of(st.none(), st.sampled_from(PEOPLE))
"""None is the person who should do it."""
qualities = st.sampled_from(("right", "right", "right", "stale", "forged"))
picks = st.integers(0, 3)


@dataclasses.dataclass
class TrackedMessage:
    """A message as the test tracks it: its keys, and every statement about it that was accepted."""

    message: uuid.UUID
    item: Item
    sent: dict[int, str] = dataclasses.field(default_factory=dict)
    keys: dict[str, FileKey] = dataclasses.field(default_factory=dict)
    """File keys of what would be released, by commitment."""
    original: FileKey | None = None
    accepted: list[tuple[str, tuple[str, str, object]]] = dataclasses.field(default_factory=list)
    """Actor, method, path and body."""
    shown: tuple[tuple[object, ...], dict[str, Any]] | None = None
    """What the author's view was made of when it was last looked at, and all of it."""


class SendingRequests(RuleBasedStateMachine):
    """Everybody does anything; the model says what should come of it."""

    def __init__(self, relay: DomainRelay) -> None:
        super().__init__()
        self.relay = relay
        self.case: Case | None = None
        self.tracked: list[TrackedMessage] = []
        self.callers: dict[str, Caller] = {}
        self.clock = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        """A second later than any statement before, so that no two are alike."""
        self.clock += timedelta(seconds=1)
        return self.clock

    @initialize(
        approvals=st.sampled_from((1, 2)), captions=st.sampled_from(("required", "optional"))
    )
    def begin(self, approvals: Literal[1, 2], captions: Literal["required", "optional"]) -> None:
        """A case of this example's own."""
        policy = statements.Policy(
            approvals=approvals, captions=captions, server_processing=True, retention_days=365
        )
        relay = self.relay
        mediators = (relay.mediators["first"], relay.mediators["second"])
        self.case = relay.run.run(open_case(relay.people, policy=policy, mediators=mediators))
        self.clock = datetime.now(UTC).replace(microsecond=0)
        charter = relay.run.run(mediators[0].case(self.case.case_id)).charter
        self.case_recipient = charter.recipient
        self.charter = b64u_encode(charter.statement_hash)
        self.model = Model(approvals_needed=approvals, captions_required=captions == "required")
        self.callers = {name: caller_of(mediator) for name, mediator in relay.mediators.items()}
        self.callers |= {
            "anna": caller_of(self.case.harmed),
            "boris": caller_of(self.case.responsible),
        }
        self.callers["carla"] = caller_of(relay.other.harmed)
        self.consents: dict[str, str] = {}
        for person in ("anna", "boris"):
            self.consent(person, None, "active")
        self.write("anna", "letter")
        self.write("boris", "video")

    def pick(self, number: int) -> TrackedMessage | None:
        """One of the messages there are, mostly of those that still continue."""
        going_on = [tracked for tracked in self.tracked if tracked.item.state not in ENDED]
        among = (going_on if number < 3 else None) or self.tracked
        return among[number % len(among)] if among else None

    def ask(self, actor: str, method: str, path: str, body: object = None) -> Answer:
        """A request as somebody."""
        return self.relay.run.run(self.callers[actor].ask(method, path, body))

    def signer(self, actor: str, quality: Quality) -> Signer:
        """The key of the person who speaks, or another's where it is forged."""
        other = {"first": "second", "anna": "boris"}.get(actor, "first")
        return self.callers[other if quality == "forged" else actor].signer

    def judge(
        self, tracked: TrackedMessage, actor: str, verdict: Verdict, asked: tuple[str, str, object]
    ) -> None:
        """Ask, compare the answer with the verdict, and keep what was accepted for a replay."""
        answer = self.ask(actor, *asked)
        assert answer.status in ALLOWED[verdict], (
            f"{actor} {asked[0]} {asked[1]}: {answer.status} {answer.code}, not {verdict.value}"
        )
        if verdict is Verdict.DONE and asked[2] is not None:
            tracked.accepted.append((actor, asked))

    def words(self, tracked: TrackedMessage, quality: Quality) -> Subject:
        """What is there now; stale ones are of another rendition."""
        item = tracked.item
        return Subject(
            case=self.case_id,
            message=tracked.message,
            revision=item.revision,
            source=item.source or "nothing",
            rendition="another" if quality == "stale" else item.rendition,
            captions=item.captions,
            charter=self.charter,
            consents=[self.consents[item.sender], self.consents[item.recipient]],
        )

    @property
    def case_id(self) -> uuid.UUID:
        """The case of this example."""
        assert self.case is not None
        return self.case.case_id

    # The senders.

    @rule(
        sender=st.sampled_from(("anna", "boris")),
        kind=st.sampled_from(("letter", "letter", "video")),
    )
    def write(self, sender: str, kind: str) -> None:
        """Begin a message."""
        if len(self.tracked) == MESSAGES:
            return
        other = "boris" if sender == "anna" else "anna"
        tracked = TrackedMessage(uuid.uuid4(), Item(kind, sender, other))
        draft = NewDraft(
            recipient=self.callers[other].subject, kind=Kind(kind), language=Language.EN
        )
        path = f"/v1/messages/{tracked.message}/revisions/1/draft"
        assert self.ask(sender, "PUT", path, draft).status == 200
        self.tracked.append(tracked)

    @rule(number=picks, actor=actors, ahead=st.integers(0, 2))
    def begin_again(self, number: int, actor: str | None, ahead: int) -> None:
        """Begin a revision."""
        if tracked := self.pick(number):
            actor = actor or tracked.item.sender
            revision = tracked.item.revision + ahead
            draft = NewDraft(
                recipient=self.callers[tracked.item.recipient].subject,
                kind=Kind(tracked.item.kind),
                language=Language.EN,
            )
            if actor == "carla":
                draft = NewDraft(
                    recipient=self.relay.other.responsible.participant_id,
                    kind=draft.kind,
                    language=draft.language,
                )
            if actor == tracked.item.recipient:
                draft = NewDraft(
                    recipient=self.callers[tracked.item.sender].subject,
                    kind=draft.kind,
                    language=draft.language,
                )
            path = f"/v1/messages/{tracked.message}/revisions/{revision}/draft"
            verdict = self.model.begin(actor, tracked.item, revision)
            self.judge(tracked, actor, verdict, ("PUT", path, draft))
            tracked.accepted = [
                entry for entry in tracked.accepted if not entry[1][1].endswith("/draft")
            ]

    @rule(number=picks, actor=actors, ahead=st.integers(0, 2), quality=qualities)
    def send(self, number: int, actor: str | None, ahead: int, quality: Quality) -> None:
        """Send a revision, no matter who sends it."""
        tracked = self.pick(number)
        if tracked is None:
            return
        item = tracked.item
        actor = actor or item.sender
        revision = item.revision + ahead
        made = self._sealed(tracked, actor, revision)
        speaker = self.callers[actor].subject
        to = self.callers[item.sender if actor == item.recipient else item.recipient].subject
        case = self.case_id
        if actor == "carla":
            to, case = self.relay.other.responsible.participant_id, self.relay.other.case_id
        before = tracked.sent.get(revision - 1) or ("nothing" if revision > 1 else None)
        statement = message_statement(
            self.signer(actor, quality),
            case=case,
            charter=self.charter,
            message=tracked.message,
            sender=speaker,
            to=to,
            parts=[made],
            at=self.now(),
            revision=revision,
            supersedes="nothing" if quality == "stale" and revision > 1 else before,
        )
        right = quality == "right" or (quality == "stale" and revision == 1)
        verdict = self.model.send(actor, item, revision, statement, right=right)
        submission = self._submission(statement, made)
        path = f"/v1/messages/{tracked.message}/revisions/{revision}"
        self.judge(tracked, actor, verdict, ("PUT", path, submission))
        if verdict is Verdict.DONE:
            tracked.sent[revision] = statement
            letter = item.kind == "letter"
            tracked.keys = {made.part.commit: made.file_key} if letter else {}
            tracked.original = None if letter else made.file_key

    def _sealed(self, tracked: TrackedMessage, actor: str, revision: int) -> Sealed:
        """New words, or a video that has arrived where its sender may send one."""
        if tracked.item.kind == "letter":
            return seal_text(self.case_id, "body", f"Words of {actor}, {revision}.")
        body = io.BytesIO()
        made = seal_file(self.case_id, "original", io.BytesIO(b"a film"), "video/mp4", body)
        item = tracked.item
        if (actor, revision, item.state) == (item.sender, item.revision, "draft"):
            signed = self.callers[actor].signed
            body.seek(0)
            size = made.part.size
            self.relay.run.run(upload_body(signed, tracked.message, revision, body, size))
        return made

    def _submission(self, statement: str, made: Sealed) -> Submission:
        to_case = made.grant(Audience.CASE, self.case_id, self.case_recipient)
        if not isinstance(made, SealedText):
            worker = self.relay.worker
            recipient = str(worker.keyring.identity.recipient)
            to_worker = made.grant(Audience.MEDIA, worker.credential_id, recipient)
            return Submission(statement=statement, grants=[to_case, to_worker])
        return letter(statement, made, self.case_id, self.case_recipient)

    @rule(number=picks, actor=actors, wants=st.sampled_from((False, False, True)))
    def discard(self, number: int, actor: str | None, *, wants: bool) -> None:
        """Throw a draft away."""
        if tracked := self.pick(number):
            actor = actor or (tracked.item.sender if wants else tracked.item.recipient)
            verdict = self.model.discard(actor, tracked.item)
            path = f"/v1/messages/{tracked.message}/revisions/1/draft"
            self.judge(tracked, actor, verdict, ("DELETE", path, None))
            if tracked.item.state == "gone":
                self.tracked.remove(tracked)

    @rule(
        number=picks,
        actor=actors,
        quality=qualities,
        wants=st.sampled_from((False, False, True)),
    )
    def take_back(self, number: int, actor: str | None, quality: Quality, *, wants: bool) -> None:
        """Withdraw a message."""
        if tracked := self.pick(number):
            actor = actor or (tracked.item.sender if wants else tracked.item.recipient)
            of = tracked.item.recipient if quality == "stale" else tracked.item.sender
            statement = withdrawal(
                self.signer(actor, quality),
                self.case_id,
                tracked.message,
                self.callers[of].subject,
                self.now(),
            )
            verdict = self.model.take_back(actor, tracked.item, right=quality == "right")
            path = f"/v1/messages/{tracked.message}/withdrawal"
            self.judge(tracked, actor, verdict, ("PUT", path, {"statement": statement}))

    # Everybody's consent, and what the case system knows.

    @rule(
        person=st.sampled_from(("anna", "boris")),
        actor=actors,
        status=st.sampled_from(("active", "active", "active", "paused", "withdrawn")),
    )
    def consent(
        self, person: str, actor: str | None, status: Literal["active", "paused", "withdrawn"]
    ) -> None:
        """Somebody says that a person takes part, or does not."""
        actor = actor or person
        statement = consent(
            self.callers[actor].signer,
            self.case_id,
            self.callers[person].subject,
            status,
            self.now(),
        )
        path = f"/v1/cases/{self.case_id}/participants/{self.callers[person].subject}/consent"
        answer = self.ask(actor, "PUT", path, {"statement": statement})
        verdict = self.model.consent(actor, person, status)
        assert answer.status in ALLOWED[verdict], (actor, person, status, answer)
        if verdict is Verdict.DONE:
            self.consents[person] = digest_of(statement) or ""

    @rule(no_contact=st.sampled_from((False, False, True)))
    def forbid(self, *, no_contact: bool) -> None:
        """The case system sets or lifts a no-contact fact."""
        anna, boris = self.callers["anna"].subject, self.callers["boris"].subject
        system = self.relay.people.case_system
        self.relay.run.run(system.set_no_contact(self.case_id, anna, boris, no_contact=no_contact))
        self.model.no_contact = no_contact
