"""Takes an export in: verified, its bodies copied, then all rows in one transaction, verified once more."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import asyncpg
import msgspec

from relay.decoding import decode_json
from relay.domain.cases import CaseExists
from relay.domain.credentials import ServiceTooEarly
from relay.domain.places import IMPORTS
from relay.errors import RelayError, Unavailable
from relay.services import trust
from relay.services.audit.findings import Finding
from relay.services.audit.walk import Audited, audit_snapshot
from relay.services.exports.layout import (
    CaseIncomplete,
    ExportUnsound,
    Manifest,
    NoExport,
    OtherRoots,
    charter_path,
)
from relay.services.exports.reading import audit_export, open_export
from relay.services.exports.records import READ_BYTES, FolderRecords
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import credentials as stored_credentials
from relay.storage import exports as stored
from relay.storage import jobs as stored_jobs
from relay.storage.database import Connection, Database, NotOwner
from relay.storage.objects import Objects
from relay.storage.orphans import note_orphans

NOTE_MAX_AGE_SECONDS: Final = 600
"""A note on what is being written that is older than this may be a sweep's by now."""
RENEW_SECONDS: Final = 30


class ReferenceTaken(RelayError):
    """Another case of this relay has the reference."""

    code = "reference-taken"


async def import_case(
    database: Database, objects: Objects, settings: Settings, path: Path
) -> Manifest:
    """Take a case in, as whoever owns the tables: all of it, or nothing.

    Bodies are copied first, under new names that the sweep removes again where no case comes to need them.
    NoExport, ExportVersionUnknown, ExportAltered, ExportUnsound, OtherRoots, CaseExists, ReferenceTaken;
    ServiceTooEarly where it brings a case system that would undo what a mediator here registered; NotOwner.
    """
    records = open_export(path)
    await _require_welcome(database, settings, records)
    _require_sound(await _findings(audit_export(records, settings)))
    prefixes = await _copy_bodies(database, objects, records)
    try:
        async with database.transaction() as connection:
            await _insert(connection, records, prefixes)
            taken = await stored_jobs.take_notes(
                connection, list(prefixes.values()), NOTE_MAX_AGE_SECONDS
            )
            if not taken:
                raise Unavailable("what was copied may have been swept; import it again")
            _require_sound(
                await _findings(audit_snapshot(connection, settings, only=records.manifest.case))
            )
    except asyncpg.LockNotAvailableError:
        raise Unavailable("somebody else holds the tables; import it again") from None
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise NoExport(f"a row that the database does not take: {type(error).__name__}") from None
    return records.manifest


async def _require_welcome(database: Database, settings: Settings, records: FolderRecords) -> None:
    """Go on only with a case of this organization that is not here."""
    manifest = records.manifest
    [case] = records.rows("cases")
    async with database.connection() as connection:
        if not await stored.is_owner(connection):
            raise NotOwner
        known = await trust.root_keys(connection, settings)
        taken = await stored.list_taken(connection, manifest.case, str(case["reference"]))
    if not set(known) & set(manifest.roots):
        raise OtherRoots(", ".join(manifest.roots))
    if "case" in taken:
        raise CaseExists(f"case {manifest.case}")
    if "reference" in taken:
        raise ReferenceTaken


async def _findings(audit: AsyncIterator[Audited]) -> list[Finding]:
    return [finding async for audited in audit for finding in audited.findings]


def _require_sound(findings: list[Finding]) -> None:
    if findings:
        raise ExportUnsound(f"{findings[0]}, and {len(findings) - 1} more")


async def _copy_bodies(
    database: Database, objects: Objects, records: FolderRecords
) -> dict[bytes, str]:
    """Copy what does not lie in rows to the store; where each now is, by commitment."""
    parts = [row for row in records.rows("parts") if row["object_prefix"] is not None]
    prefixes = {_bytes(part["commitment"]): f"{IMPORTS}/{uuid.uuid4()}" for part in parts}
    async with database.connection() as connection:
        await note_orphans(connection, list(prefixes.values()))
    for part in parts:
        commitment = _bytes(part["commitment"])
        with records.open_part(commitment) as (_header, file):
            digests = await objects.put_segments(
                prefixes[commitment], _noting(database, list(prefixes.values()), file)
            )
        if digests != part["segments"]:
            raise CaseIncomplete("a body changed while it was read")
    return prefixes


async def _noting(database: Database, prefixes: list[str], file: IO[bytes]) -> AsyncIterator[bytes]:
    """A body piece by piece; meanwhile the sweep leaves alone what is copied."""
    async with database.connection() as connection:
        await stored_jobs.keep_notes(connection, prefixes, NOTE_MAX_AGE_SECONDS)
    renewed = time.monotonic()
    while chunk := file.read(READ_BYTES):
        yield chunk
        if time.monotonic() - renewed > RENEW_SECONDS:
            async with database.connection() as connection:
                await stored_jobs.keep_notes(connection, prefixes, NOTE_MAX_AGE_SECONDS)
            renewed = time.monotonic()


async def _require_services_in_time(connection: Connection, records: FolderRecords) -> None:
    """Go on only where no case system comes in that would have had to register what a mediator did."""
    latest = await stored_cases.last_registered_by_mediator(connection)
    for row in records.rows("credentials"):
        begins, credential = row["not_before"], row["credential_id"]
        if latest is None or row["role"] != "service" or not isinstance(begins, datetime):
            continue
        assert isinstance(credential, uuid.UUID)  # noqa: S101 - as `rows` gives it
        known = await stored_credentials.find_credential(connection, credential)
        if known is None and latest >= begins:
            raise ServiceTooEarly


async def _insert(
    connection: Connection, records: FolderRecords, prefixes: dict[bytes, str]
) -> None:
    case_id = records.manifest.case
    await stored.begin_import(connection)
    await _require_services_in_time(connection, records)
    for statement in records.statements.values():
        await stored.insert_statement(connection, statement)
    for table in stored.ROWS:
        for row, line in zip(records.rows(table), records.lines(table), strict=True):
            await stored.insert_row(connection, table, _placed(records, table, row, line, prefixes))
    async for log in records.list_log(case_id):
        await stored.insert_event(connection, case_id, log)
    await stored.end_import(connection, case_id)


def _placed(
    records: FolderRecords,
    table: str,
    row: Mapping[str, object],
    line: str,
    prefixes: dict[bytes, str],
) -> str:
    """A row as it is written here: with the bytes that are a file of their own, and where bodies lie now."""
    match table:
        case "charters":
            added = {"key_file": _hex(records.read(charter_path(int(str(row["version"])))))}
        case "grants":
            added = {"header": _hex(records.header_of(row, records.manifest.case))}
        case "parts" if row["object_prefix"] is not None:
            added = {"object_prefix": prefixes[_bytes(row["commitment"])]}
        case "parts":
            with records.open_part(_bytes(row["commitment"])) as (_header, file):
                added = {"body": _hex(file.read())}
        case _:
            return line
    return msgspec.json.encode({**decode_json(line, dict[str, object]), **added}).decode()


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)  # noqa: S101 - as `rows` gives it
    return value


def _hex(data: bytes) -> str:
    return f"\\x{data.hex()}"
