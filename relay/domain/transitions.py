"""The life of a message: all transitions are in one table, and nothing else assigns a state.

What follows from a transition is in the table, too. `allowed.py` applies it to who asks and to the
facts. Its mirror in the schema, which refuses every other update, and the diagram in docs/architecture.md are
written from it by `python docs/draw.py`.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Final, Literal

from relay.errors import Conflict


class State(StrEnum):
    """The state of a message; only mediators and the relay see this, participants see a view of it."""

    DRAFT = "draft"
    PROCESSING = "processing"
    FAILED = "failed"
    QUEUED = "queued"
    CLAIMED = "claimed"
    HELD = "held"
    RETURNED = "returned"
    APPROVED = "approved"
    OFFERED = "offered"
    RELEASED = "released"
    VIEWED = "viewed"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"
    EXPIRED = "expired"
    CLOSED = "closed"


class Mover(StrEnum):
    """Who may make a transition."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    MEDIATOR = "mediator"
    """Any mediator of the case."""
    REVIEWER = "reviewer"
    """The one mediator who holds the lease."""
    WORKER = "media worker"
    """The media worker that holds the lease of the job."""
    CLOCK = "clock"
    """Nobody: time passed."""


class Event(StrEnum):
    """What is done to a message: as the log and the API name it."""

    SUBMIT_LETTER = "submit-letter"
    SUBMIT_VIDEO = "submit-video"
    REVISE = "revise"
    DISCARD = "discard"
    WITHDRAW = "withdraw"
    FINISH_PROCESSING = "finish-processing"
    FAIL_PROCESSING = "fail-processing"
    RETRY = "retry"
    LEASE = "lease"
    """Also by the person who holds it already, for longer."""
    LET_GO = "let-go"
    LAPSE = "lapse"
    APPROVE_FIRST = "approve-first"
    """An approval after which the case asks for another one, by somebody else."""
    APPROVE = "approve"
    """The last approval that the case asks for."""
    CAPTION = "caption"
    """With captions, or with the reason why a video needs none."""
    RETURN = "return"
    DECLINE = "decline"
    HOLD = "hold"
    RESUME = "resume"
    REOPEN = "reopen"
    OFFER = "offer"
    GRANT_AGAIN = "grant-again"
    """An offer of what was released, to newer keys of its recipient."""
    RETRACT = "retract"
    ACCEPT = "accept"
    WAIT = "wait"
    REFUSE = "refuse"
    OPEN = "open"
    RECALL = "recall"
    CLOSE = "close"
    EXPIRE = "expire"


@dataclasses.dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: `mover` does `event` to a message in `source`, which is then in `target`."""

    event: Event
    mover: Mover
    source: State
    target: State | None
    """None: the message is gone."""
    _: dataclasses.KW_ONLY
    gated: bool = False
    """Only while every gate is open."""
    in_open_case: bool = False
    """Only while the case is not closed."""
    known_sender: bool = False
    """Only where it is known whose words these are."""
    only: Literal["letter", "video"] | None = None
    """Only with this kind of message."""
    on_behalf: bool = False
    """A mediator does it in the name of the sender, too, who told them to."""
    ends_grants: bool = False
    """The recipient's key opens nothing any more."""
    starts_waiting: bool = False
    """The time begins that somebody has waited for a review of this revision."""
    logged: bool = True
    """Every time under the name of the event; otherwise the service logs what there is to say of it."""


class WrongState(Conflict):
    """No transition for this event leads from the message's state."""

    code = "wrong-state"


_BEFORE_RELEASE: Final = tuple(State)[: tuple(State).index(State.RELEASED)]

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(
        Event.SUBMIT_LETTER,
        Mover.SENDER,
        State.DRAFT,
        State.QUEUED,
        only="letter",
        in_open_case=True,
        starts_waiting=True,
    ),
    Transition(
        Event.SUBMIT_VIDEO,
        Mover.SENDER,
        State.DRAFT,
        State.PROCESSING,
        only="video",
        in_open_case=True,
        starts_waiting=True,
    ),
    Transition(Event.DISCARD, Mover.SENDER, State.DRAFT, None),
    Transition(
        Event.FINISH_PROCESSING, Mover.WORKER, State.PROCESSING, State.QUEUED, starts_waiting=True
    ),
    Transition(Event.FAIL_PROCESSING, Mover.WORKER, State.PROCESSING, State.FAILED),
    Transition(Event.RETRY, Mover.MEDIATOR, State.FAILED, State.PROCESSING),
    Transition(Event.REVISE, Mover.SENDER, State.FAILED, State.DRAFT, in_open_case=True),
    Transition(Event.REVISE, Mover.SENDER, State.RETURNED, State.DRAFT, in_open_case=True),
    Transition(Event.LEASE, Mover.MEDIATOR, State.QUEUED, State.CLAIMED),
    Transition(Event.LEASE, Mover.REVIEWER, State.CLAIMED, State.CLAIMED, logged=False),
    Transition(Event.LET_GO, Mover.REVIEWER, State.CLAIMED, State.QUEUED),
    Transition(Event.LAPSE, Mover.CLOCK, State.CLAIMED, State.QUEUED),
    Transition(Event.APPROVE_FIRST, Mover.REVIEWER, State.CLAIMED, State.QUEUED, known_sender=True),
    Transition(Event.APPROVE, Mover.REVIEWER, State.CLAIMED, State.APPROVED, known_sender=True),
    Transition(
        Event.CAPTION, Mover.REVIEWER, State.CLAIMED, State.CLAIMED, only="video", logged=False
    ),
    Transition(Event.RETURN, Mover.REVIEWER, State.CLAIMED, State.RETURNED),
    Transition(Event.DECLINE, Mover.REVIEWER, State.CLAIMED, State.DECLINED),
    Transition(Event.HOLD, Mover.REVIEWER, State.CLAIMED, State.HELD),
    Transition(Event.RESUME, Mover.MEDIATOR, State.HELD, State.QUEUED),
    Transition(Event.DECLINE, Mover.MEDIATOR, State.HELD, State.DECLINED),
    Transition(Event.REOPEN, Mover.MEDIATOR, State.APPROVED, State.QUEUED),
    Transition(Event.OFFER, Mover.MEDIATOR, State.APPROVED, State.OFFERED, gated=True),
    Transition(Event.RETRACT, Mover.MEDIATOR, State.OFFERED, State.APPROVED, ends_grants=True),
    Transition(Event.ACCEPT, Mover.RECIPIENT, State.OFFERED, State.RELEASED, gated=True),
    Transition(Event.WAIT, Mover.RECIPIENT, State.OFFERED, State.OFFERED, gated=True),
    Transition(
        Event.REFUSE, Mover.RECIPIENT, State.OFFERED, State.REFUSED, gated=True, ends_grants=True
    ),
    Transition(Event.OPEN, Mover.RECIPIENT, State.RELEASED, State.VIEWED, gated=True),
    Transition(Event.OPEN, Mover.RECIPIENT, State.VIEWED, State.VIEWED, logged=False),
    *(
        Transition(Event.GRANT_AGAIN, Mover.MEDIATOR, source, source, gated=True, logged=False)
        for source in (State.RELEASED, State.VIEWED)
    ),
    Transition(Event.RECALL, Mover.MEDIATOR, State.RELEASED, State.RECALLED, ends_grants=True),
    Transition(Event.CLOSE, Mover.RECIPIENT, State.VIEWED, State.CLOSED, ends_grants=True),
    *(
        Transition(
            Event.WITHDRAW, Mover.SENDER, source, State.WITHDRAWN, on_behalf=True, ends_grants=True
        )
        for source in _BEFORE_RELEASE
    ),
    # Too late, and taken in all the same: a refusal would tell the sender what became of the message.
    *(
        Transition(Event.WITHDRAW, Mover.SENDER, source, source, on_behalf=True, logged=False)
        for source in (
            *(State.RELEASED, State.VIEWED, State.REFUSED),
            *(State.RECALLED, State.CLOSED),
        )
    ),
    *(
        Transition(Event.EXPIRE, Mover.CLOCK, source, State.EXPIRED)
        for source in (State.DRAFT, State.FAILED, State.RETURNED)
    ),
)

BY_EVENT_AND_SOURCE: Final = {
    (transition.event, transition.source): transition for transition in TRANSITIONS
}

RELEASED: Final = frozenset({State.RELEASED, State.VIEWED})
"""The recipient may read what was granted to them."""

ENDED: Final = tuple(
    state
    for state in State
    if all(transition.target is state for transition in TRANSITIONS if transition.source is state)
)
"""No transition leads out of these."""
