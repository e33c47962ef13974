"""Writes a case into a folder. Nothing is opened: whatever is sealed leaves as it is."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.decoding import decode_json
from relay.domain.cases import CaseDisposed
from relay.domain.messages import Audience
from relay.errors import NotFound
from relay.services import trust
from relay.services.exports.folder import NewFolder, new_folder
from relay.services.exports.layout import (
    FORMAT,
    LOG,
    STATEMENTS,
    VERSION,
    CaseIncomplete,
    Manifest,
    charter_path,
    header_path,
    part_path,
    table_path,
)
from relay.services.exports.lines import Statement, log_row
from relay.settings import Settings
from relay.storage import audit as stored_audit
from relay.storage import cases as stored_cases
from relay.storage import exports as stored
from relay.storage.database import Connection, Database
from relay.storage.objects import Objects


async def export(
    database: Database, objects: Objects, settings: Settings, case_id: uuid.UUID, path: Path
) -> Manifest:
    """Write a case as of one moment into a new folder, and its bodies, which never change, after that.

    It needs the right to read. NotFound, CaseDisposed, FolderNotEmpty; CaseIncomplete where a body is not
    what was signed.
    """
    with new_folder(path) as folder:
        async with database.snapshot() as connection:
            case = await stored_cases.find_case(connection, case_id)
            if case is None:
                raise NotFound("no such case")
            if case.disposed_at is not None:
                raise CaseDisposed(case_id)
            manifest = await _write_rows(connection, settings, case_id, folder)
            bodies = await _write_short_bodies(connection, case_id, folder)
        for body in bodies:
            await _write_body(
                body, objects.read(body.object_prefix or "", 0, body.size_bytes), folder
            )
        folder.finish(manifest)
        return msgspec.structs.replace(manifest, files=folder.files)


async def _write_rows(
    connection: Connection, settings: Settings, case_id: uuid.UUID, folder: NewFolder
) -> Manifest:
    for table in stored.ROWS:
        with folder.file(table_path(table)) as file:
            async for row in stored.list_rows(connection, table, case_id):
                file.write(row.encode() + b"\n")
    await _write_charters(connection, case_id, folder)
    await _write_statements(connection, case_id, folder)
    async for header in stored.list_headers(connection, case_id):
        if (header.audience, header.audience_id) != (Audience.CASE, case_id):
            name = header_path(header.commitment, header.audience, header.audience_id)
            with folder.file(name) as file:
                file.write(header.header)
    rows, head = 0, b""
    with folder.file(LOG) as file:
        async for log in stored_audit.list_log(connection, case_id):
            file.write_line(log_row(log))
            rows, head = rows + 1, log.hash
    left_out = await stored.count_left_out(connection, case_id)
    return Manifest(
        format=FORMAT,
        version=VERSION,
        case=case_id,
        relay=settings.public_url,
        made_at=datetime.now(UTC),
        roots=await trust.root_keys(connection, settings),
        rows=rows,
        head=b64u_encode(head),
        left_out=msgspec.structs.asdict(left_out),
        files=[],
    )


async def _write_charters(connection: Connection, case_id: uuid.UUID, folder: NewFolder) -> None:
    for charter in await stored_cases.list_charters(connection, case_id):
        with folder.file(charter_path(charter.version)) as file:
            file.write(charter.key_file)


async def _write_statements(connection: Connection, case_id: uuid.UUID, folder: NewFolder) -> None:
    credentials = [
        uuid.UUID(str(decode_json(row, dict[str, object])["credential_id"]))
        async for row in stored.list_rows(connection, "credentials", case_id)
    ]
    with folder.file(STATEMENTS) as file:
        async for statement in stored.list_statements(connection, case_id, credentials):
            file.write_line(Statement.of(statement))


async def _write_short_bodies(
    connection: Connection, case_id: uuid.UUID, folder: NewFolder
) -> Sequence[stored.BodyRow]:
    """Write the bodies that rows hold; those that the object store has are given back."""
    rest = []
    async for body in stored.list_bodies(connection, case_id):
        if body.body is None:
            rest.append(body)
        else:
            await _write_body(body, _once(body.body), folder)
    return rest


async def _write_body(
    body: stored.BodyRow, chunks: AsyncIterator[bytes], folder: NewFolder
) -> None:
    """An age file: the header for the case, then the body as it comes."""
    name = part_path(body.commitment)
    if body.header is None:
        raise CaseIncomplete(f"{name}: there is no header for the case")
    hasher = age.SegmentHasher()
    with folder.file(name) as file:
        file.write(body.header)
        async for chunk in chunks:
            hasher.update(chunk)
            file.write(chunk)
    if hasher.finish() != body.segments:
        raise CaseIncomplete(f"{name}: it is not what was signed")


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
