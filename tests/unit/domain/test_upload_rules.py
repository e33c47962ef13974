"""The pure rules of uploads: metadata, checksums, and how the tails of breaks are joined."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.segments import SEGMENT_BYTES, segment_end, segment_slices
from relay.domain.uploads import (
    SEALED_MIN_BYTES,
    Piece,
    UploadTooLarge,
    pieces_to_join,
    read_checksum,
    read_metadata,
    require_size,
    write_metadata,
)
from relay.errors import InvalidRequest

SIZES = st.integers(1, 3 * SEGMENT_BYTES)


@given(first=st.integers(0, 4 * SEGMENT_BYTES), second=st.integers(0, 4 * SEGMENT_BYTES))
def test_slices_cover_a_range_without_gap_or_overlap(first: int, second: int) -> None:
    """Put one after the other the slices are the range, each inside one segment."""
    start, stop = sorted((first, second))

    position = start
    for piece in segment_slices(start, stop):
        assert piece.number * SEGMENT_BYTES + piece.start == position
        assert 0 <= piece.start < piece.stop <= SEGMENT_BYTES
        position += piece.stop - piece.start
    assert position == stop


@given(offset=st.integers(0, 4 * SEGMENT_BYTES), more=SIZES)
def test_a_segment_ends_at_its_boundary_or_with_the_body(offset: int, more: int) -> None:
    """The end lies after the offset, at most a segment away."""
    end = segment_end(offset, offset + more)

    assert offset < end <= offset + more
    assert end == offset + more or end % SEGMENT_BYTES == 0
    assert end - offset <= SEGMENT_BYTES


@given(tails=st.lists(st.integers(1, 100_000), min_size=1, max_size=300))
def test_pieces_stay_few_and_are_seldom_written_again(tails: list[int]) -> None:
    """Tails of any sizes leave at most 24 pieces in order, and cost no more than n log n bytes."""
    pieces: list[Piece] = []
    written = offset = 0
    for tail in tails:
        joined = pieces_to_join(pieces, tail)
        assert list(joined) == pieces[len(pieces) - len(joined) :]
        start = joined[0].start_bytes if joined else offset
        offset += tail
        pieces[len(pieces) - len(joined) :] = [Piece(start_bytes=start, size_bytes=offset - start)]
        written += offset - start
        position = 0
        for piece in pieces:
            assert piece.start_bytes == position
            position = piece.stop_bytes
        assert position == offset
        assert len(pieces) <= 24
    assert written <= offset * 2 * len(tails).bit_length() + offset


def test_single_bytes_are_written_again_a_few_times_each() -> None:
    """100,000 tails of one byte: on average each is written fewer than 20 times."""
    pieces: list[Piece] = []
    written = 0
    for offset in range(100_000):
        joined = pieces_to_join(pieces, 1)
        start = joined[0].start_bytes if joined else offset
        pieces[len(pieces) - len(joined) :] = [
            Piece(start_bytes=start, size_bytes=offset + 1 - start)
        ]
        written += offset + 1 - start

    assert written < 20 * 100_000


@given(message=st.uuids(), revision=st.integers(1, 999_999_999))
def test_metadata_are_read_as_they_were_written(message: uuid.UUID, revision: int) -> None:
    """What is written is what is read, in either order and with spaces."""
    text = write_metadata(message, revision)
    swapped = " , ".join(reversed(text.split(",")))

    assert read_metadata(text) == (message, revision)
    assert read_metadata(swapped) == (message, revision)


@given(text=st.text(max_size=60))
def test_other_metadata_are_an_invalid_request(text: str) -> None:
    """Nothing but an InvalidRequest comes of what somebody made up."""
    with pytest.raises(InvalidRequest):
        read_metadata(text)


@pytest.mark.parametrize("revision", ["MA==", "LTE=", "MDE=", "MS4w", "4pmg", "OTk5OTk5OTk5OTk="])
def test_a_revision_is_a_plain_number_from_one_on(revision: str) -> None:
    """0, -1, 01, 1.0, a sign and eleven digits are none."""
    message = write_metadata(uuid.uuid4(), 1).split(",")[0]

    with pytest.raises(InvalidRequest):
        read_metadata(f"{message},revision {revision}")


@given(text=st.text(max_size=60))
def test_other_checksums_are_an_invalid_request(text: str) -> None:
    """Only SHA-256 with 32 bytes is read."""
    with pytest.raises(InvalidRequest):
        read_checksum(text)


def test_metadata_names_nothing_twice() -> None:
    """Two readers could each take another one for the right one."""
    once = write_metadata(uuid.UUID(int=1), 1)
    assert read_metadata(once) == (uuid.UUID(int=1), 1)
    with pytest.raises(InvalidRequest):
        read_metadata(f"{once},{once}")


@pytest.mark.parametrize("size", [0, SEALED_MIN_BYTES - 1])
def test_a_body_that_is_too_short_to_be_sealed_is_refused(size: int) -> None:
    """The smallest there is, and the largest that is allowed, are taken."""
    require_size(SEALED_MIN_BYTES, SEALED_MIN_BYTES)
    with pytest.raises(InvalidRequest):
        require_size(size, SEALED_MIN_BYTES)
    with pytest.raises(UploadTooLarge):
        require_size(SEALED_MIN_BYTES + 1, SEALED_MIN_BYTES)
