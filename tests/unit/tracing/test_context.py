"""What is taken over of a caller's trace: two identifiers and a flag, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tracing import context
from relay.tracing.context import TraceContext

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("traceparent", "is_sampled"),
    [
        (GOOD, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-fe", False),
        (f"01-{TRACE}-{SPAN}-01-more", True),
        (f"fe-{TRACE}-{SPAN}-01", True),
    ],
)
def test_it_is_read_and_written_anew(traceparent: str, is_sampled: bool) -> None:  # noqa: FBT001
    """Also of a later version; nothing is left of that, of other flags, or of what follows."""
    found = context.parse(traceparent)
    assert found == TraceContext(TRACE, SPAN, is_sampled)
    assert str(found) == f"00-{TRACE}-{SPAN}-{'01' if is_sampled else '00'}"


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "00",
        GOOD.upper(),
        f"00-{TRACE.upper()}-{SPAN}-01",
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\n",
        f"{GOOD}-more",
        f"{GOOD}{'0' * 1_000_000}",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00_{TRACE}_{SPAN}_01",
        "00-" + "\u0660" * 32 + f"-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01;drop table jobs",
    ],
)
def test_what_is_none_is_not_read(hostile: str) -> None:
    """Too long, too short, upper case, zeros, digits of other scripts, a version that is none."""
    assert context.parse(hostile) is None


@given(st.text(alphabet="0123456789abcdefABCDEF-\n é", max_size=80))
def test_whatever_is_read_is_55_characters(text: str) -> None:
    """And is read as the same again."""
    found = context.parse(text)
    if found is not None:
        assert len(str(found)) == 55
        assert context.parse(str(found)) == found


def test_several_headers_are_none() -> None:
    """Which of them counts would be a guess."""
    assert context.given([GOOD]) is not None
    assert context.given([GOOD, GOOD]) is None
    assert context.given([]) is None
