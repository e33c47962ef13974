"""The rows of an export, as an audit finds them in a database."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypeVar

import msgspec

from relay.crypto import age
from relay.crypto.encoding import b64u_decode
from relay.decoding import NotDecodable, decode_json
from relay.domain.messages import Audience
from relay.errors import CryptoError
from relay.services.exports.layout import (
    LOG,
    STATEMENTS,
    Manifest,
    NoExport,
    charter_path,
    header_path,
    part_path,
    table_path,
)
from relay.services.exports.lines import ExportedRow, Statement, logged_act, typed
from relay.services.log import LogRow
from relay.storage import audit as stored
from relay.storage.exports import ROWS, StatementRow

READ_BYTES: Final = 1024 * 1024
_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError, CryptoError)
"""What reading ends with where a file is none of relay's."""

_Line = TypeVar("_Line")


class FolderRecords:
    """An export whose files are as they were written. NoExport for a line that relay did not write."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._path = path
        said = list(self._statements())
        self.statements: Mapping[bytes, StatementRow] = {row.statement_hash: row for row in said}
        if len(self.statements) != len(said):
            raise NoExport(f"{STATEMENTS} has a statement twice")

    # What an audit asks for.

    async def list_successions(self) -> Sequence[stored.SuccessionRecord]:
        """Every succession of roots."""
        return [
            _converted(
                "successions",
                {
                    **row,
                    "compact": self._text(row["statement_hash"]),
                    "filed": self._filed(row["statement_hash"]),
                },
                stored.SuccessionRecord,
            )
            for row in self.rows("successions")
        ]

    async def list_credentials(self) -> AsyncIterator[stored.CredentialRecord]:
        """Every credential that the case needs."""
        for row in self.rows("credentials"):
            texts = {
                "credential": self._text(row["statement_hash"]),
                "filed": self._filed(row["statement_hash"]),
                "revocation": self._text(row["revocation_hash"]),
                "revocation_filed": self._filed(row["revocation_hash"]),
            }
            yield _converted("credentials", {**row, **texts}, stored.CredentialRecord)

    async def list_case_heads(
        self, *, after: uuid.UUID, limit: int, only: uuid.UUID | None
    ) -> Sequence[stored.CaseHead]:
        """The case."""
        last = [row.hash for row in self._log()][-1:]
        heads = [
            _converted(
                "cases",
                {**row, "last_hash": b64u_decode(last[0]) if last else None},
                stored.CaseHead,
            )
            for row in self.rows("cases")
        ]
        return [head for head in heads if head.case_id > after and only in (None, head.case_id)][
            :limit
        ]

    async def list_charters(self, case_id: uuid.UUID) -> stored.CharterTexts:
        """The charters that the log names, and the registration before them."""
        registration, charters = None, []
        async for row in self.list_log(case_id):
            if row.compact is None:
                continue
            if row.kind == "charter-filed":
                charters.append(row.compact)
            elif row.kind == "mediators-registered" and not charters:
                registration = row.compact
        return stored.CharterTexts(registration=registration, charters=charters)

    async def list_log(self, case_id: uuid.UUID) -> AsyncIterator[stored.LoggedAct]:
        """The log from its first row."""
        if case_id == self.manifest.case:
            for row in self._log():
                yield logged_act(row, self.statements)

    async def list_table(self, table: str, case_id: uuid.UUID) -> AsyncIterator[stored.Row]:
        """The rows of a table, with what the audit's queries compute."""
        for row in self.rows(table):
            if row.get("case_id", case_id) != case_id:
                raise NoExport(f"{table_path(table)} has a row of another case")
            yield {**row, **self._computed(table, row)}

    async def list_grants(self, case_id: uuid.UUID) -> AsyncIterator[stored.GrantRecord]:
        """Every grant, by the hash of its header."""
        messages = {row["commitment"]: row["message_id"] for row in self.rows("parts")}
        known = set()
        for row in self.rows("grants"):
            grant = (row["commitment"], row["audience"], row["audience_id"])
            if grant in known or row["commitment"] not in messages:
                raise NoExport(f"{table_path('grants')} has a grant twice, or of no part")
            known.add(grant)
            header = hashlib.sha256(self.header_of(row, case_id)).digest()
            named = {**row, "header": header, "message_id": messages[row["commitment"]]}
            yield _converted("grants", named, stored.GrantRecord)

    async def list_caseless(self) -> Sequence[uuid.UUID]:
        """A log whose case is not there."""
        return [] if any(True for _row in self.rows("cases")) else [self.manifest.case]

    async def list_unlogged(self) -> AsyncIterator[stored.Unlogged]:
        """Statements that nothing names."""
        named = {b64u_decode(row.statement) for row in self._log() if row.statement is not None}
        for table in ("credentials", "successions"):
            for row in self.rows(table):
                named |= {row["statement_hash"], row.get("revocation_hash")}  # type: ignore[arg-type]
        for digest, said in self.statements.items():
            if digest not in named:
                yield stored.Unlogged(statement_hash=digest, typ=said.typ)

    # What whoever opens it or takes it in asks for besides.

    def ends(self) -> tuple[int, str]:
        """How many rows the log has, and the hash of the last, base64url."""
        rows, head = 0, ""
        for row in self._log():
            rows, head = rows + 1, row.hash
        return rows, head

    def names(self) -> set[str]:
        """The files that there must be, by what the rows say."""
        parts = (part_path(_digest(row["commitment"])) for row in self.rows("parts"))
        charters = (charter_path(int(str(row["version"]))) for row in self.rows("charters"))
        headers = (
            header_path(_digest(row["commitment"]), str(row["audience"]), row["audience_id"])
            for row in self.rows("grants")
            if (row["audience"], row["audience_id"]) != (Audience.CASE, self.manifest.case)
        )
        tables = map(table_path, ROWS)
        return {LOG, STATEMENTS, *tables, *parts, *charters, *headers}

    def rows(self, table: str) -> Iterator[Mapping[str, object]]:
        """The rows of a table, each value with its type."""
        for line in self.lines(table):
            try:
                yield typed(decode_json(line, dict[str, object]))
            except _BROKEN:
                raise NoExport(f"{table_path(table)} has a line that is no row") from None

    def lines(self, table: str) -> Iterator[str]:
        """The same rows as they are written."""
        with self._open(table_path(table)) as file:
            for line in file:
                yield line.decode("utf-8", "replace")

    def header_of(self, grant: Mapping[str, object], case_id: uuid.UUID) -> bytes:
        """The header of a grant: of the one for the case, what a part's file begins with."""
        commitment, audience, audience_id = (
            grant["commitment"],
            grant["audience"],
            grant["audience_id"],
        )
        if not isinstance(commitment, bytes):
            raise NoExport(f"{table_path('grants')} has a line that is no row")
        if (audience, audience_id) == (Audience.CASE, case_id):
            with self.open_part(commitment) as (header, _file):
                return header.encoded
        return self.read(header_path(commitment, str(audience), audience_id))

    def read(self, name: str) -> bytes:
        """A short file."""
        with self._open(name) as file:
            return file.read(age.HEADER_MAX_BYTES)

    def open_part(self, commitment: bytes) -> _Part:
        """A part's header for the case, and the file at the place where its body begins."""
        return _Part(self._open(part_path(commitment)), part_path(commitment))

    # How it is read.

    def _open(self, name: str) -> IO[bytes]:
        try:
            return (self._path / name).open("rb")
        except OSError:
            raise NoExport(f"{name} cannot be read") from None

    def _decoded(self, name: str, kind: type[_Line]) -> Iterator[_Line]:
        with self._open(name) as file:
            for line in file:
                try:
                    yield decode_json(line, kind)
                except NotDecodable:
                    raise NoExport(f"{name} has a line that relay did not write") from None

    def _log(self) -> Iterator[LogRow]:
        return self._decoded(LOG, ExportedRow)

    def _statements(self) -> Iterator[StatementRow]:
        for line in self._decoded(STATEMENTS, Statement):
            yield line.as_row()

    def _text(self, digest: object) -> str | None:
        found = self.statements.get(digest) if isinstance(digest, bytes) else None
        return None if found is None else found.compact

    def _filed(self, digest: object) -> str | None:
        found = self.statements.get(digest) if isinstance(digest, bytes) else None
        return None if found is None else f"{found.typ} {found.kid}"

    def _computed(self, table: str, row: Mapping[str, object]) -> Mapping[str, object]:
        """What the queries of an audit say of a row in place of its columns."""
        match table:
            case "cases":
                return {
                    "is_closed": row["closed_at"] is not None,
                    "holds": len(list(self.rows("holds"))),
                }
            case "charters":
                return {"has_key_file": bool(self.read(charter_path(int(str(row["version"])))))}
            case "claims":
                return {"has_keyring": bool(row["keyring"])}
            case "links":
                sealed = row["sealed"]
                return {
                    "ended": row["ended_at"] is not None,
                    "sealed": hashlib.sha256(sealed).digest()
                    if isinstance(sealed, bytes)
                    else None,
                }
            case "parts":
                segments, commitment = row["segments"], row["commitment"]
                if not isinstance(segments, list) or not isinstance(commitment, bytes):
                    raise NoExport(f"{table_path('parts')} has a line that is no row")
                return {
                    "segments": hashlib.sha256(b"".join(segments)).digest(),
                    "body": self._segments_of(commitment) == segments,
                }
            case _:
                return {}

    def _segments_of(self, commitment: bytes) -> list[bytes]:
        """The hashes of the segments of a body as it is in its file."""
        hasher = age.SegmentHasher()
        with self.open_part(commitment) as (_header, file):
            while chunk := file.read(READ_BYTES):
                hasher.update(chunk)
        return hasher.finish()


def _digest(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise NoExport("a row of a part without its name")
    return value


def _converted(table: str, row: Mapping[str, object], kind: type[_Line]) -> _Line:
    try:
        return msgspec.convert(row, kind)
    except msgspec.MsgspecError:
        raise NoExport(f"{table_path(table)} has a line that is no row") from None


class _Part:
    """An open file of a part."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name

    def __enter__(self) -> tuple[age.Header, IO[bytes]]:
        try:
            return age.read_header(self._file.readline), self._file
        except CryptoError:
            self._file.close()
            raise NoExport(f"{self._name} is no age file") from None

    def __exit__(self, *_error: object) -> None:
        self._file.close()
