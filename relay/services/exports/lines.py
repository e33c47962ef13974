"""The lines of an export: rows of the log, statements, and rows of tables with the types that they have."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Self

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.fields import Digest
from relay.services.log import LogRow
from relay.storage.audit import LoggedAct
from relay.storage.exports import StatementRow

_BYTES: Final = frozenset(
    {
        "commitment",
        "signer",
        "sealed",
        "sender_consent",
        "recipient_consent",
        "old_root",
        "new_root",
    }
)
_IDENTIFIERS: Final = frozenset({"lease_holder", "made_by"})
_TIMES: Final = frozenset({"not_before", "not_after"})
_LISTS: Final = frozenset({"mediators", "media", "recovery", "proposed_mediators"})


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as it was signed, by its hash (base64url), and when it came."""

    statement: Digest
    typ: str
    kid: str
    compact: str
    received_at: datetime

    @classmethod
    def of(cls, row: StatementRow) -> Self:
        """As it stands in the folder."""
        return cls(
            statement=b64u_encode(row.statement_hash),
            typ=row.typ,
            kid=row.kid,
            compact=row.compact,
            received_at=row.received_at,
        )

    def as_row(self) -> StatementRow:
        """As it stands in the database."""
        return StatementRow(
            statement_hash=b64u_decode(self.statement),
            typ=self.typ,
            kid=self.kid,
            compact=self.compact,
            received_at=self.received_at,
        )


class ExportedRow(LogRow, frozen=True, kw_only=True):
    """A row of the log as it is read again: its hashes are that."""

    statement: Digest | None
    prev: Digest
    hash: Digest


def log_row(log: LoggedAct) -> LogRow:
    """A row of the log, as the API gives it too."""
    return LogRow(
        seq=log.seq,
        at=log.at,
        kind=log.kind,
        message=log.message_id,
        actor=log.actor,
        statement=None if log.statement_hash is None else b64u_encode(log.statement_hash),
        prev=b64u_encode(log.prev),
        hash=b64u_encode(log.hash),
    )


def logged_act(row: LogRow, statements: Mapping[bytes, StatementRow]) -> LoggedAct:
    """The same with the statement behind it, if it is there."""
    digest = None if row.statement is None else b64u_decode(row.statement)
    said = None if digest is None else statements.get(digest)
    return LoggedAct(
        seq=row.seq,
        at=row.at,
        kind=row.kind,
        message_id=row.message,
        actor=row.actor,
        statement_hash=digest,
        prev=b64u_decode(row.prev),
        hash=b64u_decode(row.hash),
        typ=None if said is None else said.typ,
        kid=None if said is None else said.kid,
        compact=None if said is None else said.compact,
    )


def typed(row: Mapping[str, object]) -> dict[str, object]:
    """A row of a table from the JSON that Postgres makes of it; ValueError for what is no such row."""
    return {column: _value(column, value) for column, value in row.items()}


def _value(column: str, value: object) -> object:
    """By the name of its column, which says the same in every table."""
    if value is None:
        return None
    if column in _LISTS:
        return [uuid.UUID(str(entry)) for entry in _list(value)]
    if column == "segments":
        return [_bytes(entry) for entry in _list(value)]
    return _one(column, value)


def _one(column: str, value: object) -> object:
    if column.endswith("_id") or column in _IDENTIFIERS:
        return uuid.UUID(str(value))
    if column.endswith("_hash") or column in _BYTES:
        return _bytes(value)
    if column.endswith("_at") or column in _TIMES:
        return datetime.fromisoformat(str(value))
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("no list")  # noqa: TRY004 - of what was read, not of a caller
    return value


def _bytes(value: object) -> bytes:
    text = str(value)
    if not text.startswith("\\x"):
        raise ValueError("no bytes")
    return bytes.fromhex(text[2:])
