"""`relay check-jail`: shows whether hostile media could get out of its jail on this machine."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from relay.media import jail_check
from relay.media.errors import JailUnavailable
from relay.media.tools import MediaTools

WHAT = {
    "network": "connect to a service of this machine, by address and by abstract name",
    "files": "read /etc/passwd and other files of this machine",
    "keys": "read a key file that anyone may read",
    "environment": "find the worker's environment",
    "descriptors": "use a file that the worker has open",
    "write": "leave a file anywhere",
    "signals": "end a process of this machine",
    "memory": "fill more memory than granted",
    "hidden_memory": "take memory that no limit counts",
    "forks": "start other processes",
    "threads": "start more threads than granted",
    "namespaces": "become root in a namespace of its own",
    "privileges": "find a capability, root or an unfiltered call",
    "flood": "write an answer without end",
    "endless": "never come to an end",
}


def check_jail(
    ffmpeg: Annotated[
        str, typer.Option(envvar="RELAY_FFMPEG", help="Another ffmpeg than the bundled one.")
    ] = "",
    bubblewrap: Annotated[
        str, typer.Option(envvar="RELAY_BUBBLEWRAP", help="The bwrap program.")
    ] = "bwrap",
) -> None:
    """Attack the media jail from inside. Exit code 0 if all holds, 1 if not, 2 if there is no jail."""
    console = Console()
    try:
        tools = MediaTools.find(ffmpeg=ffmpeg, bubblewrap=bubblewrap)
        checks = asyncio.run(jail_check.check_jail(tools))
    except JailUnavailable as error:
        console.print(f"[bold red]No jail:[/] {error.sentence('en')}")
        console.print(error.detail or "", markup=False)
        raise typer.Exit(2) from None
    table = Table("check", "a program in the jail tries to", "result")
    for check in checks:
        name = check.name.replace("_", " ")
        result = "[green]holds[/]" if check.holds else f"[bold red]FAILS[/] {escape(check.found)}"
        table.add_row(name, WHAT[check.name], result)
    console.print(table)
    if not all(check.holds for check in checks):
        console.print("[bold red]The jail does not hold. A worker refuses to start here.[/]")
        raise typer.Exit(1)
    console.print(f"All {len(checks)} checks hold.")
