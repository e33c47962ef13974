"""Sealed bodies: they open to what was sealed, however cut, and no altered one opens."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto.age import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    Sealer,
    new_file_key,
    open_body,
    opened_size,
    seal_body,
    sealed_size,
)
from relay.crypto.errors import HeaderError, PayloadError
from relay.errors import CryptoError

KEY = bytes(range(16))
EDGES = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    2 * CHUNK_BYTES - 1,
    2 * CHUNK_BYTES,
    2 * CHUNK_BYTES + 1,
    3 * CHUNK_BYTES,
    16 * CHUNK_BYTES,
    17 * CHUNK_BYTES + 1,
]
sizes = (
    st.sampled_from(EDGES)
    | st.integers(min_value=0, max_value=4 * CHUNK_BYTES)
    | st.integers(min_value=8 * CHUNK_BYTES, max_value=20 * CHUNK_BYTES)  # two cores share these
)


def content(size: int) -> bytes:
    """Bytes in which every chunk is different."""
    return b"".join(number.to_bytes(8, "big") for number in range(size // 8 + 1))[:size]


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """`data` in pieces of these lengths, then the rest."""
    pieces, at = [], 0
    for length in lengths:
        pieces.append(data[at : at + length])
        at += length
    return [*pieces, data[at:]]


def released(pieces: list[bytes]) -> tuple[bytes, str]:
    """All plaintext that an Opener gives out, and the error that ends it, if one does."""
    opener, plain = Opener(KEY), b""
    try:
        for piece in pieces:
            plain += opener.update(piece)
        plain += opener.finish()
    except CryptoError as error:
        return plain, type(error).__name__
    return plain, ""


@given(sizes, st.lists(sizes, max_size=6), st.lists(sizes, max_size=6))
def test_bodies_open_to_what_was_sealed(
    size: int, sealed_in: list[int], opened_in: list[int]
) -> None:
    """Whatever the pieces on either side, the plaintext comes back and the sizes are as computed."""
    sealer = Sealer(KEY)
    plain = content(size)
    body = b"".join(sealer.update(piece) for piece in cut(plain, sealed_in)) + sealer.finish()
    assert len(body) == sealed_size(size)
    assert opened_size(len(body)) == size
    assert released(cut(body, opened_in)) == (plain, "")
    assert open_body(KEY, body) == plain


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_piece_will_do(kind: type) -> None:
    """Pieces may be bytes, bytearrays or views, and may be reused by the caller right away."""
    plain = content(3 * CHUNK_BYTES + 5)
    buffer = bytearray(plain)
    sealer = Sealer(KEY)
    body = sealer.update(kind(buffer))
    buffer[:] = bytes(len(buffer))
    body += sealer.finish()
    assert open_body(KEY, kind(body)) == plain


def test_many_streams_at_once_do_not_mix() -> None:
    """Streams that want the second core at the same time come out as they do alone."""
    contents = [content((number + 12) * CHUNK_BYTES + number) for number in range(8)]

    def through(plain: bytes) -> bool:
        return all(open_body(KEY, seal_body(KEY, plain)) == plain for _ in range(10))

    with ThreadPoolExecutor(len(contents)) as pool:
        assert all(pool.map(through, contents))


@given(sizes, st.data())
def test_a_changed_bit_is_noticed(size: int, draw: st.DataObject) -> None:
    """No body with a bit flipped opens, and what was given out before is a start of the plaintext."""
    plain = content(size)
    body = bytearray(seal_body(KEY, plain))
    place = draw.draw(st.integers(min_value=0, max_value=len(body) - 1))
    body[place] ^= 1 << draw.draw(st.integers(min_value=0, max_value=7))
    given_out, error = released([bytes(body)])
    assert error == "PayloadError"
    assert plain.startswith(given_out)
    intact = max(0, place - NONCE_BYTES) // SEALED_CHUNK_BYTES * CHUNK_BYTES
    assert len(given_out) <= intact


@given(sizes, st.data())
def test_a_cut_body_is_noticed(size: int, draw: st.DataObject) -> None:
    """A body that ends early never finishes, wherever it is cut."""
    plain = content(size)
    body = seal_body(KEY, plain)
    edges = st.sampled_from(range(NONCE_BYTES, len(body), SEALED_CHUNK_BYTES))
    length = draw.draw(edges | st.integers(min_value=0, max_value=len(body) - 1))
    given_out, error = released([body[:length]])
    assert error == ("HeaderError" if length < NONCE_BYTES else "PayloadError")
    assert plain.startswith(given_out)


@given(sizes, st.binary(min_size=1, max_size=40), st.data())
def test_bytes_after_the_end_are_noticed(size: int, more: bytes, draw: st.DataObject) -> None:
    """Nothing may follow the last chunk, and what is given out does not depend on the pieces."""
    body = seal_body(KEY, content(size)) + more
    given_out, error = released([body])
    assert error == "PayloadError"
    at = draw.draw(st.integers(min_value=0, max_value=len(body)))
    assert released([body[:at], body[at:]]) == (given_out, error)


def test_chunks_cannot_be_moved_dropped_or_repeated() -> None:
    """Whole, authentic chunks in another order are not a body."""
    body = seal_body(KEY, content(4 * CHUNK_BYTES))
    nonce, rest = body[:NONCE_BYTES], body[NONCE_BYTES:]
    first, second, third, last = (
        rest[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(rest), SEALED_CHUNK_BYTES)
    )
    for chunks in (
        (second, first, third, last),
        (first, second, last),
        (first, first, third, last),
        (first, second, third, last, last),
        (last,),
    ):
        with pytest.raises(PayloadError):
            open_body(KEY, nonce + b"".join(chunks))


def test_bodies_of_one_key_differ() -> None:
    """Sealing the same thing again gives other bytes, for the nonce is new."""
    assert seal_body(KEY, b"the same") != seal_body(KEY, b"the same")


def test_another_file_key_opens_nothing() -> None:
    """A body opens under its own file key alone."""
    body = seal_body(new_file_key(), b"for somebody else")
    with pytest.raises(PayloadError):
        open_body(new_file_key(), body)


@given(st.integers(min_value=-5, max_value=10 * SEALED_CHUNK_BYTES))
def test_sizes_that_no_body_has_are_refused(sealed: int) -> None:
    """opened_size is the reverse of sealed_size and knows which sizes cannot be."""
    try:
        plain = opened_size(sealed)
    except PayloadError:
        assert sealed < 32 or 0 < (sealed - NONCE_BYTES) % SEALED_CHUNK_BYTES <= 16
        return
    assert sealed_size(plain) == sealed


def test_a_failed_opener_stays_failed() -> None:
    """After a failure neither more bytes nor the end make it usable again."""
    body = bytearray(seal_body(KEY, content(2 * CHUNK_BYTES)))
    body[-1] ^= 1
    body[20] ^= 1
    opener = Opener(KEY)
    for _ in range(2):
        with pytest.raises(PayloadError):
            opener.update(body)
    with pytest.raises(PayloadError):
        opener.finish()


def test_finished_streams_take_nothing_more() -> None:
    """Using a Sealer or Opener after its end is a mistake of the caller and says so."""
    sealer, opener = Sealer(KEY), Opener(KEY)
    opener.update(sealer.finish())
    opener.finish()
    for call in (sealer.finish, opener.finish):
        with pytest.raises(ValueError, match="finished"):
            call()
    for stream in (sealer, opener):
        with pytest.raises(ValueError, match="finished"):
            stream.update(b"more")


def test_an_empty_body_without_nonce_is_no_body() -> None:
    """Not even the nonce arrived: age calls that a failure of the header."""
    with pytest.raises(HeaderError):
        open_body(KEY, b"")


def test_memory_does_not_grow_with_the_file() -> None:
    """Sealing and opening 64 MiB in pieces of 1 MiB takes the memory of a few pieces."""
    piece = bytes(1024 * 1024)
    sealer, opener = Sealer(KEY), Opener(KEY)
    tracemalloc.start()
    try:
        for _ in range(64):
            opener.update(sealer.update(piece))
        opener.update(sealer.finish())
        opener.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(piece)
