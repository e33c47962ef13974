"""`relay objects`: what lies in the bucket and belongs to nothing."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from relay.services.unreferenced import list_unreferenced
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects

app = typer.Typer(no_args_is_help=True, help="The objects in the bucket.")


@app.callback()
def objects() -> None:
    """The objects in the bucket."""


@app.command()
def unreferenced(
    *,
    remove: Annotated[
        bool, typer.Option("--remove", help="Have the sweep of a worker remove them.")
    ] = False,
) -> None:
    """Print what no row of the database refers to, with a worker's settings; then how many there were."""
    settings = Settings.from_environment(os.environ)
    asyncio.run(_print(settings, remove=remove))


async def _print(settings: Settings, *, remove: bool) -> None:
    database = await Database.connect(settings.database_url, connections=1)
    bucket = await Objects.connect(settings)
    count = 0
    try:
        async for prefix in list_unreferenced(database, bucket, note=remove):
            typer.echo(prefix)
            count += 1
    finally:
        await bucket.close()
        await database.close()
    typer.echo(f"{count} of them, {'to be removed' if remove else 'left as they are'}")
