"""What an export of a case is: a folder of files, and the list of them. docs/export.md has the format."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

import msgspec

from relay.crypto.encoding import b64u_encode
from relay.errors import RelayError

FORMAT: Final = "relay-export"
VERSION: Final = 1

MANIFEST: Final = "manifest.json"
LOG: Final = "log.jsonl"
STATEMENTS: Final = "statements.jsonl"


class FolderNotEmpty(RelayError):
    """There is something where an export is to be written."""

    code = "folder-not-empty"


class CaseIncomplete(RelayError):
    """A part of a case lacks its body or the header for the case, or is not what was signed."""

    code = "case-incomplete"


class NoExport(RelayError):
    """A folder that is no whole export of a case."""

    code = "no-export"


class ExportVersionUnknown(RelayError):
    """An export in a version of the format that this relay does not read."""

    code = "export-version-unknown"


class ExportAltered(RelayError):
    """A file of an export is missing, added or not as it was written."""

    code = "export-altered"


class ExportUnsound(RelayError):
    """What an export holds does not verify."""

    code = "export-unsound"


class OtherRoots(RelayError):
    """An export of an organization with another root."""

    code = "other-roots"


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an export."""

    path: str
    """From the folder, with `/`."""
    size: int
    sha256: str
    """In hexadecimal digits, as `sha256sum` prints it."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export is, and what is in it; written last, so that without it there is none."""

    format: str
    version: int
    case: uuid.UUID
    relay: str
    """The public address of the relay that wrote it."""
    made_at: datetime
    roots: list[str]
    """Public keys of the organization's roots, base64url: the statements lead up to them."""
    rows: int
    """Of the log."""
    head: str
    """The hash of its last row, base64url."""
    left_out: dict[str, int]
    """What of the case cannot live on elsewhere, and how much there was of it."""
    files: list[ExportedFile]


def table_path(table: str) -> str:
    """The rows of a table."""
    return f"tables/{table}.jsonl"


def charter_path(version: int) -> str:
    """The keys of the case, sealed for the mediators and recovery keys of one charter."""
    return f"charters/{version:04}.age"


def part_path(commitment: bytes) -> str:
    """A part, sealed for the case."""
    return f"parts/{b64u_encode(commitment)}.age"


def header_path(commitment: bytes, audience: str, audience_id: object) -> str:
    """The header that opens the same part for somebody else."""
    return f"headers/{b64u_encode(commitment)}.{audience}.{audience_id}"
