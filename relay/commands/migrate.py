"""`relay migrate`: brings the database schema up to date."""

from __future__ import annotations

import asyncio
import os

from rich.console import Console

from relay.settings import database_url
from relay.storage import database


def migrate() -> None:
    """Apply the migrations that are missing, as the owner of the database, and set what each role may do.

    Safe to run again and by several at once. Of the settings it reads RELAY_DATABASE_URL alone.
    """
    applied = asyncio.run(database.migrate(database_url(os.environ)))
    console = Console()
    for name in applied:
        console.print(f"applied {name}")
    if not applied:
        console.print("the schema is up to date")
