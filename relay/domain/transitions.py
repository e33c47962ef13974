"""The life of a message: all transitions are in one table, and nothing else assigns a state.

The table drives the services, is mirrored by a table in the schema that refuses every other update,
and the diagram in docs/architecture.md is drawn from it.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Final

from relay.errors import Conflict


class State(StrEnum):
    """Where a message stands; only mediators and the relay see this, participants see a view of it."""

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


class Act(StrEnum):
    """What is done to a message."""

    SUBMIT_LETTER = "submit letter"
    SUBMIT_VIDEO = "submit video"
    REVISE = "revise"
    DISCARD = "discard"
    WITHDRAW = "withdraw"
    FINISH_PROCESSING = "finish processing"
    FAIL_PROCESSING = "fail processing"
    RETRY = "retry"
    LEASE = "lease"
    LET_GO = "let go"
    LAPSE = "lapse"
    APPROVE_FIRST = "approve first"
    """An approval after which the case asks for another one, by somebody else."""
    APPROVE = "approve"
    """The last approval that the case asks for."""
    RETURN = "return"
    DECLINE = "decline"
    HOLD = "hold"
    RESUME = "resume"
    REOPEN = "reopen"
    OFFER = "offer"
    RETRACT = "retract"
    ACCEPT = "accept"
    WAIT = "wait"
    REFUSE = "refuse"
    OPEN = "open"
    RECALL = "recall"
    CLOSE = "close"
    EXPIRE = "expire"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One row of the table: `mover` does `act` to a message in `source`, which is then in `target`.

    `target` None means that the message is gone. `gated` transitions are made only while every gate is open.
    """

    act: Act
    mover: Mover
    source: State
    target: State | None
    gated: bool = False


class WrongState(Conflict):
    """The message has moved on since you last saw it. Load it again and look before you retry."""

    code = "wrong-state"
    french = (
        "Le message a changé d'état depuis que vous l'avez vu. "
        "Rechargez-le et vérifiez avant de réessayer."
    )


BEFORE_RELEASE: Final = (
    State.DRAFT,
    State.PROCESSING,
    State.FAILED,
    State.QUEUED,
    State.CLAIMED,
    State.HELD,
    State.RETURNED,
    State.APPROVED,
    State.OFFERED,
)
"""The sender may withdraw from each of these."""

ENDED: Final = (
    State.DECLINED,
    State.REFUSED,
    State.WITHDRAWN,
    State.RECALLED,
    State.EXPIRED,
    State.CLOSED,
)
"""No transition leads out of these."""


def _transition(
    act: Act, mover: Mover, source: State, target: State | None, *, gated: bool = False
) -> Transition:
    return Transition(act=act, mover=mover, source=source, target=target, gated=gated)


TRANSITIONS: Final[tuple[Transition, ...]] = (
    _transition(Act.SUBMIT_LETTER, Mover.SENDER, State.DRAFT, State.QUEUED),
    _transition(Act.SUBMIT_VIDEO, Mover.SENDER, State.DRAFT, State.PROCESSING),
    _transition(Act.DISCARD, Mover.SENDER, State.DRAFT, None),
    _transition(Act.FINISH_PROCESSING, Mover.WORKER, State.PROCESSING, State.QUEUED),
    _transition(Act.FAIL_PROCESSING, Mover.WORKER, State.PROCESSING, State.FAILED),
    _transition(Act.RETRY, Mover.MEDIATOR, State.FAILED, State.PROCESSING),
    _transition(Act.REVISE, Mover.SENDER, State.FAILED, State.DRAFT),
    _transition(Act.REVISE, Mover.SENDER, State.RETURNED, State.DRAFT),
    _transition(Act.LEASE, Mover.MEDIATOR, State.QUEUED, State.CLAIMED),
    _transition(Act.LET_GO, Mover.REVIEWER, State.CLAIMED, State.QUEUED),
    _transition(Act.LAPSE, Mover.CLOCK, State.CLAIMED, State.QUEUED),
    _transition(Act.APPROVE_FIRST, Mover.REVIEWER, State.CLAIMED, State.QUEUED),
    _transition(Act.APPROVE, Mover.REVIEWER, State.CLAIMED, State.APPROVED),
    _transition(Act.RETURN, Mover.REVIEWER, State.CLAIMED, State.RETURNED),
    _transition(Act.DECLINE, Mover.REVIEWER, State.CLAIMED, State.DECLINED),
    _transition(Act.HOLD, Mover.REVIEWER, State.CLAIMED, State.HELD),
    _transition(Act.RESUME, Mover.MEDIATOR, State.HELD, State.QUEUED),
    _transition(Act.DECLINE, Mover.MEDIATOR, State.HELD, State.DECLINED),
    _transition(Act.REOPEN, Mover.MEDIATOR, State.APPROVED, State.QUEUED),
    _transition(Act.OFFER, Mover.MEDIATOR, State.APPROVED, State.OFFERED, gated=True),
    _transition(Act.RETRACT, Mover.MEDIATOR, State.OFFERED, State.APPROVED),
    _transition(Act.ACCEPT, Mover.RECIPIENT, State.OFFERED, State.RELEASED, gated=True),
    _transition(Act.WAIT, Mover.RECIPIENT, State.OFFERED, State.OFFERED),
    _transition(Act.REFUSE, Mover.RECIPIENT, State.OFFERED, State.REFUSED),
    _transition(Act.OPEN, Mover.RECIPIENT, State.RELEASED, State.VIEWED),
    _transition(Act.OPEN, Mover.RECIPIENT, State.VIEWED, State.VIEWED),
    _transition(Act.RECALL, Mover.MEDIATOR, State.RELEASED, State.RECALLED),
    _transition(Act.CLOSE, Mover.RECIPIENT, State.VIEWED, State.CLOSED),
    *(
        _transition(Act.WITHDRAW, Mover.SENDER, source, State.WITHDRAWN)
        for source in BEFORE_RELEASE
    ),
    *(
        _transition(Act.EXPIRE, Mover.CLOCK, source, State.EXPIRED)
        for source in (State.DRAFT, State.FAILED, State.RETURNED)
    ),
)

_BY_ACT_AND_SOURCE: Final = {
    (transition.act, transition.source): transition for transition in TRANSITIONS
}


def find_transition(act: Act, source: State) -> Transition:
    """The transition that `act` makes from `source`; where the table has none, WrongState."""
    transition = _BY_ACT_AND_SOURCE.get((act, source))
    if transition is None:
        raise WrongState(f"{act} from {source}")
    return transition


def moves_of(source: State) -> tuple[Transition, ...]:
    """Every transition out of `source`, in the order of the table."""
    return tuple(transition for transition in TRANSITIONS if transition.source is source)
