"""Which range of a part was asked for (RFC 9110)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.parts import ByteRange, requested_range
from relay.domain.uploads import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=99-", 99, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-1000", 0, 100),
        ("bytes= 5-6 ", 5, 7),
        ("Bytes=5-6", 5, 7),
    ],
)
def test_a_single_range_is_understood(header: str, start: int, stop: int) -> None:
    """Open at either end, and cut at the end of the part."""
    assert requested_range(header, 100) == ByteRange(start=start, stop=stop)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "items=0-1",
        "bytes=0-1 5",
        "bytes=1-2-3",
        "bytes=٣-٤",
        "bytes=+1-2",
        "bytes=0x1-0x2",
    ],
)
def test_anything_else_is_passed_over(header: str | None) -> None:
    """A malformed range, several or another unit: the whole part is sent, as the RFC wants it."""
    assert requested_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=5000-6000"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    """416, and no byte."""
    with pytest.raises(RangeNotSatisfiable):
        requested_range(header, 100)


@given(header=st.one_of(st.text(), st.from_regex(r"bytes=\d{0,5}-\d{0,5}")), size=st.integers(1))
def test_a_range_always_lies_inside_the_part(header: str, size: int) -> None:
    """Whatever is asked for, no byte outside the part is named, and never none."""
    try:
        asked = requested_range(header, size)
    except RangeNotSatisfiable:
        return
    assert asked is None or 0 <= asked.start < asked.stop <= size
