"""The rows that the tables beside the log must have, as the log leads to them; and how they are compared."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from relay.crypto.encoding import b64u_decode
from relay.crypto.fields import Part
from relay.domain.messages import Audience
from relay.services.audit.findings import Code, Report
from relay.storage.audit import Row

ANY: Final = object()
"""What the log does not lead to: nothing to compare with."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "cases": ("case_id",),
    "charters": ("version",),
    "case_mediators": ("credential_id",),
    "participants": ("participant_id",),
    "links": ("link_id",),
    "link_endings": ("statement_hash",),
    "claims": ("statement_hash",),
    "messages": ("message_id",),
    "revisions": ("message_id", "revision"),
    "decisions": ("statement_hash",),
    "captions": ("statement_hash",),
    "offers": ("statement_hash",),
    "responses": ("statement_hash",),
    "parts": ("commitment",),
}
"""What tells the rows of each table apart."""


OF_MESSAGES: Final = (
    "messages",
    "revisions",
    "decisions",
    "captions",
    "offers",
    "responses",
    "parts",
)
"""The tables of which nothing is left after a disposal."""


@dataclasses.dataclass(slots=True)
class _ExpectedRow:
    values: dict[str, object]
    seq: int | None
    """The row of the log that it follows from."""
    message: uuid.UUID | None


class Expected:
    """The rows that one case must have, by table."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[object, ...], _ExpectedRow]] = {}
        self._open: dict[str, dict[str, object]] = {}
        self.readers: dict[bytes, frozenset[Audience]] = {}
        """By commitment of a part: for whom there may be grants of it. For the case there must be one."""

    def put(
        self,
        table: str,
        *key: object,
        seq: int | None = None,
        message: uuid.UUID | None = None,
        **values: object,
    ) -> None:
        """A row that must be there; one of the same key is replaced."""
        rows = self._tables.setdefault(table, {})
        rows[key] = _ExpectedRow(values=values, seq=seq, message=message)

    def change(self, table: str, *key: object, **values: object) -> None:
        """Some values of a row that is expected already."""
        found = self._tables.get(table, {}).get(key)
        if found is not None:
            found.values |= values

    def replace(self, table: str, keys: Iterable[object], *, seq: int) -> None:
        """All rows of a table at once, which from now on has no others."""
        self._tables.pop(table, None)
        self._open.pop(table, None)
        for key in keys:
            self.put(table, key, seq=seq)

    def change_all(self, table: str, **values: object) -> None:
        """Some values of every row of a table that is expected already."""
        for row in self._tables.get(table, {}).values():
            row.values |= values

    def empty(self, tables: Iterable[str]) -> None:
        """Let there be no row in any of these tables, and no grant."""
        for table in tables:
            self._tables.pop(table, None)
        self.readers.clear()

    def remove(self, table: str, *key: object) -> None:
        """A row that must not be there any more."""
        self._tables.get(table, {}).pop(key, None)

    def leave_open(self, table: str, **values: object) -> None:
        """Let a table have rows that the log does not speak of, with these values."""
        self._open[table] = values

    def add_parts(
        self,
        parts: Iterable[Part],
        statement_hash: bytes,
        readers: Mapping[str, frozenset[Audience]],
        *,
        seq: int,
        message: uuid.UUID,
    ) -> None:
        """The parts that a statement declares, and by role who besides the case may read them."""
        for part in parts:
            commitment = b64u_decode(part.commit)
            segments = b"".join(b64u_decode(digest) for digest in part.segments)
            self.readers[commitment] = readers[part.role] | {Audience.CASE}
            self.put(
                "parts",
                commitment,
                seq=seq,
                message=message,
                message_id=message,
                statement_hash=statement_hash,
                role=part.role,
                media_type=part.type,
                size_bytes=part.size,
                segments=hashlib.sha256(segments).digest(),
                body=True,
            )

    def check_row(self, table: str, row: Row, report: Report) -> None:
        """Compare a row that is there with the one that must be."""
        key = tuple(row[column] for column in KEYS[table])
        named = row.get("message_id")
        message = named if isinstance(named, uuid.UUID) else None
        expected = self._tables.get(table, {}).pop(key, None)
        if expected is None and table in self._open:
            expected = _ExpectedRow(values=self._open[table], seq=None, message=message)
        if expected is None:
            report.add(
                Code.TABLE_ADDED, f"a row of {table} that no row of the log led to", message=message
            )
            return
        wrong = [
            column
            for column, value in expected.values.items()
            if value is not ANY and row[column] != value
        ]
        if wrong:
            report.add(
                Code.TABLE_DIFFERS,
                f"{', '.join(wrong)} in {table} is not what the log leads to",
                seq=expected.seq,
                message=expected.message,
            )

    def check_rest(self, table: str, report: Report) -> None:
        """Report what must be there and was not."""
        for expected in self._tables.pop(table, {}).values():
            report.add(
                Code.TABLE_MISSING,
                f"{table} has no row for it",
                seq=expected.seq,
                message=expected.message,
            )
