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
from relay.demo.cast import Case, open_case
from relay.domain.messages import Audience, Kind, Language, NewDraft, Submission
from tests.hands import (
    Answer,
    Hands,
    Words,
    consent,
    digest_of,
    hands_of,
    letter,
    message_statement,
    withdrawal,
)
from tests.integration.domain_model import PEOPLE, Item, Model, Verdict
from tests.integration.domain_stage import Stage

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
"""None is whoever ought to do it."""
qualities = st.sampled_from(("right", "right", "right", "stale", "forged"))
picks = st.integers(0, 3)


@dataclasses.dataclass
class Held:
    """A message as the test holds it: its keys, and every statement about it that was accepted."""

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


class Writing(RuleBasedStateMachine):
    """Everybody does anything; the model says what should come of it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.case: Case | None = None
        self.held: list[Held] = []
        self.hands: dict[str, Hands] = {}
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
        stage = self.stage
        mediators = (stage.mediators["first"], stage.mediators["second"])
        self.case = stage.run.run(open_case(stage.people, policy=policy, mediators=mediators))
        self.clock = datetime.now(UTC).replace(microsecond=0)
        charter = stage.run.run(mediators[0].case(self.case.case_id)).charter
        self.case_recipient = charter.recipient
        self.charter = b64u_encode(charter.statement_hash)
        self.model = Model(approvals_needed=approvals, captions_required=captions == "required")
        self.hands = {name: hands_of(mediator) for name, mediator in stage.mediators.items()}
        self.hands |= {"anna": hands_of(self.case.harmed), "boris": hands_of(self.case.responsible)}
        self.hands["carla"] = hands_of(stage.other.harmed)
        self.consents: dict[str, str] = {}
        for person in ("anna", "boris"):
            self.say(person, None, "active")
        self.write("anna", "letter")
        self.write("boris", "video")

    def pick(self, number: int) -> Held | None:
        """One of the messages there are, mostly of those that still go on."""
        going_on = [held for held in self.held if held.item.state not in ENDED]
        among = (going_on if number < 3 else None) or self.held
        return among[number % len(among)] if among else None

    def ask(self, actor: str, method: str, path: str, body: object = None) -> Answer:
        """A request as somebody."""
        return self.stage.run.run(self.hands[actor].ask(method, path, body))

    def signer(self, actor: str, quality: Quality) -> Signer:
        """The key of whoever speaks, or another's where it is forged."""
        other = {"first": "second", "anna": "boris"}.get(actor, "first")
        return self.hands[other if quality == "forged" else actor].signer

    def judge(
        self, held: Held, actor: str, verdict: Verdict, asked: tuple[str, str, object]
    ) -> None:
        """Ask, hold the answer against the verdict, and keep what was accepted for a replay."""
        answer = self.ask(actor, *asked)
        assert answer.status in ALLOWED[verdict], (
            f"{actor} {asked[0]} {asked[1]}: {answer.status} {answer.code}, not {verdict.value}"
        )
        if verdict is Verdict.DONE and asked[2] is not None:
            held.accepted.append((actor, asked))

    def words(self, held: Held, quality: Quality) -> Words:
        """What is there now; stale ones are of another rendition."""
        item = held.item
        return Words(
            case=self.case_id,
            message=held.message,
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
        if len(self.held) == MESSAGES:
            return
        other = "boris" if sender == "anna" else "anna"
        held = Held(uuid.uuid4(), Item(kind, sender, other))
        draft = NewDraft(recipient=self.hands[other].subject, kind=Kind(kind), language=Language.EN)
        path = f"/v1/messages/{held.message}/revisions/1/draft"
        assert self.ask(sender, "PUT", path, draft).status == 200
        self.held.append(held)

    @rule(number=picks, actor=actors, ahead=st.integers(0, 2))
    def begin_again(self, number: int, actor: str | None, ahead: int) -> None:
        """Begin a revision."""
        if held := self.pick(number):
            actor = actor or held.item.sender
            revision = held.item.revision + ahead
            draft = NewDraft(
                recipient=self.hands[held.item.recipient].subject,
                kind=Kind(held.item.kind),
                language=Language.EN,
            )
            if actor == "carla":
                draft = NewDraft(
                    recipient=self.stage.other.responsible.participant_id,
                    kind=draft.kind,
                    language=draft.language,
                )
            if actor == held.item.recipient:
                draft = NewDraft(
                    recipient=self.hands[held.item.sender].subject,
                    kind=draft.kind,
                    language=draft.language,
                )
            path = f"/v1/messages/{held.message}/revisions/{revision}/draft"
            verdict = self.model.begin(actor, held.item, revision)
            self.judge(held, actor, verdict, ("PUT", path, draft))
            held.accepted = [entry for entry in held.accepted if not entry[1][1].endswith("/draft")]

    @rule(number=picks, actor=actors, ahead=st.integers(0, 2), quality=qualities)
    def send(self, number: int, actor: str | None, ahead: int, quality: Quality) -> None:
        """Send a revision, whoever it is that sends."""
        held = self.pick(number)
        if held is None:
            return
        item = held.item
        actor = actor or item.sender
        revision = item.revision + ahead
        made = self._sealed(held, actor, revision)
        speaker = self.hands[actor].subject
        to = self.hands[item.sender if actor == item.recipient else item.recipient].subject
        case = self.case_id
        if actor == "carla":
            to, case = self.stage.other.responsible.participant_id, self.stage.other.case_id
        before = held.sent.get(revision - 1) or ("nothing" if revision > 1 else None)
        statement = message_statement(
            self.signer(actor, quality),
            case=case,
            charter=self.charter,
            message=held.message,
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
        path = f"/v1/messages/{held.message}/revisions/{revision}"
        self.judge(held, actor, verdict, ("PUT", path, submission))
        if verdict is Verdict.DONE:
            held.sent[revision] = statement
            letter = item.kind == "letter"
            held.keys = {made.part.commit: made.file_key} if letter else {}
            held.original = None if letter else made.file_key

    def _sealed(self, held: Held, actor: str, revision: int) -> Sealed:
        """New words, or a video that has arrived where its sender may send one."""
        if held.item.kind == "letter":
            return seal_text(self.case_id, "body", f"Words of {actor}, {revision}.")
        body = io.BytesIO()
        made = seal_file(self.case_id, "original", io.BytesIO(b"a film"), "video/mp4", body)
        item = held.item
        if (actor, revision, item.state) == (item.sender, item.revision, "draft"):
            signed = self.hands[actor].signed
            body.seek(0)
            size = made.part.size
            self.stage.run.run(upload_body(signed, held.message, revision, body, size))
        return made

    def _submission(self, statement: str, made: Sealed) -> Submission:
        to_case = made.grant(Audience.CASE, self.case_id, self.case_recipient)
        if not isinstance(made, SealedText):
            worker = self.stage.worker
            recipient = str(worker.keyring.identity.recipient)
            to_worker = made.grant(Audience.MEDIA, worker.credential_id, recipient)
            return Submission(statement=statement, grants=[to_case, to_worker])
        return letter(statement, made, self.case_id, self.case_recipient)

    @rule(number=picks, actor=actors, wants=st.sampled_from((False, False, True)))
    def discard(self, number: int, actor: str | None, *, wants: bool) -> None:
        """Throw a draft away."""
        if held := self.pick(number):
            actor = actor or (held.item.sender if wants else held.item.recipient)
            verdict = self.model.discard(actor, held.item)
            path = f"/v1/messages/{held.message}/revisions/1/draft"
            self.judge(held, actor, verdict, ("DELETE", path, None))
            if held.item.state == "gone":
                self.held.remove(held)

    @rule(
        number=picks,
        actor=actors,
        quality=qualities,
        wants=st.sampled_from((False, False, True)),
    )
    def take_back(self, number: int, actor: str | None, quality: Quality, *, wants: bool) -> None:
        """Withdraw a message."""
        if held := self.pick(number):
            actor = actor or (held.item.sender if wants else held.item.recipient)
            of = held.item.recipient if quality == "stale" else held.item.sender
            statement = withdrawal(
                self.signer(actor, quality),
                self.case_id,
                held.message,
                self.hands[of].subject,
                self.now(),
            )
            verdict = self.model.take_back(actor, held.item, right=quality == "right")
            path = f"/v1/messages/{held.message}/withdrawal"
            self.judge(held, actor, verdict, ("PUT", path, {"statement": statement}))

    # Everybody's consent, and what the case system knows.

    @rule(
        person=st.sampled_from(("anna", "boris")),
        actor=actors,
        status=st.sampled_from(("active", "active", "active", "paused", "withdrawn")),
    )
    def say(
        self, person: str, actor: str | None, status: Literal["active", "paused", "withdrawn"]
    ) -> None:
        """Somebody says that a person takes part, or does not."""
        actor = actor or person
        statement = consent(
            self.hands[actor].signer, self.case_id, self.hands[person].subject, status, self.now()
        )
        path = f"/v1/cases/{self.case_id}/participants/{self.hands[person].subject}/consent"
        answer = self.ask(actor, "PUT", path, {"statement": statement})
        verdict = self.model.consent(actor, person, status)
        assert answer.status in ALLOWED[verdict], (actor, person, status, answer)
        if verdict is Verdict.DONE:
            self.consents[person] = digest_of(statement) or ""

    @rule(no_contact=st.sampled_from((False, False, True)))
    def forbid(self, *, no_contact: bool) -> None:
        """The case system sets or lifts a no-contact fact."""
        anna, boris = self.hands["anna"].subject, self.hands["boris"].subject
        system = self.stage.people.case_system
        self.stage.run.run(system.set_no_contact(self.case_id, anna, boris, no_contact=no_contact))
        self.model.no_contact = no_contact
