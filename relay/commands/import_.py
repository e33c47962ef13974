"""`relay import`: takes in a case that another relay has exported."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from relay.services.exports.importing import import_case
from relay.services.exports.layout import Manifest
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects


def import_(
    folder: Annotated[Path, typer.Argument(help="What `relay export` wrote.")],
) -> None:
    """Take in a case from a folder: verified first, then all of it or nothing.

    Run as `relay migrate` is, with the address of the database's owner, and with that of the object store.
    """
    settings = Settings.from_environment({"RELAY_REDIS_URL": "", **os.environ})  # it asks no Redis
    manifest = asyncio.run(_import(settings, folder))
    Console().print(f"case {manifest.case} is here, with {manifest.rows} rows of its log")


async def _import(settings: Settings, folder: Path) -> Manifest:
    database = await Database.connect(settings.database_url, connections=2)
    try:
        objects = await Objects.connect(settings)
        try:
            return await import_case(database, objects, settings, folder)
        finally:
            await objects.close()
    finally:
        await database.close()
