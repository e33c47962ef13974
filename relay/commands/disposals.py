"""`relay disposals`: what whoever restores a backup has to do again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from relay.crypto.errors import ChainError
from relay.services import disposal, processing
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects
from workers.process import load_workers

app = typer.Typer(no_args_is_help=True, help="Cases that were disposed of.")


@app.callback()
def disposals() -> None:
    """Cases that were disposed of."""


@app.command()
def repeat(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Certificates to read besides those in the bucket: one in each file.",
        ),
    ] = None,
) -> None:
    """Dispose again of every case that a backup brought back, as the owner of the database.

    Run it after a restore with the worker's settings, before anything else is started.
    """
    settings = Settings.from_environment(os.environ)
    handed = {} if folder is None else _certificates_in(folder)
    asyncio.run(_repeat(settings, handed))


def _certificates_in(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text("ascii").strip() for path in sorted(folder.iterdir())}


async def _repeat(settings: Settings, handed: Mapping[str, str]) -> None:
    workers = load_workers(settings)
    database = await Database.connect(settings.database_url, connections=1)
    objects = await Objects.connect(settings)
    try:
        worker = await processing.require_a_worker(database, workers)
        certificates = {**await disposal.read_certificates(objects), **handed}
        for name, compact in certificates.items():
            try:
                case_id, outcome = await disposal.repeat(database, settings, worker, compact)
            except ChainError as error:
                raise ChainError(f"{name}: {error.detail}") from None
            typer.echo(f"{case_id} {outcome}")
    finally:
        await objects.close()
        await database.close()
