"""`relay doctor`: looks at a set-up, and says what is wrong and what to do about it."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from relay.doctor.checks import Check, Level
from relay.doctor.configuration import Process, process_of
from relay.doctor.examination import examine

_COLOUR: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(
    *,
    process: Annotated[
        Process | None,
        typer.Option(
            "--process",
            help="Whose settings these are: a worker's where they name its keys, a deliverer's where they "
            "name its receivers.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead.")] = False,
) -> None:
    """Check the settings in the environment and every service that they name; exit code 1 where one fails.

    Run it where the process runs, as its user, with its environment. It writes one object to the store, and
    removes it again; nothing else is changed. It prints no secret.
    """
    checks = asyncio.run(_run(process or process_of(os.environ), as_json=as_json))
    if as_json:
        typer.echo(msgspec.json.encode(checks).decode())
    if any(check.level is Level.FAIL for check in checks):
        raise typer.Exit(1)


async def _run(process: Process, *, as_json: bool) -> list[Check]:
    console = Console(soft_wrap=True)
    checks: list[Check] = []
    async for check in examine(os.environ, process):
        checks.append(check)
        if not as_json:
            colour = _COLOUR[check.level]
            console.print(
                f"[{colour}]{check.level.value:<4}[/] {check.check:<18} {escape(check.says)}",
                highlight=False,
            )
    return checks
