"""`python -m bench [--json FILE] [NAME…]`: one table of ratios."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bench.rows import Row

BENCHES = ("sealing", "transfer", "worker", "letters", "queue", "browser")


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(BENCHES)}.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures there, too.")] = None,
) -> None:
    """Measure, print one table, and end with 1 where a bar does not hold."""
    console = Console()
    found: list[Row] = []
    for name in names or BENCHES:
        with console.status(f"measuring {name}"):
            found += importlib.import_module(f"bench.{name}").rows()
    console.print(_table(found))
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(_objects(found))) + b"\n")
    if not all(row.holds for row in found):
        raise typer.Exit(1)


def _objects(found: list[Row]) -> list[dict[str, object]]:
    return [{**msgspec.structs.asdict(row), "holds": row.holds} for row in found]


def _table(found: list[Row]) -> Table:
    table = Table("what", "figure", "against", "ratio", "bar", "holds")
    for row in found:
        sign = "≥" if row.better == "higher" else "≤"
        table.add_row(
            row.name,
            f"{row.value:,.1f} {row.unit}",
            row.peer,
            f"{row.ratio:.2f}",
            f"{sign} {row.bar:g}",
            "[green]yes[/green]" if row.holds else "[red]no[/red]",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
