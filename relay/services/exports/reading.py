"""Verifies an export, from its files alone: that each is as it was written, then what an audit verifies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from relay.services.audit.walk import Audited, audit_records
from relay.services.exports.folder import check_files, read_manifest
from relay.services.exports.layout import ExportAltered
from relay.services.exports.records import FolderRecords
from relay.settings import Settings


def open_export(path: Path) -> FolderRecords:
    """An export whose files are those of its list; NoExport, ExportVersionUnknown, ExportAltered."""
    manifest = read_manifest(path)
    check_files(path, manifest)
    records = FolderRecords(path, manifest)
    cases = [row["case_id"] for row in records.rows("cases")]
    if cases != [manifest.case]:
        raise ExportAltered("its rows are not of the case that it names")
    if records.ends() != (manifest.rows, manifest.head):
        raise ExportAltered("its log does not end where it says")
    if records.names() != {file.path for file in manifest.files}:
        raise ExportAltered("its files are not those that its rows speak of")
    return records


async def audit_export(records: FolderRecords, settings: Settings) -> AsyncIterator[Audited]:
    """Everything that does not hold in it, as `audit` finds it in a database. NoRoots, NoExport."""
    async for audited in audit_records(records, settings):
        yield audited
