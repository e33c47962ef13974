"""Who may do what: over every state, event, caller, holder of the lease and gate."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
import pytest

from relay.domain.allowed import Facts, Holder, allowed_actions, transition
from relay.domain.gates import Gate, GateClosed, GateFacts, closed_gates
from relay.domain.messages import (
    ApprovedAlready,
    Kind,
    LeaseTaken,
    NotAvailableNow,
    SenderUnverified,
)
from relay.domain.transitions import TRANSITIONS, Event, Mover, State, Transition, WrongState
from relay.domain.views import AuthorView, author_view, recipient_view
from relay.errors import Forbidden, RelayError

OPEN = GateFacts(
    sender_verified=True,
    sender_consents=True,
    recipient_consents=True,
    no_contact=False,
    case_closed=False,
    approvals=1,
    approvals_needed=1,
    recipient_key_verified=True,
    captions_settled=True,
    is_early=False,
)
GATES = [
    OPEN,
    *(
        msgspec.structs.replace(OPEN, **{name: not getattr(OPEN, name)})
        for name in GateFacts.__struct_fields__
        if isinstance(getattr(OPEN, name), bool)
    ),
    msgspec.structs.replace(OPEN, approvals=0),
    msgspec.structs.replace(OPEN, approvals=0, approvals_needed=2),
]
"""All open, and each of them closed alone."""
WITH_RECIPIENT = {State.OFFERED, State.RELEASED, State.VIEWED}
CALLERS = [Mover.SENDER, Mover.RECIPIENT, Mover.MEDIATOR, Mover.WORKER, Mover.CLOCK]


def facts_of(**some: object) -> Facts:
    """A letter that nobody holds and nothing is in the way of, but for what is given."""
    usual = {"kind": Kind.LETTER, "revision": 1, "withdrawal_asked": False, "gates": OPEN}
    return Facts(**{**usual, **some})  # type: ignore[arg-type]  # as the test writes them


def all_facts() -> Iterator[Facts]:
    """Every holder with every gate, and with every kind, revision and withdrawal."""
    for holder, gates in itertools.product(Holder, GATES):
        yield facts_of(holder=holder, gates=gates)
    for holder, kind, revision, asked in itertools.product(Holder, Kind, (1, 2), (False, True)):
        yield facts_of(holder=holder, kind=kind, revision=revision, withdrawal_asked=asked)


def is_hidden(state: State, facts: Facts) -> bool:
    """Whether there is nothing for the recipient, or nothing now."""
    never = set(State) - {*(State.REFUSED, State.CLOSED), *WITH_RECIPIENT}
    until_open = WITH_RECIPIENT - {State.VIEWED}
    is_closed = bool(closed_gates(facts.gates)) or facts.gates.is_early
    return state in never or (state in until_open and is_closed)


def reasons_against(row: Transition, by: Mover, facts: Facts) -> set[type[RelayError]]:
    """Every reason to refuse what the table has, each rule for itself."""
    event, gates = row.event, facts.gates
    reviews, mediates = row.mover is Mover.REVIEWER, by is Mover.MEDIATOR
    movers = {Mover.MEDIATOR if reviews else row.mover}
    if event is Event.WITHDRAW:
        movers.add(Mover.MEDIATOR)
    rules: list[tuple[bool, type[RelayError]]] = [
        (row.only not in {None, facts.kind}, WrongState),
        (event is Event.DISCARD and facts.revision == 2, WrongState),
        (event is Event.WITHDRAW and facts.withdrawal_asked, WrongState),
        (event is Event.LAPSE and facts.holder is not Holder.NOBODY, WrongState),
        (reviews and mediates and facts.holder is Holder.ANOTHER, LeaseTaken),
        (by not in movers, Forbidden),
        (row.known_sender and not gates.sender_verified, SenderUnverified),
        (row.gated and bool(closed_gates(gates)), GateClosed),
        (event is Event.APPROVE and gates.has_approved, ApprovedAlready),
    ]
    return {refusal for applies, refusal in rules if applies}


def expected(
    state: State, event: Event, by: Mover, facts: Facts
) -> Transition | set[type[RelayError]]:
    """The row of the table, or every refusal that there is a reason for."""
    if by is Mover.RECIPIENT and is_hidden(state, facts):
        return {NotAvailableNow}
    if by is Mover.MEDIATOR and state is State.CLAIMED and facts.holder is Holder.NOBODY:
        state = State.QUEUED
    rows = {row.event: row for row in TRANSITIONS if row.source is state}
    if event not in rows:
        return {WrongState}
    reasons = reasons_against(rows[event], by, facts)
    if reasons:
        return reasons
    is_first = facts.gates.approvals + 1 < facts.gates.approvals_needed
    return rows[Event.APPROVE_FIRST if event is Event.APPROVE and is_first else event]


@pytest.mark.parametrize("by", CALLERS)
def test_the_table_decides_and_what_is_shown_as_allowed_is_what_is_done(by: Mover) -> None:
    """In every combination: the row of the table, or a refusal for a reason that there is."""
    made = 0
    for state, facts in itertools.product(State, all_facts()):
        allowed = allowed_actions(state, by, facts)
        assert Event.APPROVE_FIRST not in allowed
        for event in Event:
            outcome = expected(state, event, by, facts)
            refusal: type[RelayError] | None = None
            row = None
            try:
                row = transition(state, event, by, facts)
            except RelayError as error:
                refusal = type(error)
            case = (state, event, facts, refusal)
            if isinstance(outcome, Transition):
                assert row == outcome, case
                made += 1
            else:
                assert refusal in outcome, case
            if event is not Event.APPROVE_FIRST:
                assert (event in allowed) == isinstance(outcome, Transition), case
    assert made


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("revision", [1, 2])
def test_an_author_learns_nothing_from_what_is_allowed(kind: Kind, revision: int) -> None:
    """Whatever the state: what reads the same allows the same, also where the recipient let them know."""
    for asked, told in itertools.product((False, True), repeat=2):
        seen: dict[AuthorView, set[tuple[Event, ...]]] = {}
        for state in State:
            for holder, gates in itertools.product(Holder, GATES):
                facts = facts_of(
                    kind=kind, revision=revision, withdrawal_asked=asked, holder=holder, gates=gates
                )
                view = author_view(state, withdrawal_asked=asked, tell_author=told)
                if asked and state in {State.DRAFT, State.FAILED, State.RETURNED}:
                    continue  # it is `withdrawn` with the wish
                allowed = allowed_actions(state, Mover.SENDER, facts)
                seen.setdefault(view, set()).add(tuple(allowed))
        assert all(len(allowed) == 1 for allowed in seen.values()), seen
        assert seen[AuthorView.CLOSED] == {()}
        if not asked:
            assert seen[AuthorView.WITH_MEDIATOR] == {(Event.WITHDRAW,)}


def test_a_recipient_learns_nothing_from_what_is_allowed() -> None:
    """What they may do follows from the view that they have: a closed gate is not told from a recall."""
    seen: dict[object, set[tuple[Event, ...]]] = {}
    for state, facts in itertools.product(State, all_facts()):
        gates_open = not closed_gates(facts.gates) and not facts.gates.is_early
        view = recipient_view(state, gates_open=gates_open)
        seen.setdefault(view, set()).add(tuple(allowed_actions(state, Mover.RECIPIENT, facts)))
    assert {str(view): allowed for view, allowed in seen.items()} == {
        "None": {()},
        "waiting": {(Event.ACCEPT, Event.WAIT, Event.REFUSE)},
        "to-open": {(Event.OPEN,)},
        "opened": {(Event.OPEN, Event.CLOSE)},
        "not-accepted": {()},
        "not-available": {()},
        "closed": {()},
    }


def test_no_refusal_names_a_gate_to_a_recipient() -> None:
    """The names of closed gates tell of the other person: only mediators are given them."""
    for event, facts in itertools.product((Event.ACCEPT, Event.WAIT, Event.REFUSE), all_facts()):
        if closed_gates(facts.gates):
            with pytest.raises(NotAvailableNow):
                transition(State.OFFERED, event, Mover.RECIPIENT, facts)
    closed = msgspec.structs.replace(OPEN, no_contact=True)
    with pytest.raises(GateClosed) as refused:
        transition(
            State.APPROVED,
            Event.OFFER,
            Mover.MEDIATOR,
            facts_of(gates=closed),
        )
    assert refused.value.members == {"gates": [Gate.NO_CONTACT]}
