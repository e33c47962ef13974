"""Replays each message of a case through the transition table, and everything that hangs on it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.fields import Part
from relay.domain.messages import Audience, PartRole
from relay.domain.transitions import BY_EVENT_AND_SOURCE, RELEASED, TRANSITIONS, Event, Mover, State
from relay.services.audit.expected import ANY, Expected
from relay.services.audit.findings import Code, Report
from relay.services.audit.item import (
    AUTHOR,
    BEGINS,
    NOBODY,
    OF_CAPTIONS,
    OF_MESSAGES,
    OF_RENDITIONS,
    RECIPIENT,
    SECRET,
    Item,
    released_parts,
)
from relay.services.audit.keys import RACE, CaseKeys
from relay.services.audit.kinds import Who
from relay.services.audit.people import People
from relay.services.audit.rows import Row
from relay.storage import audit as stored

_TARGETS: Final = {transition.event: transition.target for transition in TRANSITIONS}


class Items:
    """The messages of one case."""

    def __init__(self, keys: CaseKeys, people: People, expected: Expected, report: Report) -> None:
        self._keys = keys
        self._people = people
        self._expected = expected
        self._report = report
        self._items: dict[uuid.UUID, Item] = {}

    def find(self, message: uuid.UUID | None) -> Item:
        """The message as it is before a row; a new one where there is none."""
        return self._items.get(message, Item()) if message is not None else Item()

    def take(self, row: Row) -> None:
        """Take in what a row says of its message."""
        message = row.log.message_id
        if message is None:
            return
        item = self._items.setdefault(message, Item())
        if item.state is None:
            self._begin(row, item)
        if row.kind.event is not None:
            self._transition(row, item, row.kind.event)
        effect = _EFFECTS.get(row.log.kind)
        if effect is not None:
            effect(self, row, item)
        if item.state is None:
            self._items[message] = Item()

    def finish(self) -> None:
        """Say what the table of messages must have."""
        for message, item in self._items.items():
            if item.state is None:
                continue
            is_sent = item.source is not None
            self._expected.put(
                "messages",
                message,
                message=message,
                sender_id=item.sender,
                recipient_id=item.recipient if is_sent else ANY,
                kind=item.kind if is_sent else ANY,
                language=item.language if is_sent else ANY,
                state=item.state.value,
                revision=item.revision,
                review_round=item.round,
                statement_hash=item.source,
                rendition_hash=item.rendition,
                captions_hash=item.captions,
                offer_hash=item.offer,
                withdrawal_hash=item.withdrawal,
                tell_author=item.tell_author,
                lease_holder=item.holder,
            )

    def check_grant(self, case_id: uuid.UUID, grant: stored.GrantRecord) -> str | None:
        """Why a grant must not be there, or None. One to the recipient is struck off what is missing."""
        item = self._items.get(grant.message_id)
        if item is None or item.state is None:
            return "of a message that is not there"
        if grant.audience not in self._expected.readers.get(grant.commitment, NOBODY):
            return f"for {grant.audience}, of a part that is not for them"
        if grant.audience is Audience.MEDIA:
            is_due = item.state is State.PROCESSING and self._keys.is_worker(grant.audience_id)
            return None if is_due else "for a media worker that has nothing to prepare"
        holders = {
            Audience.CASE: case_id,
            Audience.AUTHOR: item.sender,
            Audience.RECIPIENT: item.recipient,
        }
        is_named = (
            grant.audience is not Audience.RECIPIENT
            or item.grants.pop(grant.commitment, None) == grant.header
        )
        if grant.audience_id != holders[grant.audience]:
            return f"for {grant.audience}, in another name"
        return None if is_named else "for the recipient that the offer does not name"

    def missing_grants(self) -> Iterable[uuid.UUID]:
        """The messages whose recipient should have a grant that was not there."""
        return [message for message, item in self._items.items() if item.grants]

    # One row.

    def _begin(self, row: Row, item: Item) -> None:
        if row.log.kind not in BEGINS:
            self._report.add(
                Code.TRANSITION_UNKNOWN,
                f"{row.log.kind} of a message that is not there",
                seq=row.seq,
                message=row.log.message_id,
            )
        said = row.statement(statements.Message)
        named = None if row.actor is None else row.actor.participant
        item.sender = named or (None if said is None else said.sender)
        item.state = State.DRAFT
        item.relayed = row.actor is not None and row.actor.who is Who.MEDIATOR

    def _transition(self, row: Row, item: Item, event: Event) -> None:
        source = item.state or State.DRAFT
        transition = BY_EVENT_AND_SOURCE.get((event, source))
        if transition is None:
            self._found(row, Code.TRANSITION_UNKNOWN, f"{event} of a message that is {source}")
            item.state = _TARGETS[event]
        else:
            self._check_mover(row, item, transition.mover)
            item.state = transition.target
            if transition.ends_grants:
                item.grants = {}
        if item.state is not source:
            item.holder = row.actor_id if event is Event.LEASE else None

    def _check_mover(self, row: Row, item: Item, mover: Mover) -> None:
        if row.actor is None:
            return
        own = {Mover.SENDER: item.sender, Mover.RECIPIENT: item.recipient}
        if row.actor.who is Who.PARTICIPANT and row.actor.id != own.get(mover):
            self._found(row, Code.TRANSITION_BY_ANOTHER, f"somebody else than the {mover}")
        if mover is Mover.REVIEWER and row.actor.id != item.holder:
            self._found(row, Code.TRANSITION_BY_ANOTHER, "a mediator who did not hold the message")
        is_relaying = row.kind.event in {Event.SUBMIT_LETTER, Event.REVISE}
        if is_relaying and row.actor.who is Who.MEDIATOR and not item.relayed:
            self._found(
                row,
                Code.TRANSITION_BY_ANOTHER,
                "a mediator changed what a participant wrote themself",
            )

    # What rows do besides moving.

    def begin_draft(self, row: Row, item: Item) -> None:
        """A sender begins to write."""
        if item.state is not State.DRAFT or item.source is not None:
            self._found(row, Code.TRANSITION_UNKNOWN, "a draft of a message that was begun before")

    def submit(self, row: Row, item: Item) -> None:
        """New words: what was rendered, captioned or approved before does not belong to them."""
        said = row.statement(statements.Message)
        item.source, item.rendition, item.captions = row.digest, None, None
        item.round += 1
        item.approvals.clear()
        item.relayed = row.actor is not None and row.actor.who is Who.MEDIATOR
        item.way = None if row.log.compact is None else self._keys.way_of(row.log.compact)
        if said is None:
            return
        item.recipient, item.kind, item.language = said.recipient, said.kind, said.language
        item.own_captions = frozenset(part.commit for part in said.parts if part.role == "captions")
        item.released = {row.digest: released_parts(said.kind, said.parts)}
        self._keep_parts(row, said.parts, OF_MESSAGES)
        self._expected.put(
            "revisions",
            row.log.message_id,
            item.revision,
            seq=row.seq,
            message=row.log.message_id,
            statement_hash=row.digest,
            language=said.language,
        )
        way = item.way
        if way is not None and way.link.purpose == "upload":
            if way.message not in {None, row.log.message_id}:
                self._found(
                    row, Code.TRANSITION_BY_ANOTHER, "a second message through one upload link"
                )
            way.message = row.log.message_id
            self._expected.change("links", way.link.link, message_id=row.log.message_id)

    def revise(self, _row: Row, item: Item) -> None:
        """A sender writes the next revision of what came back."""
        item.revision += 1

    def discard(self, row: Row, item: Item) -> None:
        """A draft that was never sent is gone."""
        if item.revision != 1 or item.source is not None:
            self._found(row, Code.TRANSITION_UNKNOWN, "a message was discarded after it was sent")

    def withdraw(self, row: Row, item: Item) -> None:
        """A sender takes the message back in time."""
        item.withdrawal = row.digest

    def ask_withdrawal(self, row: Row, item: Item) -> None:
        """A sender takes it back too late, which is recorded for the mediator."""
        late = BY_EVENT_AND_SOURCE.get((Event.WITHDRAW, item.state or State.DRAFT))
        if late is None or late.target is not late.source:
            self._found(
                row, Code.TRANSITION_UNKNOWN, f"a late withdrawal of a message that is {item.state}"
            )
        if row.actor is not None and row.actor.participant not in {None, item.sender}:
            self._found(row, Code.TRANSITION_BY_ANOTHER, "somebody else than the sender")
        item.withdrawal = row.digest

    def render(self, row: Row, item: Item) -> None:
        """A media worker prepared a video."""
        said = row.statement(statements.Rendition)
        item.rendition, item.captions = row.digest, None
        if said is not None:
            item.released[row.digest] = released_parts("video", said.parts)
            self._keep_parts(row, said.parts, OF_RENDITIONS)

    def caption(self, row: Row, item: Item) -> None:
        """A mediator captioned a video, or said why it needs none."""
        said = row.statement(statements.Captions)
        if item.state is not State.CLAIMED or row.actor_id != item.holder:
            self._found(row, Code.TRANSITION_BY_ANOTHER, "a mediator who did not hold the message")
        item.captions = row.digest
        if said is None:
            return
        parts = [] if said.part is None else [said.part]
        item.released[row.digest] = released_parts("video", parts)
        self._keep_parts(row, parts, OF_CAPTIONS)
        self._expected.put(
            "captions",
            row.digest,
            seq=row.seq,
            message=row.log.message_id,
            message_id=row.log.message_id,
            source_hash=item.source,
            exception=said.exception,
        )

    def decide(self, row: Row, item: Item) -> None:
        """A mediator decided."""
        said = row.statement(statements.Decision)
        if said is None:
            return
        readers = NOBODY if said.decision in SECRET else AUTHOR
        self._keep_parts(row, said.notes, {PartRole.NOTE: readers})
        self._expected.put(
            "decisions",
            row.digest,
            seq=row.seq,
            message=row.log.message_id,
            message_id=row.log.message_id,
            review_round=item.round,
            mediator_id=row.actor_id,
            person_id=self._keys.person(row.actor_id),
            decision=said.decision,
            reason=said.reason,
            source_hash=item.source,
            rendition_hash=item.rendition,
            captions_hash=item.captions,
        )
        if said.decision == "approve":
            self._approve(row, item)
        if row.kind.event is Event.REOPEN:
            item.round += 1

    def _approve(self, row: Row, item: Item) -> None:
        before = item.approvers()
        item.approvals.add((self._keys.person(row.actor_id), item.words))
        approvers = item.approvers()
        if approvers == before:
            self._found(row, Code.TRANSITION_BY_ANOTHER, "somebody approved the same words twice")
        if not self._is_sender_known(item, row.at, before=RACE):
            self._found(row, Code.GATE_CLOSED, "approved before it was known whose words these are")
        is_last = row.kind.event is Event.APPROVE
        if is_last and not self._people.may_suffice(approvers, row.at):
            self._found(
                row, Code.GATE_CLOSED, f"approved by {approvers}, fewer than the case asks for"
            )

    def offer(self, row: Row, item: Item) -> None:
        """A mediator lets the message wait for its recipient."""
        self._check_gates(row, item)
        self._file_offer(row, item)
        self._check_recipient_key(row, item)

    def grant_again(self, row: Row, item: Item) -> None:
        """A mediator grants what was released to a new key of its recipient."""
        if item.state not in RELEASED:
            self._found(
                row, Code.TRANSITION_UNKNOWN, f"granted again while the message is {item.state}"
            )
        self._check_gates(row, item)
        self._file_offer(row, item)
        self._check_recipient_key(row, item)

    def _file_offer(self, row: Row, item: Item) -> None:
        said = row.statement(statements.Offer)
        item.offer, item.offered = row.digest, said
        if said is None:
            return
        current = (item.source, item.rendition, item.captions)
        due = frozenset().union(*(item.released.get(digest, frozenset()) for digest in current))
        due |= {note.commit for note in said.notes}
        due -= frozenset() if item.captions is None else item.own_captions
        if {grant.commit for grant in said.grants} != due:
            self._found(row, Code.STATEMENT_DIFFERS, "an offer of other parts than were reviewed")
        self._keep_parts(row, said.notes, {PartRole.NOTE: RECIPIENT})
        item.grants |= {
            b64u_decode(grant.commit): b64u_decode(grant.header) for grant in said.grants
        }
        self._expected.put(
            "offers",
            row.digest,
            seq=row.seq,
            message=row.log.message_id,
            message_id=row.log.message_id,
            mediator_id=row.actor_id,
            claim_hash=b64u_decode(said.claim),
            sender_consent=b64u_decode(said.consents[0]),
            recipient_consent=b64u_decode(said.consents[1]),
            not_before=said.not_before,
        )

    def respond(self, row: Row, item: Item) -> None:
        """A recipient answered."""
        said = row.statement(statements.Response)
        if row.kind.event is not Event.CLOSE:
            self._check_gates(row, item)
            self._check_recipient_key(row, item)
            early = None if item.offered is None else item.offered.not_before
            if early is not None and row.at < early - RACE:
                self._found(row, Code.GATE_CLOSED, "answered before the day of the offer")
        way = None if row.log.compact is None else self._keys.way_of(row.log.compact)
        if way is not None and not way.is_known:
            self._found(row, Code.KEY_UNKNOWN, "answered with a key that no mediator verified")
        if said is None:
            return
        if row.kind.event in {Event.ACCEPT, Event.REFUSE}:
            item.tell_author = said.tell_author
        self._expected.put(
            "responses",
            row.digest,
            seq=row.seq,
            message=row.log.message_id,
            message_id=row.log.message_id,
            offer_hash=item.offer,
            answer=said.answer,
        )

    def open(self, row: Row, item: Item) -> None:
        """A recipient opened the message for the first time."""
        self._check_gates(row, item)
        self._check_recipient_key(row, item)

    def _is_sender_known(
        self, item: Item, at: dt.datetime, *, before: dt.timedelta = dt.timedelta()
    ) -> bool:
        """Whether it is known whose words these are; what ended later than `before` ahead of `at` is open."""
        way = item.way
        if way is None or way.is_known:
            return True
        return way.misused_at is not None and way.misused_at - at > -before

    def _check_gates(self, row: Row, item: Item) -> None:
        if not self._is_sender_known(item, row.at):
            self._found(row, Code.GATE_CLOSED, "it is not known whose words these are")
        for name, person in (("sender", item.sender), ("recipient", item.recipient)):
            if not self._people.consents(person):
                self._found(row, Code.GATE_CLOSED, f"without the consent of the {name}")
        approvers = item.approvers()
        if approvers < self._people.approvals:
            self._found(
                row, Code.GATE_CLOSED, f"approved by {approvers}, fewer than the case asks for"
            )
        is_settled = item.kind != "video" or item.captions is not None or bool(item.own_captions)
        if self._people.captions_required and not is_settled:
            self._found(row, Code.GATE_CLOSED, "without captions, which the case asks for")

    def _check_recipient_key(self, row: Row, item: Item) -> None:
        if item.offered is None:
            return
        way = self._keys.by_claim.get(b64u_decode(item.offered.claim))
        if way is None or way.claim is None or not way.is_known or way.ended_at is not None:
            self._found(
                row, Code.KEY_UNKNOWN, "an offer to a key that no mediator verified, or that ended"
            )
        elif (way.claim.participant, way.claim.recipient) != (
            item.recipient,
            item.offered.recipient,
        ):
            self._found(row, Code.KEY_UNKNOWN, "an offer to somebody else's key")

    def _keep_parts(
        self, row: Row, parts: Iterable[Part], readers: Mapping[str, frozenset[Audience]]
    ) -> None:
        if row.log.message_id is not None:
            self._expected.add_parts(
                parts, row.digest, readers, seq=row.seq, message=row.log.message_id
            )

    def _found(self, row: Row, code: Code, problem: str) -> None:
        self._report.add(code, problem, seq=row.seq, message=row.log.message_id)


_EFFECTS: Final[Mapping[str, Callable[[Items, Row, Item], None]]] = {
    "draft-begun": Items.begin_draft,
    "submit-letter": Items.submit,
    "submit-video": Items.submit,
    "revise": Items.revise,
    "discard": Items.discard,
    "withdraw": Items.withdraw,
    "withdrawal-asked": Items.ask_withdrawal,
    "finish-processing": Items.render,
    "captions-added": Items.caption,
    "captions-excepted": Items.caption,
    "approve-first": Items.decide,
    "approve": Items.decide,
    "return": Items.decide,
    "decline": Items.decide,
    "hold": Items.decide,
    "resume": Items.decide,
    "reopen": Items.decide,
    "retract": Items.decide,
    "recall": Items.decide,
    "retry": Items.decide,
    "offer": Items.offer,
    "granted-again": Items.grant_again,
    "accept": Items.respond,
    "wait": Items.respond,
    "refuse": Items.respond,
    "close": Items.respond,
    "open": Items.open,
}
