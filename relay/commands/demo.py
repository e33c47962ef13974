"""`relay demo`: everything on this machine, the main job told line by line, and then it stays up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shlex
import signal
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.padding import Padding

from relay.demo.beside import Beside, relay_beside
from relay.demo.example_host import (
    CLERK,
    STAFF_PASSWORD,
    WEBHOOK_PATH,
    ExampleHost,
    entries_of,
    everything_delivered,
    example_host,
    is_there,
)
from relay.demo.mailbox import Mailbox, mailbox
from relay.demo.story import tell
from relay.demo.visiting import NAMES, Visit, kept_mediators, prepare_visit
from relay.services.pages import BUILT
from relay.testing.people import PASSPHRASE, organization
from relay.testing.relays import RunningRelay, free_port, keys_of, running_relay

INDENT = (0, 2, 0, 2)

_Value = TypeVar("_Value")


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    data: Annotated[
        Path, typer.Option(help="Where databases, objects, keys and logs of the demo live.")
    ] = Path(".relay"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
    case_system: Annotated[
        str | None,
        typer.Option(
            help="http://127.0.0.1:PORT of a case system that you write: no story is told, and relay takes"
            " its tokens, lets it embed the console and sends it events (docs/start.md)."
        ),
    ] = None,
) -> None:
    """Start everything on this machine and play the main job, from the root key to the recipient.

    Exit code 1 where anything is not as it must be. Ctrl-C ends it; what it stored is there the next time.
    """
    console = Console(highlight=False)
    if case_system is None:
        asyncio.run(_demo(console, data.absolute(), port, once=once))
    else:
        asyncio.run(_beside(console, data.absolute(), port, case_system, once=once))


def _stopped() -> asyncio.Event:
    """Set once somebody asks this process to end."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _beside(console: Console, data: Path, port: int, origin: str, *, once: bool) -> None:
    stopped = _stopped()
    async with contextlib.AsyncExitStack() as context:
        with console.status("starting Postgres, Redis, S3 and relay"):
            starting = context.enter_async_context(relay_beside(data, origin, port))
            beside = await unless(stopped, starting)
        if beside is None:
            return
        _what_it_needs(console, beside)
        if not once:
            await stopped.wait()
        console.print("\n  stopping; nothing is lost")


def _what_it_needs(console: Console, beside: Beside) -> None:
    console.print("\n  [bold]relay is up.[/bold] What your case system needs to know:\n")
    for name, value in beside.settings.items():
        console.print(f"export {name}={shlex.quote(value)}", soft_wrap=True, markup=False)
    console.print("")
    _line(console, "the passphrase of the mediators, in the console", PASSPHRASE)
    console.print(f"  logs: {beside.running.folder}/web.log and deliverer.log.  Ctrl-C ends it.")


async def _demo(console: Console, data: Path, port: int, *, once: bool) -> None:
    stopped = _stopped()
    async with contextlib.AsyncExitStack() as context:
        with console.status("starting Postgres, Redis, S3, relay and a case system"):
            started = await unless(stopped, start(context, data, port))
        if started is None:
            return
        with tempfile.TemporaryDirectory(prefix="relay-demo-") as workplace:
            story = tell(
                started.running, lambda line: console.print(Padding(line, INDENT)), Path(workplace)
            )
            told = await unless(stopped, story)
        if told is None:
            return
        console.print(f"\n  [green]The whole story in {told.seconds:.0f} s.[/green]")
        visit = await unless(stopped, prepare(started))
        if visit is not None and started.host is not None:
            console.print("  A case system that embeds relay has taken every event of it.")
        if visit is not None and not once:
            where_to_click(console, visit, started)
        if once or stopped.is_set():
            return
        _how_to_go_on(console, started)
        await stopped.wait()
        console.print("\n  stopping; nothing is lost")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What runs. An installed relay has no folder of the case system, and None of its two parts."""

    running: RunningRelay
    host: ExampleHost | None
    mails: Mailbox | None


async def start(context: contextlib.AsyncExitStack, data: Path, port: int) -> Started:
    """Start relay, and the case system that embeds it; both end with the context."""
    if not is_there():
        running = await context.enter_async_context(running_relay(data, port=port))
        return Started(running=running, host=None, mails=None)
    mails = await context.enter_async_context(mailbox())
    host_port = free_port()
    origin = f"http://127.0.0.1:{host_port}"
    running = await context.enter_async_context(
        running_relay(
            data,
            port=port,
            settings={"RELAY_EMBED_ORIGINS": origin},
            receiver=f"{origin}{WEBHOOK_PATH}",
        )
    )
    host = await context.enter_async_context(example_host(running, host_port, mails))
    return Started(running=running, host=host, mails=mails)


async def prepare(started: Started) -> Visit | None:
    """A fresh case for a visitor with a browser; None where there are no pages to visit."""
    if not (BUILT / "integrity.json").exists():
        return None
    running = started.running
    async with organization(
        running.url, running.root, running.token_key, keys=keys_of(running)
    ) as people:
        mediators = await kept_mediators(people, running.folder / "demo")
        visit = await prepare_visit(people, mediators)
        if started.host is not None:
            await started.host.load(entries_of(mediators, visit))
            await everything_delivered(people.case_system)
    return visit


def where_to_click(console: Console, visit: Visit, started: Started) -> None:
    """The ways into the fresh case, each on a line of its own so that a terminal makes it a link."""
    if started.host is not None and started.mails is not None:
        console.print("\n  [bold]A case system that embeds relay[/bold], deploy/example-host:")
        _line(console, "its pages", f"{started.host.url}/")
        names = ", ".join((*(login for login, _name in NAMES), CLERK))
        _line(console, f"its logins: {names} (the clerk); the password of each", STAFF_PASSWORD)
        _line(console, "a mediator's passphrase, for the messages in its pages", visit.passphrase)
        _line(console, "the e-mails that it sends", started.mails.url)
    else:
        console.print(
            "\n  This relay was installed without deploy/example-host, a case system that embeds it."
            "\n  It is in relay's sources, where `make demo` shows it."
        )
    console.print(
        f"\n  [bold]Now it is your turn[/bold], in a fresh case where nobody has come yet, {visit.reference}:"
    )
    for who, url in (
        ("the person harmed", visit.harmed_url),
        ("the person responsible", visit.responsible_url),
        ("one letter or video of the person harmed, without an account", visit.upload_url),
        ("the mediator's console by itself", visit.console_url),
    ):
        _line(console, who, url)
    _line(console, "the mediator's keys, to choose in that console", str(visit.keyring_file))
    _line(console, "their passphrase", visit.passphrase)


def _line(console: Console, what: str, value: str) -> None:
    console.print(f"    {what}", highlight=False)
    console.print(f"      {value}", soft_wrap=True, markup=False)


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


def _how_to_go_on(console: Console, started: Started) -> None:
    running = started.running
    names = ("RELAY_DATABASE_URL", "RELAY_ROOT_PUBLIC_KEYS", "RELAY_PUBLIC_URL")
    settings = " ".join(f"{name}='{running.environment[name]}'" for name in names)
    console.print(
        f"\n  relay answers at [bold]{running.url}[/bold]  ({running.url}/readyz)"
        f"\n  its logs are {running.folder}/web.log, worker.log and deliverer.log"
        f"\n  verify the log yourself:  (the database's address has a password; it is secret)"
    )
    console.print(f"    {settings} relay audit verify", soft_wrap=True, markup=False)
    console.print("  Ctrl-C ends it; what it stored is there the next time.")
