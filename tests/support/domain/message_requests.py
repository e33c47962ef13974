"""What everybody may try to do with a message that was sent, right and wrong: more rules for hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from hypothesis import strategies as st
from hypothesis.stateful import rule

from relay.client.sealing import Sealed
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import Audience, Grant, ReviewRequest
from relay.services import processing
from relay.services.transitions import lapse
from relay.storage.messages import lock_message
from tests.support.domain.model import OWN_MEDIATORS, Verdict
from tests.support.domain.requests import (
    ALLOWED,
    DECISIONS,
    Decision,
    Quality,
    SendingRequests,
    TrackedMessage,
    actors,
    picks,
    qualities,
)
from tests.support.prepared_videos import hand_in
from tests.support.requests import digest_of, response

Step = Decision | Literal["refuse", "wait", "close", "withdraw"]
ASIDE: dict[str, tuple[Step, ...]] = {
    "queued": ("withdraw",),
    "claimed": ("return", "hold", "decline"),
    "held": ("resume", "decline"),
    "failed": ("retry",),
    "approved": ("reopen", "reopen", "withdraw"),
    "offered": ("retract", "refuse", "wait"),
    "released": ("recall", "withdraw"),
    "viewed": ("close",),
}
"""What may be done in a state besides going on towards the recipient."""


class MessageRequests(SendingRequests):
    """Everybody does anything; the model says what should come of it."""

    # The mediators.

    @rule(number=picks, actor=actors, renews=st.booleans())
    def lease(self, number: int, actor: str | None, *, renews: bool) -> None:
        """Take an item."""
        if tracked := self.pick(number):
            free = [name for name in OWN_MEDIATORS if name not in tracked.item.approvals]
            actor = actor or (tracked.item.holder if renews else None) or (free or ["first"])[0]
            verdict = self.model.lease(actor, tracked.item)
            self.judge(
                tracked, actor, verdict, ("PUT", f"/v1/messages/{tracked.message}/lease", None)
            )

    @rule(number=picks, actor=actors)
    def let_go(self, number: int, actor: str | None) -> None:
        """Give an item back."""
        if tracked := self.pick(number):
            actor = actor or tracked.item.holder or "first"
            verdict = self.model.let_go(actor, tracked.item)
            self.judge(
                tracked, actor, verdict, ("DELETE", f"/v1/messages/{tracked.message}/lease", None)
            )

    @rule(number=picks, swept=st.booleans())
    def time_passes(self, number: int, *, swept: bool) -> None:
        """A lease runs out; perhaps the sweep comes by."""
        if tracked := self.pick(number):
            self.relay.run.run(self._time_passes(tracked, swept=swept))
            self.model.lease_ends(tracked.item)
            if swept:
                self.model.sweep(tracked.item)

    async def _time_passes(self, tracked: TrackedMessage, *, swept: bool) -> None:
        async with self.relay.database.transaction() as connection:
            await connection.execute(
                "update messages set lease_expires_at = now() - interval '1 second' "
                "where message_id = $1 and state = 'claimed'",
                tracked.message,
            )
        async with self.relay.worker_database.transaction() as connection:
            message = await lock_message(connection, tracked.message)
            if swept and message is not None and message.lease_is_over:
                await lapse(connection, message)

    @rule(number=picks, actor=actors, decision=st.sampled_from(DECISIONS), quality=qualities)
    def decide(self, number: int, actor: str | None, decision: Decision, quality: Quality) -> None:
        """Decide."""
        if tracked := self.pick(number):
            actor = actor or tracked.item.holder or "second"
            self._decide(tracked, actor, decision, quality)

    def _decide(
        self, tracked: TrackedMessage, actor: str, decision: Decision, quality: Quality
    ) -> None:
        words = self.words(tracked, quality)
        compact = words.decision(self.signer(actor, quality), decision, self.now())
        right = (
            quality == "right" and tracked.item.source is not None and tracked.item.state != "draft"
        )
        verdict = self.model.decide(actor, tracked.item, decision, compact, right=right)
        grants: list[Grant] = []
        if decision == "retry" and tracked.original is not None:
            grants = [self._to_worker(tracked)]
        act = ReviewRequest(statement=compact, grants=grants)
        path = f"/v1/messages/{tracked.message}/decisions"
        self.judge(tracked, actor, verdict, ("POST", path, act))

    def _to_worker(self, tracked: TrackedMessage) -> Grant:
        said = statements.decode_unverified(tracked.sent[max(tracked.sent)], statements.Message)
        assert tracked.original is not None
        worker = self.relay.worker
        recipient = str(worker.keyring.identity.recipient)
        sealed = Sealed(part=said.parts[0], file_key=tracked.original)
        return sealed.grant(Audience.MEDIA, worker.credential_id, recipient)

    @rule(number=picks, actor=actors, quality=qualities)
    def except_captions(self, number: int, actor: str | None, quality: Quality) -> None:
        """Say why a video needs no captions."""
        if tracked := self.pick(number):
            actor = actor or tracked.item.holder or "first"
            compact = self.words(tracked, quality).exception(
                self.signer(actor, quality), self.now()
            )
            verdict = self.model.caption(actor, tracked.item, compact, right=quality == "right")
            path = f"/v1/messages/{tracked.message}/captions"
            self.judge(tracked, actor, verdict, ("PUT", path, {"statement": compact}))

    @rule(
        number=picks,
        actor=actors,
        quality=st.sampled_from(("right", "right", "stale", "forged", "other key", "too little")),
        early=st.sampled_from((False, False, False, True)),
    )
    def offer(self, number: int, actor: str | None, quality: str, *, early: bool) -> None:
        """Offer a message to its recipient."""
        if tracked := self.pick(number):
            self._offer(tracked, actor or "second", quality, early=early)

    def _offer(self, tracked: TrackedMessage, actor: str, quality: str, *, early: bool) -> None:
        assert self.case is not None
        item = tracked.item
        to = self.callers[item.recipient]
        person = self.case.responsible if item.recipient == "boris" else self.case.harmed
        reader = self.callers[item.sender] if quality == "other key" else to
        keys = tracked.keys or {b64u_encode(bytes(32)): b"nothing to give."}
        if quality == "too little":
            keys = {b64u_encode(bytes(32)): b"something other."}
        act = self.words(tracked, cast("Quality", quality)).offer(
            self.signer(actor, cast("Quality", quality)),
            keys,
            to.subject,
            reader.recipient,
            b64u_encode(person.claim_hash or b""),
            self.now(),
            not_before=datetime.now(UTC) + timedelta(days=1 if early else -1),
        )
        right = quality == "right"
        verdict = self.model.offer(actor, item, act.statement, early=early, right=right)
        path = f"/v1/messages/{tracked.message}/offers"
        self.judge(tracked, actor, verdict, ("POST", path, act))

    # The recipient.

    @rule(
        number=picks,
        actor=actors,
        answer=st.sampled_from(("accept", "wait", "refuse", "close")),
        tell=st.booleans(),
        quality=qualities,
    )
    def answer(
        self,
        number: int,
        actor: str | None,
        answer: Literal["accept", "wait", "refuse", "close"],
        quality: Quality,
        *,
        tell: bool,
    ) -> None:
        """Answer an offer."""
        if tracked := self.pick(number):
            self._answer(tracked, actor or tracked.item.recipient, answer, quality, tell=tell)

    def _answer(
        self,
        tracked: TrackedMessage,
        actor: str,
        answer: Literal["accept", "wait", "refuse", "close"],
        quality: Quality,
        *,
        tell: bool,
    ) -> None:
        offer = "another" if quality == "stale" else tracked.item.offer or "none"
        compact = response(
            self.signer(actor, quality),
            self.case_id,
            tracked.message,
            digest_of(offer) or "",
            answer,
            self.now(),
            tell_author=tell,
        )
        verdict = self.model.answer(
            actor, tracked.item, answer, tell=tell, right=quality == "right"
        )
        path = f"/v1/messages/{tracked.message}/responses"
        self.judge(tracked, actor, verdict, ("POST", path, {"statement": compact}))

    @rule(number=picks, actor=actors)
    def open(self, number: int, actor: str | None) -> None:
        """Open what was released."""
        if tracked := self.pick(number):
            actor = actor or tracked.item.recipient
            verdict = self.model.open(actor, tracked.item)
            self.judge(
                tracked, actor, verdict, ("POST", f"/v1/messages/{tracked.message}/openings", None)
            )

    # The worker, those who repeat what was said, and those who simply continue.

    @rule(number=picks, succeeds=st.sampled_from((True, True, False)))
    def work(self, number: int, *, succeeds: bool) -> None:
        """A media worker prepares a video, or cannot."""
        if tracked := self.pick(number):
            was_done, rendition = self.relay.run.run(self._work(tracked, succeeds=succeeds))
            assert was_done == self.model.prepared(tracked.item, rendition)

    async def _work(self, tracked: TrackedMessage, *, succeeds: bool) -> tuple[bool, str | None]:
        """Whether there was work, and the statement of the rendition that came of it."""
        database, settings = self.relay.worker_database, self.relay.settings
        worker = self.relay.worker
        async with database.connection() as connection:
            job_id = await connection.fetchval(
                "select job_id from jobs where message_id = $1 and state = 'waiting'",
                tracked.message,
            )
        job = job_id and await processing.lease_job(database, settings, job_id, worker)
        if job is None:
            return False, None
        if not succeeds:
            await processing.fail(database, worker, job, "video-not-prepared")
            return True, None
        compact, tracked.keys = await hand_in(database, settings, worker, job)
        return True, compact

    @rule(number=picks, which=st.integers(0, 20), actor=actors)
    def repeat(self, number: int, which: int, actor: str | None) -> None:
        """Send again what was accepted once, as the same caller or as somebody else: it has no effect."""
        tracked = self.pick(number)
        if tracked is not None and tracked.accepted:
            speaker, asked = tracked.accepted[which % len(tracked.accepted)]
            answer = self.ask(actor or speaker, *asked)
            assert answer.status in ALLOWED[Verdict.NOTHING], (actor or speaker, asked, answer)

    @rule(number=picks, steps=st.integers(1, 2))
    def go_a_little(self, number: int, steps: int) -> None:
        """A step or two towards the recipient: more happens in the middle than at the beginning."""
        self.go_on(number, steps)

    @rule(number=picks, steps=st.integers(2, 6))
    def go_on(self, number: int, steps: int) -> None:
        """The next steps towards the recipient, by the person who has to do them."""
        for _ in range(steps):
            if tracked := self.pick(number):
                self._go_on(number, tracked)

    def _go_on(self, number: int, tracked: TrackedMessage) -> None:
        item = tracked.item
        steps: dict[str, Callable[[], None]] = {
            "draft": lambda: self.send(number, None, 0, "right"),
            "processing": lambda: self.work(number, succeeds=True),
            "queued": lambda: self.lease(number, None, renews=False),
            "claimed": lambda: self._review(tracked),
            "approved": lambda: self._offer(tracked, "first", "right", early=False),
            "offered": lambda: self._answer(tracked, item.recipient, "accept", "right", tell=False),
            "released": lambda: self.open(number, None),
            "returned": lambda: self.send(number, None, 1, "right"),
        }
        if item.state in steps:
            steps[item.state]()

    @rule(number=picks, actor=actors, which=st.integers(0, 2), steps=st.integers(0, 4))
    def go_aside(self, number: int, actor: str | None, which: int, steps: int) -> None:
        """A step that the state allows and that leads elsewhere, perhaps by somebody who may not."""
        self.go_on(number, steps)
        tracked = self.pick(number)
        if tracked is None or tracked.item.state not in ASIDE:
            return
        possible = ASIDE[tracked.item.state]
        step = possible[which % len(possible)]
        if step == "refuse" or step == "wait" or step == "close":  # noqa: PLR1714 - mypy narrows so
            self._answer(tracked, actor or tracked.item.recipient, step, "right", tell=which == 0)
        elif step == "withdraw":
            self.take_back(number, actor, "right", wants=True)
        else:
            self._decide(tracked, actor or tracked.item.holder or "second", step, "right")

    @rule(
        number=picks,
        gate=st.sampled_from(("anna", "boris", "no contact")),
        tries=st.sampled_from(("accept", "refuse", "wait", "offer")),
    )
    def close_and_try(
        self, number: int, gate: str, tries: Literal["accept", "refuse", "wait", "offer"]
    ) -> None:
        """A gate closes just before somebody would go through, and perhaps stays closed for long."""
        tracked = self.pick(number)
        if tracked is None:
            return
        for _ in range(8):
            if tracked.item.state != "offered":
                self._go_on(number, tracked)
        if tracked.item.state not in {"approved", "offered"}:
            return
        if gate == "no contact":
            self.forbid(no_contact=True)
        else:
            self.consent(gate, None, "paused")
        if tries == "offer" or tracked.item.state == "approved":
            self._offer(tracked, "first", "right", early=False)
        else:
            self._answer(tracked, tracked.item.recipient, tries, "right", tell=True)
        self.forbid(no_contact=False)
        if gate != "no contact":
            self.consent(gate, None, "active")

    def _review(self, tracked: TrackedMessage) -> None:
        assert tracked.item.holder is not None
        if tracked.item.kind == "video" and tracked.item.captions is None:
            self.except_captions(self.tracked.index(tracked), None, "right")
        else:
            self._decide(tracked, tracked.item.holder, "approve", "right")
