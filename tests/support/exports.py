"""A case with letters and videos, a second relay of the same organization, and exports between them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from relay.services.audit.findings import Finding
from relay.services.exports.importing import import_case
from relay.services.exports.layout import MANIFEST, Manifest
from relay.services.exports.reading import audit_export, open_export
from relay.services.exports.writing import export
from relay.services.processing import MediaWorker
from relay.services.uploads import sweep_orphans
from relay.settings import Settings
from relay.storage import exports as stored
from relay.storage.database import Database
from relay.storage.objects import Objects
from relay.testing.people import Case, Organization, open_case
from tests.support.prepared_videos import prepare

CAPTIONS: Final = "WEBVTT\n\n00:01.000 --> 00:02.000\nWords.\n"
ORIGINAL: Final = b"what a camera made " * 1000
LETTER: Final = "Why did you come?"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A case in which much has happened, at one relay."""

    case: Case
    opened: uuid.UUID
    """A letter that its recipient has opened."""
    watched: uuid.UUID
    """A video that its recipient has opened."""
    offered: uuid.UUID
    """A letter that waits for its recipient."""
    queued: uuid.UUID
    """A letter that waits for review."""
    processing: uuid.UUID
    """A video that waits for a worker."""


async def tell(people: Organization, settings: Settings, videos: int = 2) -> Told:
    """Letters in several states and some videos; `settings` are a media worker's."""
    credential_id, keyring = await people.enrol("media")
    worker = MediaWorker(credential_id=credential_id, keyring=keyring)
    case = await open_case(people)
    harmed, to = case.harmed, case.responsible.participant_id
    opened = (await harmed.send_letter(to, LETTER)).message
    await _offer(case, opened)
    await case.responsible.respond(await case.responsible.offered(opened), "accept")
    await case.responsible.open(await case.responsible.offered(opened))
    sent = [
        (await harmed.send_video(to, io.BytesIO(ORIGINAL), "video/mp4")).message
        for _ in range(videos)
    ]
    objects = await Objects.connect(settings)
    try:
        for video in sent:
            await prepare(settings, worker, video, objects=objects)
    finally:
        await objects.close()
    leased = await case.mediator.lease(sent[0])
    await case.mediator.offer(
        await case.mediator.decide(await case.mediator.caption(leased, text=CAPTIONS), "approve")
    )
    await case.responsible.respond(await case.responsible.offered(sent[0]), "accept")
    await case.responsible.open(await case.responsible.offered(sent[0]))
    offered = (await harmed.send_letter(to, "A second letter.")).message
    await _offer(case, offered)
    queued = (await harmed.send_letter(to, "A third one.")).message
    processing = (await harmed.send_video(to, io.BytesIO(ORIGINAL), "video/mp4")).message
    return Told(
        case=case,
        opened=opened,
        watched=sent[0],
        offered=offered,
        queued=queued,
        processing=processing,
    )


async def _offer(case: Case, message: uuid.UUID) -> None:
    await case.mediator.offer(
        await case.mediator.decide(await case.mediator.lease(message), "approve")
    )


async def exported(settings: Settings, case_id: uuid.UUID, path: Path) -> Manifest:
    """What `relay export` does."""
    database = await Database.connect(settings.database_url, connections=1)
    objects = await Objects.connect(settings)
    try:
        return await export(database, objects, settings, case_id, path)
    finally:
        await objects.close()
        await database.close()


async def imported(settings: Settings, path: Path) -> Manifest:
    """What `relay import` does; `settings` are those of the owner of the database."""
    database = await Database.connect(settings.database_url, connections=2)
    objects = await Objects.connect(settings)
    try:
        return await import_case(database, objects, settings, path)
    finally:
        await objects.close()
        await database.close()


async def sweep_orphans_of(settings: Settings, now: datetime) -> None:
    """What the sweep of a worker with these settings removes, as of a time."""
    database = await Database.connect(settings.database_url, connections=1)
    objects = await Objects.connect(settings)
    try:
        await sweep_orphans(database, objects, now)
    finally:
        await objects.close()
        await database.close()


async def rows_of(url: str, case_id: uuid.UUID) -> dict[str, list[Any]]:
    """Every row of a case in every table that is exported, by table; for the owner."""
    database = await Database.connect(url, connections=1)
    try:
        async with database.snapshot() as connection:
            return {
                table: [
                    json.loads(row) async for row in stored.list_rows(connection, table, case_id)
                ]
                for table in stored.ROWS
            }
    finally:
        await database.close()


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The rows in a file of an export."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def listed_again(path: Path) -> None:
    """Make the list of an export fit its files, as somebody would who changed them on purpose."""
    manifest = json.loads((path / MANIFEST).read_bytes())
    files = [file for file in path.rglob("*") if file.is_file() and file.name != MANIFEST]
    manifest["files"] = [
        {
            "path": str(file.relative_to(path)),
            "size": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in files
    ]
    manifest["files"].sort(key=lambda file: file["path"])
    (path / MANIFEST).write_bytes(encoded(manifest))


def encoded(manifest: dict[str, Any]) -> bytes:
    """The list of an export as relay writes it."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


async def findings_of(path: Path, settings: Settings) -> list[Finding]:
    """What `relay audit verify --export` finds."""
    return [
        finding
        async for audited in audit_export(open_export(path), settings)
        for finding in audited.findings
    ]


def run(
    settings: Settings, *arguments: str | Path, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `relay` as whoever operates this relay does."""
    return subprocess.run(
        [sys.executable, "-m", "relay", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**environment_of(settings), **more},
    )


def peak_of(settings: Settings, *arguments: str | Path) -> int:
    """The most memory that such a command needs, in bytes."""
    command = [sys.executable, "-m", "relay", *map(str, arguments)]
    process = subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


def environment_of(settings: Settings) -> Mapping[str, str]:
    """What such a command is told."""
    return {
        "PATH": os.environ["PATH"],
        "COLUMNS": "200",
        "RELAY_DATABASE_URL": settings.database_url,
        "RELAY_REDIS_URL": settings.redis_url,
        "RELAY_S3_ENDPOINT": settings.s3_endpoint,
        "RELAY_S3_ACCESS_KEY": settings.s3_access_key,
        "RELAY_S3_SECRET_KEY": settings.s3_secret_key,
        "RELAY_S3_BUCKET": settings.s3_bucket,
        "RELAY_ROOT_PUBLIC_KEYS": settings.root_public_keys,
        "RELAY_PUBLIC_URL": settings.public_url,
    }
