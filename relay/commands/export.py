"""`relay export`: a case as a folder of ordinary age files, statements and log, to keep or to move."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from relay.services.exports.layout import Manifest
from relay.services.exports.writing import export as write
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects


def export(
    case: Annotated[uuid.UUID, typer.Argument(help="The case.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="New or empty folder.")
    ],
) -> None:
    """Write a case into a folder: sealed as it is, with all that was signed and the log.

    It needs the right to read database and object store, and no key. The folder is there only once it is
    whole. docs/export.md says what is in it.
    """
    settings = Settings.from_environment({"RELAY_REDIS_URL": "", **os.environ})  # it asks no Redis
    manifest = asyncio.run(_export(settings, case, output))
    size = sum(file.size for file in manifest.files)
    console = Console()
    console.print(f"{len(manifest.files)} files, {size} bytes; {manifest.rows} rows of the log")
    for name, count in manifest.left_out.items():
        if count:
            console.print(f"left out: {count} {name}")


async def _export(settings: Settings, case_id: uuid.UUID, path: Path) -> Manifest:
    database = await Database.connect(settings.database_url, connections=1)
    try:
        objects = await Objects.connect(settings)
        try:
            return await write(database, objects, settings, case_id, path)
        finally:
            await objects.close()
    finally:
        await database.close()
