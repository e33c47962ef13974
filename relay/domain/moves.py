"""The life of a message: every legal move stands in one table, and nothing else assigns a state.

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
    """Who may make a move."""

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
class Move:
    """One row of the table: `mover` does `act` to a message in `source`, which is then in `target`.

    `target` None means that the message is gone. `gated` moves are made only while every gate is open.
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
"""Nothing moves a message out of these."""


def _move(
    act: Act, mover: Mover, source: State, target: State | None, *, gated: bool = False
) -> Move:
    return Move(act=act, mover=mover, source=source, target=target, gated=gated)


MOVES: Final[tuple[Move, ...]] = (
    _move(Act.SUBMIT_LETTER, Mover.SENDER, State.DRAFT, State.QUEUED),
    _move(Act.SUBMIT_VIDEO, Mover.SENDER, State.DRAFT, State.PROCESSING),
    _move(Act.DISCARD, Mover.SENDER, State.DRAFT, None),
    _move(Act.FINISH_PROCESSING, Mover.WORKER, State.PROCESSING, State.QUEUED),
    _move(Act.FAIL_PROCESSING, Mover.WORKER, State.PROCESSING, State.FAILED),
    _move(Act.RETRY, Mover.MEDIATOR, State.FAILED, State.PROCESSING),
    _move(Act.REVISE, Mover.SENDER, State.FAILED, State.DRAFT),
    _move(Act.REVISE, Mover.SENDER, State.RETURNED, State.DRAFT),
    _move(Act.LEASE, Mover.MEDIATOR, State.QUEUED, State.CLAIMED),
    _move(Act.LET_GO, Mover.REVIEWER, State.CLAIMED, State.QUEUED),
    _move(Act.LAPSE, Mover.CLOCK, State.CLAIMED, State.QUEUED),
    _move(Act.APPROVE_FIRST, Mover.REVIEWER, State.CLAIMED, State.QUEUED),
    _move(Act.APPROVE, Mover.REVIEWER, State.CLAIMED, State.APPROVED),
    _move(Act.RETURN, Mover.REVIEWER, State.CLAIMED, State.RETURNED),
    _move(Act.DECLINE, Mover.REVIEWER, State.CLAIMED, State.DECLINED),
    _move(Act.HOLD, Mover.REVIEWER, State.CLAIMED, State.HELD),
    _move(Act.RESUME, Mover.MEDIATOR, State.HELD, State.QUEUED),
    _move(Act.DECLINE, Mover.MEDIATOR, State.HELD, State.DECLINED),
    _move(Act.REOPEN, Mover.MEDIATOR, State.APPROVED, State.QUEUED),
    _move(Act.OFFER, Mover.MEDIATOR, State.APPROVED, State.OFFERED, gated=True),
    _move(Act.RETRACT, Mover.MEDIATOR, State.OFFERED, State.APPROVED),
    _move(Act.ACCEPT, Mover.RECIPIENT, State.OFFERED, State.RELEASED, gated=True),
    _move(Act.WAIT, Mover.RECIPIENT, State.OFFERED, State.OFFERED),
    _move(Act.REFUSE, Mover.RECIPIENT, State.OFFERED, State.REFUSED),
    _move(Act.OPEN, Mover.RECIPIENT, State.RELEASED, State.VIEWED),
    _move(Act.OPEN, Mover.RECIPIENT, State.VIEWED, State.VIEWED),
    _move(Act.RECALL, Mover.MEDIATOR, State.RELEASED, State.RECALLED),
    _move(Act.CLOSE, Mover.RECIPIENT, State.VIEWED, State.CLOSED),
    *(_move(Act.WITHDRAW, Mover.SENDER, source, State.WITHDRAWN) for source in BEFORE_RELEASE),
    *(
        _move(Act.EXPIRE, Mover.CLOCK, source, State.EXPIRED)
        for source in (State.DRAFT, State.FAILED, State.RETURNED)
    ),
)

_BY_ACT_AND_SOURCE: Final = {(move.act, move.source): move for move in MOVES}


def find_move(act: Act, source: State) -> Move:
    """The move that `act` makes from `source`; where the table has none, WrongState."""
    move = _BY_ACT_AND_SOURCE.get((act, source))
    if move is None:
        raise WrongState(f"{act} from {source}")
    return move


def moves_of(source: State) -> tuple[Move, ...]:
    """Every move out of `source`, in the order of the table."""
    return tuple(move for move in MOVES if move.source is source)
