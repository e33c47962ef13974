"""The log's chain of hashes: what happened stays what happened."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto.audit import GENESIS, ChainedRow, EventRow, event_hash, row_bytes, verify_chain

CASE = uuid.UUID(int=1)
NOW = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
rows_of_events = st.builds(
    EventRow,
    case=st.just(CASE),
    seq=st.just(1),
    at=st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-5))])),
    kind=st.sampled_from(["message.queued", "message.offered"]),
    message=st.none() | st.uuids(),
    actor=st.sampled_from(["mediator:1", "participant:2"]),
    statement=st.none() | st.binary(min_size=32, max_size=32),
)


def chained(events: list[EventRow]) -> list[ChainedRow]:
    """The events as the rows of one case."""
    rows, prev = [], GENESIS
    for seq, event in enumerate(events, start=1):
        row = dataclasses.replace(event, seq=seq)
        own = event_hash(prev, row)
        rows.append(ChainedRow(row=row, prev=prev, hash=own))
        prev = own
    return rows


def test_the_bytes_of_a_row() -> None:
    """A label, then case, number, time, kind, message, actor and statement, one per line."""
    row = EventRow(
        case=CASE,
        seq=12,
        at=dt.datetime(2030, 1, 1, 7, 0, 0, 50, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
        kind="message.queued",
        message=None,
        actor="participant:2",
        statement=bytes(32),
    )
    assert row_bytes(row) == (
        b"relay/v1/event\n00000000-0000-0000-0000-000000000001\n12\n2030-01-01T12:00:00.000050Z\n"
        b"message.queued\n-\nparticipant:2\n" + b"A" * 43
    )


@given(st.lists(rows_of_events, max_size=5))
def test_an_untouched_log_verifies(events: list[EventRow]) -> None:
    """Rows as they were written have no first bad row."""
    assert verify_chain(chained(events)) is None


@given(st.lists(rows_of_events, min_size=2, max_size=6), rows_of_events, st.data())
def test_altered_missing_and_moved_rows_are_found(
    events: list[EventRow], other: EventRow, draw: st.DataObject
) -> None:
    """Changing a row, leaving one out, or exchanging two is found, at the first row that is wrong."""
    rows = chained(events)
    place = draw.draw(st.integers(min_value=0, max_value=len(rows) - 2))
    changed = dataclasses.replace(other, seq=place + 1)
    if changed != rows[place].row:
        altered = [*rows]
        altered[place] = dataclasses.replace(rows[place], row=changed)
        assert verify_chain(altered) == altered[place]
    assert verify_chain(rows[:place] + rows[place + 1 :]) == rows[place + 1]
    swapped = [*rows]
    swapped[place], swapped[place + 1] = rows[place + 1], rows[place]
    assert verify_chain(swapped) == rows[place + 1]


def test_a_rewritten_row_breaks_the_next() -> None:
    """Anyone who alters a row and its hash must alter all later ones too."""
    event = EventRow(
        case=CASE,
        seq=1,
        at=NOW,
        kind="a",
        message=None,
        actor="b",
        statement=None,
    )
    first, second = chained([event, event])
    row = dataclasses.replace(first.row, kind="c")
    rewritten = ChainedRow(row=row, prev=GENESIS, hash=event_hash(GENESIS, row))
    assert verify_chain([rewritten, second]) == second


def test_rows_of_another_case_do_not_belong() -> None:
    """A log is of one case; a row of another is out of place whatever its hash."""
    event = EventRow(
        case=CASE,
        seq=1,
        at=NOW,
        kind="a",
        message=None,
        actor="b",
        statement=None,
    )
    first, second = chained([event, dataclasses.replace(event, case=uuid.UUID(int=2))])
    assert verify_chain([first, second]) == second


def test_fields_that_would_blur_rows_are_refused() -> None:
    """A line feed in a field, a number below 1, and a time without an offset make no row."""
    row = EventRow(case=CASE, seq=1, at=NOW, kind="a", message=None, actor="b", statement=None)
    for bad in (
        dataclasses.replace(row, kind="a\nb"),
        dataclasses.replace(row, actor="a\nb"),
        dataclasses.replace(row, seq=0),
        dataclasses.replace(row, at=NOW.replace(tzinfo=None)),
    ):
        with pytest.raises(ValueError, match="row"):
            row_bytes(bad)
