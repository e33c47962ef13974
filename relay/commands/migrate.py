"""`relay migrate`: brings the database schema up to date."""

from __future__ import annotations

import asyncio
import os

from rich.console import Console

from relay.settings import Settings
from relay.storage import database


def migrate() -> None:
    """Apply the migrations that are missing; safe to run again and by several at once."""
    settings = Settings.from_environment(os.environ)
    applied = asyncio.run(database.migrate(settings.database_url))
    console = Console()
    for name in applied:
        console.print(f"applied {name}")
    if not applied:
        console.print("the schema is up to date")
