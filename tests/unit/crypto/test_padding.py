"""Padding hides how long a text is, and comes off only if it is exactly what was put on."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.crypto.errors import PaddingError
from relay.crypto.padding import SMALLEST_BYTES, pad, padded_size, unpad


@given(st.binary(max_size=5000))
@example(b"")
@example(b"\x80")
@example(b"\x80\0\0")
@example(b"\0" * 255)
def test_padding_comes_off(plain: bytes) -> None:
    """Any bytes come back, also those that look like padding."""
    padded = pad(plain)
    assert len(padded) == padded_size(len(plain)) > len(plain)
    assert unpad(padded) == plain


@given(st.integers(min_value=0, max_value=2**40))
def test_sizes_are_few_and_little_is_added(plain: int) -> None:
    """A size has few significant bits, grows with the text, and adds at most 12 % beyond the smallest."""
    size = padded_size(plain)
    assert size >= SMALLEST_BYTES
    assert size <= max(SMALLEST_BYTES, (plain + 1) * 1.12)
    exponent = size.bit_length() - 1
    assert size % (1 << (exponent - exponent.bit_length())) == 0
    assert padded_size(plain + 1) >= size


def test_short_answers_look_the_same() -> None:
    """Nothing is told from the size of a text of up to 255 bytes."""
    assert {padded_size(plain) for plain in range(256)} == {SMALLEST_BYTES}


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x80",
        bytes(SMALLEST_BYTES),
        b"text" + bytes(SMALLEST_BYTES - 4),
        b"text\x80" + bytes(SMALLEST_BYTES - 4),
        b"text\x80" + bytes(SMALLEST_BYTES - 6) + b"\x01",
        b"text\x80" + bytes(2 * SMALLEST_BYTES - 5),
    ],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    """Missing marks, something after the mark, and a size that pad would not choose are refused."""
    with pytest.raises(PaddingError):
        unpad(padded)
