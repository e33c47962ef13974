"""What somebody may do to a message now: the transition table, applied to who asks and to the facts.

Services ask here and nowhere else, and so does what the API shows as `allowed_actions`.
"""

from __future__ import annotations

import dataclasses
import functools
import uuid
from enum import Enum, auto
from typing import Final, Self

from relay.domain.cases import CaseClosed
from relay.domain.gates import NOT_ASKED, GateFacts, is_open, require_open
from relay.domain.messages import (
    ApprovedAlready,
    Kind,
    LeaseTaken,
    NotAvailableNow,
    SenderUnverified,
)
from relay.domain.transitions import (
    BY_EVENT_AND_SOURCE,
    Event,
    Mover,
    State,
    Transition,
    WrongState,
)
from relay.domain.views import RecipientView, recipient_view
from relay.errors import Forbidden, RelayError

PASSES_GATES: Final = {Mover.MEDIATOR, Mover.RECIPIENT}
"""Who is asked for gates; the facts of others need none."""

_NOTHING_TO_ANSWER: Final = {None, RecipientView.NOT_AVAILABLE}


class Holder(Enum):
    """Who holds the lease on a message, for the mediator who asks."""

    NOBODY = auto()
    """There is none, or it ran out."""
    SELF = auto()
    ANOTHER = auto()

    @classmethod
    def of(
        cls, lease_holder: uuid.UUID | None, mediator_id: uuid.UUID | None, *, is_over: bool
    ) -> Self:
        """Who holds a lease, for this mediator or for somebody else."""
        if lease_holder is None or is_over:
            return cls.NOBODY
        return cls.SELF if lease_holder == mediator_id else cls.ANOTHER


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a transition depends on besides the state, read in the same transaction."""

    kind: Kind
    revision: int
    withdrawal_asked: bool
    case_closed: bool = False
    holder: Holder = Holder.NOBODY
    gates: GateFacts = NOT_ASKED


def transition(state: State, event: Event, by: Mover, facts: Facts) -> Transition:
    """The transition that `event` makes now if `by` does it; refused where there is none for them.

    A mediator is a `Mover.MEDIATOR` whether they hold the lease or not. An approval after which the case asks
    for another one is another transition than the last.
    """
    if by is Mover.MEDIATOR and state is State.CLAIMED and facts.holder is Holder.NOBODY:
        state = State.QUEUED
    if by is Mover.RECIPIENT:
        # The gates by name are for mediators: to a recipient they would tell of the other person.
        view = recipient_view(state, gates_open=is_open(facts.gates))
        if view in _NOTHING_TO_ANSWER:
            raise NotAvailableNow
    found = BY_EVENT_AND_SOURCE.get((event, state))
    if (
        found is None
        or found.only not in {None, facts.kind}
        or (found.target is None and facts.revision > 1)
        or (event is Event.LAPSE and facts.holder is not Holder.NOBODY)
        or (event is Event.WITHDRAW and facts.withdrawal_asked)
    ):
        raise WrongState(f"{event} from {state}")
    _require_mover(found, by, facts)
    _require_case(found, facts)
    if event is Event.APPROVE:
        if facts.gates.has_approved:
            raise ApprovedAlready
        if facts.gates.approvals + 1 < facts.gates.approvals_needed:
            return BY_EVENT_AND_SOURCE[Event.APPROVE_FIRST, state]
    return found


def _require_mover(found: Transition, by: Mover, facts: Facts) -> None:
    if by is Mover.MEDIATOR and found.mover is Mover.REVIEWER:
        if facts.holder is not Holder.SELF:
            raise LeaseTaken
    elif found.mover is not by and not (found.on_behalf and by is Mover.MEDIATOR):
        raise Forbidden(f"{found.event} is for the {found.mover}")


def _require_case(found: Transition, facts: Facts) -> None:
    if found.in_open_case and facts.case_closed:
        raise CaseClosed
    if found.known_sender and not facts.gates.sender_verified:
        raise SenderUnverified
    if found.gated:
        require_open(facts.gates)


@functools.lru_cache(maxsize=1024)  # lists ask for the same few again and again
def allowed_actions(state: State, by: Mover, facts: Facts) -> tuple[Event, ...]:
    """What somebody may ask for now, in the order of the events."""
    return tuple(
        event
        for event in Event
        if event is not Event.APPROVE_FIRST and _is_allowed(state, event, by, facts)
    )


def _is_allowed(state: State, event: Event, by: Mover, facts: Facts) -> bool:
    try:
        transition(state, event, by, facts)
    except RelayError:
        return False
    return True
