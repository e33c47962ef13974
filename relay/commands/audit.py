"""`relay audit`: verifies the log, without any key and without content."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from relay.services.audit import BrokenChain, verify_log
from relay.settings import database_url
from relay.storage.database import Database

app = typer.Typer(no_args_is_help=True, help="Verify the append-only log.")


@app.callback()
def audit() -> None:
    """Verify the append-only log."""


@app.command()
def verify(
    *, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only.")] = False
) -> None:
    """Verify the hash chain of every case; exit code 1 where a row is altered, missing or reordered.

    Of the settings it reads RELAY_DATABASE_URL alone; the web service's role may read what it needs.
    """
    cases, rows, broken = asyncio.run(_verify(database_url(os.environ), quiet=quiet))
    console = Console()
    for problem in broken:
        console.print(f"[red]case {problem.case}, row {problem.seq}: {problem.reason}[/red]")
    if broken:
        raise typer.Exit(1)
    if not quiet:
        console.print(f"{rows} rows in the logs of {cases} cases are whole and in order")


async def _verify(url: str, *, quiet: bool) -> tuple[int, int, list[BrokenChain]]:
    database = await Database.connect(url, connections=1)
    cases = rows = 0
    broken = []
    try:
        with Progress(transient=True, disable=quiet) as progress:
            task = progress.add_task("verifying", total=None)
            async for _case, count, problem in verify_log(database):
                cases += 1
                rows += count
                progress.update(task, advance=1, description=f"{cases} cases, {rows} rows")
                if problem is not None:
                    broken.append(problem)
    finally:
        await database.close()
    return cases, rows, broken
