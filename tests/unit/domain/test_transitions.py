"""The transition table, the gates and the views, each compared with what the product promises."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from relay.domain.diagram import with_diagram, with_rows
from relay.domain.gates import (
    NOT_ASKED,
    Gate,
    GateClosed,
    GateFacts,
    closed_gates,
    is_open,
    require_open,
)
from relay.domain.transitions import (
    ENDED,
    TRANSITIONS,
    Event,
    Mover,
    State,
)
from relay.domain.views import AuthorView, RecipientView, author_view, recipient_view

ROOT = Path(__file__).parents[3]
ARCHITECTURE = ROOT / "docs/architecture.md"
SCHEMA = ROOT / "relay/storage/migrations/0001_first_schema.sql"
BEFORE_RELEASE = (
    *(State.DRAFT, State.PROCESSING, State.FAILED, State.QUEUED, State.CLAIMED),
    *(State.HELD, State.RETURNED, State.APPROVED, State.OFFERED),
)
SECRET_FROM_AUTHORS = (
    State.APPROVED,
    State.OFFERED,
    State.RELEASED,
    State.VIEWED,
    State.REFUSED,
    State.RECALLED,
    State.CLOSED,
)
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


def test_the_diagram_in_the_documents_is_drawn_from_the_table() -> None:
    """Anyone who changes the table draws the picture again: `python docs/draw.py`."""
    document = ARCHITECTURE.read_text("utf-8")
    assert with_diagram(document) == document
    assert "offered --> released: accept ⚑ (recipient)" in document


def test_the_rows_in_the_schema_are_written_from_the_table() -> None:
    """Anyone who changes the table writes its mirror again, with the same command."""
    schema = SCHEMA.read_text("utf-8")
    assert with_rows(schema) == schema
    assert "('offered', 'released', true, false, true, false)" in schema
    assert with_rows(schema.replace("('draft', 'queued'", "('draft', 'offered'")) == schema


def test_each_act_leads_to_one_place_from_each_state() -> None:
    """The table is a function: no event has two targets from one state."""
    keys = [(transition.event, transition.source) for transition in TRANSITIONS]
    assert len(set(keys)) == len(keys)


def test_what_has_ended_does_not_move() -> None:
    """No event leads out of an ended state, and every other state leads to an end."""
    assert set(ENDED) == {
        *(State.DECLINED, State.REFUSED, State.WITHDRAWN),
        *(State.RECALLED, State.EXPIRED, State.CLOSED),
    }
    reached = set(ENDED)
    while more := {m.source for m in TRANSITIONS if m.target in reached} - reached:
        reached |= more
    assert reached == set(State)


def test_a_release_passes_review_offer_and_the_recipient() -> None:
    """Without a reviewer's approval, a mediator's offer or the recipient's yes, no way leads to `viewed`."""
    for missing in (Event.APPROVE, Event.OFFER, Event.ACCEPT):
        reached = {State.DRAFT}
        while (
            more := {
                m.target
                for m in TRANSITIONS
                if m.event is not missing and m.source in reached and m.target
            }
            - reached
        ):
            reached |= more
        assert State.RELEASED not in reached, missing
        assert State.VIEWED not in reached, missing


def test_only_the_recipient_accepts_and_only_behind_the_gates() -> None:
    """One transition leads into `released`, and one from outside into `offered`; both are gated."""
    [accept] = [
        m for m in TRANSITIONS if m.target is State.RELEASED and m.source is not State.RELEASED
    ]
    assert (accept.mover, accept.gated) == (Mover.RECIPIENT, True)
    [offer] = [
        m for m in TRANSITIONS if m.target is State.OFFERED and m.source is not State.OFFERED
    ]
    assert (offer.mover, offer.gated) == (Mover.MEDIATOR, True)


def test_the_sender_may_withdraw_until_release() -> None:
    """From every state before release; after it nothing moves, and they are not told so."""
    rows = [m for m in TRANSITIONS if m.event is Event.WITHDRAW]
    assert {m.source for m in rows if m.target is State.WITHDRAWN} == set(BEFORE_RELEASE)
    late = {m.source for m in rows if m.target is m.source}
    assert late == {state for state in State if state in SECRET_FROM_AUTHORS} - {
        *(State.APPROVED, State.OFFERED)
    }
    assert len(late) + len(BEFORE_RELEASE) == len(rows)


@pytest.mark.parametrize(
    ("facts", "gate"),
    [
        ({"sender_consents": False}, Gate.SENDER_CONSENT),
        ({"recipient_consents": False}, Gate.RECIPIENT_CONSENT),
        ({"no_contact": True}, Gate.NO_CONTACT),
        ({"case_closed": True}, Gate.CASE_CLOSED),
        ({"approvals": 0}, Gate.APPROVALS),
        ({"approvals_needed": 2}, Gate.APPROVALS),
        ({"recipient_key_verified": False}, Gate.RECIPIENT_KEY),
        ({"captions_settled": False}, Gate.CAPTIONS),
    ],
)
def test_each_gate_closes_alone_and_is_named(facts: dict[str, bool | int], gate: Gate) -> None:
    """One fact closes one gate, and the refusal names it."""
    closed = GateFacts(**{**{f: getattr(OPEN, f) for f in OPEN.__struct_fields__}, **facts})
    assert closed_gates(closed) == (gate,)
    with pytest.raises(GateClosed) as refused:
        require_open(closed)
    assert refused.value.members == {"gates": [gate]}
    assert closed_gates(OPEN) == ()


def test_nothing_passes_where_nobody_looked() -> None:
    """Facts that nobody asked for close every gate; an offer for later is closed to its recipient alone."""
    assert closed_gates(NOT_ASKED) == tuple(Gate)
    assert is_open(OPEN)
    for closed in (NOT_ASKED, msgspec.structs.replace(OPEN, is_early=True)):
        assert not is_open(closed)


def test_an_author_cannot_tell_waiting_from_refused_or_opened() -> None:
    """From approval on all reads the same, whether they withdrew or not, unless the recipient says so."""
    for asked in (False, True):
        shown = {
            author_view(state, withdrawal_asked=asked, tell_author=False)
            for state in SECRET_FROM_AUTHORS
        }
        assert len(shown) == 1
    assert author_view(State.WITHDRAWN, withdrawal_asked=True, tell_author=False) is (
        author_view(State.REFUSED, withdrawal_asked=True, tell_author=False)
    )


def test_a_recipient_may_let_the_author_know() -> None:
    """Accepted and not accepted show only by the recipient's choice; waiting never does."""
    told = {
        state: author_view(state, withdrawal_asked=False, tell_author=True)
        for state in SECRET_FROM_AUTHORS
    }
    assert told[State.REFUSED] is AuthorView.NOT_ACCEPTED
    assert told[State.RELEASED] is AuthorView.ACCEPTED
    assert told[State.OFFERED] is told[State.APPROVED] is AuthorView.WITH_MEDIATOR


def test_a_recipient_is_shown_nothing_that_was_not_offered() -> None:
    """Before the offer, after a withdrawal, and behind a closed gate there is nothing to see."""
    hidden = {State.DECLINED, State.RETURNED, State.HELD, State.WITHDRAWN, State.EXPIRED}
    for state in {*hidden, *BEFORE_RELEASE} - {State.OFFERED}:
        assert recipient_view(state, gates_open=True) is None
    assert recipient_view(State.OFFERED, gates_open=True) is RecipientView.WAITING
    assert recipient_view(State.OFFERED, gates_open=False) is None
