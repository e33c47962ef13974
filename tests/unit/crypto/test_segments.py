"""Segments: digests of each 8 MiB of a body, whatever pieces it comes in."""

from __future__ import annotations

import hashlib

import pytest

from relay.crypto.age import SEGMENT_BYTES, segment_count, segment_digests

ONE_AND_A_BIT = bytes(range(256)) * (SEGMENT_BYTES // 256) + b"and a bit"


@pytest.mark.parametrize("piece_bytes", [1 << 20, 3_333_333, SEGMENT_BYTES, 1 << 30])
def test_digests_are_of_each_eight_mebibytes(piece_bytes: int) -> None:
    """The digests do not depend on the pieces, and the last is of what remains."""
    body = ONE_AND_A_BIT
    pieces = [body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes)]
    assert segment_digests(pieces) == [
        hashlib.sha256(body[:SEGMENT_BYTES]).digest(),
        hashlib.sha256(b"and a bit").digest(),
    ]


@pytest.mark.parametrize(
    ("size", "count"),
    [(0, 0), (1, 1), (SEGMENT_BYTES, 1), (SEGMENT_BYTES + 1, 2), (3 * SEGMENT_BYTES, 3)],
)
def test_no_segment_is_empty(size: int, count: int) -> None:
    """There are as many segments as are needed, and a body that ends on an edge has no empty one after."""
    assert segment_count(size) == count
    assert len(segment_digests([bytes(size)])) == count
