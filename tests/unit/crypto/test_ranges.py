"""Any range of a sealed body opens alone, from the chunks that cover it and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto.age import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    RangeOpener,
    Span,
    seal_body,
)
from relay.crypto.errors import PayloadError

KEY = bytes(range(16))
sizes = st.sampled_from([1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]) | st.integers(
    min_value=1, max_value=4 * CHUNK_BYTES
)


def content(size: int) -> bytes:
    """Bytes in which every chunk is different."""
    return b"".join(number.to_bytes(8, "big") for number in range(size // 8 + 1))[:size]


@given(sizes, st.data())
def test_every_range_is_the_slice(size: int, draw: st.DataObject) -> None:
    """Plaintext [start, stop) comes from the named bytes alone, and these are whole chunks."""
    plain = content(size)
    body = seal_body(KEY, plain)
    start = draw.draw(st.integers(min_value=0, max_value=size - 1))
    stop = draw.draw(st.integers(min_value=start + 1, max_value=size))
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    span = opener.needed(start, stop)
    assert opener.size == size
    assert (span.start - NONCE_BYTES) % SEALED_CHUNK_BYTES == 0
    assert span.stop - span.start < stop - start + 2 * SEALED_CHUNK_BYTES + 64
    assert opener.open(start, stop, body[span.start : span.stop]) == plain[start:stop]


@given(sizes, st.data())
def test_an_altered_range_does_not_open(size: int, draw: st.DataObject) -> None:
    """A flipped bit anywhere in the needed bytes is noticed, also outside the asked range."""
    body = seal_body(KEY, content(size))
    start = draw.draw(st.integers(min_value=0, max_value=size - 1))
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    span = opener.needed(start, size)
    sealed = bytearray(body[span.start : span.stop])
    sealed[draw.draw(st.integers(min_value=0, max_value=len(sealed) - 1))] ^= 1
    with pytest.raises(PayloadError):
        opener.open(start, size, sealed)


def test_a_chunk_from_elsewhere_does_not_open() -> None:
    """The right number of authentic bytes from another place of the same body is refused."""
    body = seal_body(KEY, content(3 * CHUNK_BYTES))
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    second = opener.needed(CHUNK_BYTES, 2 * CHUNK_BYTES)
    with pytest.raises(PayloadError):
        opener.open(0, CHUNK_BYTES, body[second.start : second.stop])


def test_a_body_cut_at_a_chunk_is_noticed_at_its_end() -> None:
    """Anyone who passes off a shorter body cannot make the last chunk of it."""
    body = seal_body(KEY, content(3 * CHUNK_BYTES))
    shorter = body[: NONCE_BYTES + 2 * SEALED_CHUNK_BYTES]
    opener = RangeOpener(KEY, shorter[:NONCE_BYTES], len(shorter))
    span = opener.needed(CHUNK_BYTES, 2 * CHUNK_BYTES)
    with pytest.raises(PayloadError):
        opener.open(CHUNK_BYTES, 2 * CHUNK_BYTES, shorter[span.start : span.stop])


def test_an_empty_body_is_verified_too() -> None:
    """An empty plaintext has a chunk, which (0, 0) reads and checks."""
    body = seal_body(KEY, b"")
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    assert opener.needed(0, 0) == Span(16, 32)
    assert opener.open(0, 0, body[16:]) == b""
    with pytest.raises(PayloadError):
        opener.open(0, 0, bytes(16))


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (0, 0), (5, 5), (6, 5), (0, 11), (10, 11)])
def test_ranges_outside_the_plaintext_are_a_mistake(start: int, stop: int) -> None:
    """Empty, reversed and overlong ranges are refused before anything is read."""
    body = seal_body(KEY, content(10))
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    with pytest.raises(ValueError, match="range"):
        opener.needed(start, stop)


def test_wrong_sizes_are_refused() -> None:
    """A size that no body has, a short nonce, and too few or too many bytes do not open."""
    body = seal_body(KEY, content(10))
    with pytest.raises(PayloadError):
        RangeOpener(KEY, body[:NONCE_BYTES], 31)
    with pytest.raises(PayloadError):
        RangeOpener(KEY, body[:8], len(body))
    opener = RangeOpener(KEY, body[:NONCE_BYTES], len(body))
    for sealed in (body[16:-1], body[16:] + b"x", body):
        with pytest.raises(PayloadError):
            opener.open(0, 10, sealed)
