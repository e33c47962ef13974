"""`python -m bench.load [--seconds N] [--seed N] [--json FILE]`: ten minutes, unless told otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
import uvloop
from rich.console import Console

from bench.load.crowd import Crowd
from bench.load.run import Load, load
from bench.rows import line, objects

LOGS: Final = Path(".cache/load")


def main(
    seconds: Annotated[float, typer.Option(help="For how long people are at work.")] = 600,
    seed: Annotated[int | None, typer.Option(help="The same choices again.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures there, too.")] = None,
) -> None:
    """Let a thousand people be at work at once, and end with 1 where a bar does not hold."""
    console = Console()
    chosen = secrets.randbelow(10**6) if seed is None else seed
    crowd = Crowd(seconds=seconds, seed=chosen)
    console.print(
        f"{crowd.feeds} live feeds, {crowd.phones} phones that send videos, {crowd.mediators} mediators, "
        f"{crowd.letters_per_second:g} letters a second, {crowd.workers} workers: {seconds:g} seconds, "
        f"seed {chosen}; load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    try:
        with console.status("people are at work"):
            found = uvloop.run(_interruptible(crowd))
    except asyncio.CancelledError:
        console.print("[red]interrupted[/red]")
        raise typer.Exit(130) from None
    for row in found.rows:
        console.print(line(row))
    for note in found.notes:
        console.print(note, highlight=False)
    for what, count in sorted(found.errors.items()):
        console.print(f"[red]{count} times[/red] {what}", highlight=False)
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(objects(found.rows))) + b"\n")
    if not all(row.holds for row in found.rows):
        raise typer.Exit(1)


async def _interruptible(crowd: Crowd) -> Load:
    """A run that SIGINT and SIGTERM end, with all that it started."""
    working = asyncio.ensure_future(load(crowd, kept=LOGS))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait({working})
    return working.result()


if __name__ == "__main__":
    typer.run(main)
