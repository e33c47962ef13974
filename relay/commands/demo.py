"""`relay demo`: everything on this machine, the main job told line by line, and then it stays up."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.padding import Padding

from relay.demo.case_system_page import CaseSystemPage, case_system_page, invented_names
from relay.demo.story import tell
from relay.demo.visiting import Visit, prepare_visit
from relay.services.pages import BUILT
from relay.testing.people import organization
from relay.testing.relays import RunningRelay, running_relay

INDENT = (0, 2, 0, 2)

_Value = TypeVar("_Value")


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    data: Annotated[
        Path, typer.Option(help="Where databases, objects, keys and logs of the demo live.")
    ] = Path(".relay"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
) -> None:
    """Start everything on this machine and play the main job, from the root key to the recipient.

    Exit code 1 where anything is not as it must be. Ctrl-C ends it; what it stored is there the next time.
    """
    console = Console(highlight=False)
    asyncio.run(_demo(console, data.absolute(), port, once=once))


async def _demo(console: Console, data: Path, port: int, *, once: bool) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as context:
        with console.status("starting Postgres, Redis, S3, the web service and a media worker"):
            page = await context.enter_async_context(case_system_page())
            settings = {"RELAY_EMBED_ORIGINS": page.origin}
            starting = context.enter_async_context(
                running_relay(data, port=port, settings=settings)
            )
            running = await unless(stopped, starting)
        if running is None:
            return
        with tempfile.TemporaryDirectory(prefix="relay-demo-") as workplace:
            story = tell(
                running, lambda line: console.print(Padding(line, INDENT)), Path(workplace)
            )
            told = await unless(stopped, story)
        if told is None:
            return
        console.print(f"\n  [green]The whole story in {told.seconds:.0f} s.[/green]")
        if once:
            return
        visit = await unless(stopped, prepare(running, page))
        if visit is not None:
            where_to_click(console, visit, page)
        _how_to_go_on(console, running)
        await stopped.wait()
        console.print("\n  stopping; nothing is lost")


async def prepare(running: RunningRelay, page: CaseSystemPage) -> Visit | None:
    """A fresh case for a visitor with a browser; None where there are no pages to visit."""
    if not (BUILT / "integrity.json").exists():
        return None
    async with organization(running.url, running.root, running.token_key) as people:
        visit = await prepare_visit(people, running.folder / "demo")
        page.name(invented_names(visit.case_id, visit.harmed_id, visit.responsible_id))
        await page.embed(
            running.url, people.administrator.fingerprint, people.case_system, visit.mediator
        )
        return visit


def where_to_click(console: Console, visit: Visit, page: CaseSystemPage) -> None:
    """The ways into the fresh case, each on a line of its own so that a terminal makes it a link."""
    console.print(
        "\n  [bold]Now it is your turn[/bold], in a fresh case where nobody has come yet:"
    )
    for who, url in (
        ("the person harmed", visit.harmed_url),
        ("the person responsible", visit.responsible_url),
        ("one letter or video of the person harmed, without an account", visit.upload_url),
        ("the mediator's console", visit.console_url),
        ("the same console inside a case system", f"{page.origin}/"),
    ):
        console.print(f"    {who}")
        console.print(f"      {url}", soft_wrap=True, markup=False)
    console.print("    the mediator's keys, to choose in the console, and their passphrase")
    console.print(f"      {visit.keyring_file}", soft_wrap=True, markup=False)
    console.print(f"      {visit.passphrase}", markup=False)


async def unless(stopped: asyncio.Event, work: Coroutine[None, None, _Value]) -> _Value | None:
    """What `work` comes to, or None where a person stops it before its end."""
    task = asyncio.create_task(work)
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None
    return task.result()


def _how_to_go_on(console: Console, running: RunningRelay) -> None:
    names = ("RELAY_DATABASE_URL", "RELAY_ROOT_PUBLIC_KEYS", "RELAY_PUBLIC_URL")
    settings = " ".join(f"{name}='{running.environment[name]}'" for name in names)
    console.print(
        f"\n  relay answers at [bold]{running.url}[/bold]  ({running.url}/readyz)"
        f"\n  its logs are {running.folder}/web.log and {running.folder}/worker.log"
        f"\n  verify the log yourself:  (the database's address has a password; it is secret)"
    )
    console.print(f"    {settings} relay audit verify", soft_wrap=True, markup=False)
    console.print("  Ctrl-C ends it; what it stored is there the next time.")
