"""The rows of a case's log and the chain of hashes that ties them: altered, missing and moved rows show.

The same bytes are made by a function in the database; tests/vectors/log.json holds the two together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable

from relay.crypto.encoding import b64u_encode

GENESIS = bytes(32)
"""What the first row of a case has for `prev`."""

_LABEL = "relay/v1/event"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One thing that happened in a case, as the log knows it: no content, no personal data."""

    case: uuid.UUID
    seq: int
    """Counts the rows of the case from 1."""
    at: dt.datetime
    """UTC, to the microsecond."""
    kind: str
    message: uuid.UUID | None
    actor: str
    """Who did it: a role and an opaque id."""
    statement: bytes | None
    """Hash of the statement behind it, 32 bytes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChainedRow:
    """A row with the hash before it and its own."""

    row: EventRow
    prev: bytes
    hash: bytes


def row_bytes(row: EventRow) -> bytes:
    """What of a row is hashed: a label and its fields, one per line; ValueError for a bad field."""
    if row.at.tzinfo is None or row.seq < 1:
        raise ValueError("a row has a time with an offset and counts from 1")
    try:
        at = row.at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    except OverflowError:
        raise ValueError("a time out of range") from None
    lines = (
        _LABEL,
        str(row.case),
        str(row.seq),
        f"{at}Z",
        row.kind,
        "-" if row.message is None else str(row.message),
        row.actor,
        "-" if row.statement is None else b64u_encode(row.statement),
    )
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise ValueError("a field of a row holds a line feed")
    return text.encode("utf-8")


def event_hash(prev: bytes, row: EventRow) -> bytes:
    """SHA-256 of the hash before and the bytes of this row."""
    return hashlib.sha256(prev + row_bytes(row)).digest()


class ChainWalk:
    """Walks the rows of one case in order, and says of each whether it follows from those before it."""

    def __init__(self) -> None:
        self.seq = 0
        """The number of the last row that followed."""
        self.head = GENESIS
        """Its hash."""
        self._case: uuid.UUID | None = None

    def follows(self, chained: ChainedRow) -> bool:
        """Whether this is the next row; where it is not, the walk stays where it is."""
        row = chained.row
        is_next = row.seq == self.seq + 1 and chained.prev == self.head
        if not is_next or (self._case or row.case) != row.case:
            return False
        try:
            if event_hash(chained.prev, row) != chained.hash:
                return False
        except ValueError:
            return False
        self.seq, self.head, self._case = row.seq, chained.hash, row.case
        return True


def verify_chain(rows: Iterable[ChainedRow]) -> ChainedRow | None:
    """The first row of a case that does not follow from those before it, or None if all do.

    Rows missing from the end cannot show here: compare the last hash with one that was kept elsewhere.
    """
    walk = ChainWalk()
    return next((chained for chained in rows if not walk.follows(chained)), None)
