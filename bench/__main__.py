"""`python -m bench [--json FILE] [PART…]`: ratios, each printed as soon as it is measured."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvloop
from rich.console import Console

from bench.rows import Row, line, objects

PARTS = (
    "sealing",
    "transfer",
    "worker",
    "letters",
    "lists",
    "live",
    "strangers",
    "scale",
    "traces",
    "browser",
)


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures there, too.")] = None,
) -> None:
    """Measure, and end with 1 where a bar does not hold or a part could not be measured."""
    wanted = parts or list(PARTS)
    if unknown := sorted({*wanted} - {*PARTS}):
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(PARTS)}")
    console = Console()
    found: list[Row] = []
    failed: list[str] = []
    for part in wanted:
        try:
            uvloop.run(_measure(part, console, found))
        except Exception:  # noqa: BLE001 - what was measured before is kept, and so is what comes after
            console.print_exception()
            failed.append(part)
        if json is not None:
            json.write_bytes(msgspec.json.format(msgspec.json.encode(objects(found))) + b"\n")
    if failed:
        console.print(f"[red]not measured to the end: {', '.join(failed)}[/red]")
    if failed or not all(row.holds for row in found):
        raise typer.Exit(1)


async def _measure(part: str, console: Console, found: list[Row]) -> None:
    with console.status(f"measuring {part}"):
        async for row in importlib.import_module(f"bench.{part}").rows():
            found.append(row)
            console.print(line(row))


if __name__ == "__main__":
    typer.run(main)
