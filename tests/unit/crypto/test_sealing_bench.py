"""The bench of sealing runs, and its rows judge themselves."""

from __future__ import annotations

import msgspec
import pytest

from bench import sealing
from bench.rows import Row


async def test_sealing_and_opening_are_measured_against_both_peers() -> None:
    """Two things against two peers, with figures that make sense, whatever the machine is doing."""
    rows = [row async for row in sealing.rows(stream_bytes=4 * sealing.MIB, rounds=1)]
    assert [(row.name, row.peer) for row in rows] == [
        ("seal stream", sealing.SODIUM),
        ("seal stream", sealing.PYRAGE),
        ("open stream", sealing.SODIUM),
        ("open stream", sealing.PYRAGE),
    ]
    assert all(row.value > 0 and row.ratio > 0 for row in rows)


@pytest.mark.parametrize(
    ("ratio", "better", "holds"),
    [(1.1, "lower", True), (1.2, "lower", False), (1.2, "higher", True), (1.0, "higher", False)],
)
def test_a_row_knows_on_which_side_of_its_bar_it_is(
    ratio: float,
    better: str,
    holds: bool,  # noqa: FBT001 - what is expected
) -> None:
    """Lower is better for time, higher for speed."""
    row = msgspec.convert(
        {
            "name": "a",
            "value": 1.0,
            "unit": "s",
            "peer": "b",
            "ratio": ratio,
            "bar": 1.15,
            "better": better,
        },
        Row,
    )
    assert row.holds is holds
