"""`python -m dev`: the demo's services and people, on a relay that follows what is saved.

A change in `relay/`, `workers/` or `deploy/example-host/` starts all processes again, on the same data. A
change in `web/` builds the pages again, and the web service then serves these. An open page is reloaded by
hand: one that listened for changes would need a program and an address that the pages do not have, and what
is served here is what is served anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from watchfiles import DefaultFilter, awatch

from relay.commands.demo import Started, prepare, start, unless, where_to_click
from relay.demo.example_host import case_entry
from relay.demo.visiting import kept_mediators
from relay.errors import RelayError
from relay.testing.letters import FIRST_LETTER
from relay.testing.people import PASSPHRASE, open_case, organization
from relay.testing.relays import RunningRelay, keys_of, start_process

ROOT: Final = Path(__file__).parents[1]
CODE: Final = (ROOT / "relay", ROOT / "workers", ROOT / "deploy" / "example-host")
PAGES: Final = (
    *(
        ROOT / "web" / name
        for name in ("src", "participant.html", "console.html", "build.mjs", "vite.config.ts")
    ),
    ROOT / "docs" / "openapi.yaml",
)
MADE: Final = (ROOT / "relay" / "pages", ROOT / "web" / "src" / "client" / "schema.d.ts")
"""What a build of the pages writes itself."""
SCHEMA: Final = (
    ROOT / "relay" / "storage" / "migrations",
    ROOT / "relay" / "storage" / "grants.sql",
)
TAIL_LINES: Final = 12


class NotFollowed(Exception):
    """What was saved cannot be served; what to read about it."""


def main(
    *,
    data: Annotated[
        Path, typer.Option(help="Where databases, objects, keys and logs live; the demo's.")
    ] = Path(".relay"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
) -> None:
    """Run relay with demo data, and follow what is saved.

    Ctrl-C ends it; what it kept is there the next time.
    """
    console = Console(highlight=False)
    if not asyncio.run(_develop(console, data.absolute(), port)):
        raise typer.Exit(1)


async def _develop(console: Console, data: Path, port: int) -> bool:
    """Whether it ran until it was stopped."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    saved: asyncio.Queue[set[Path]] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(_notice(saved, stopped))  # before anything starts from the files
        try:
            await _run(console, data, port, saved, stopped)
        except RelayError as error:
            _tell_error(console, error)
            return False
        finally:
            stopped.set()
    return True


def _tell_error(console: Console, error: RelayError) -> None:
    console.print(f"  [red]{error.sentence('en')}[/red] ({error.detail or error.code})")


async def _notice(saved: asyncio.Queue[set[Path]], stopped: asyncio.Event) -> None:
    ours = DefaultFilter(ignore_paths=MADE)
    async for changes in awatch(*CODE, *PAGES, watch_filter=ours, stop_event=stopped):
        saved.put_nowait({Path(path) for _kind, path in changes})


async def _run(
    console: Console,
    data: Path,
    port: int,
    saved: asyncio.Queue[set[Path]],
    stopped: asyncio.Event,
) -> None:
    async with contextlib.AsyncExitStack() as context:
        with console.status("starting Postgres, Redis, S3, relay and a case system"):
            started = await unless(stopped, start(context, data, port))
        visit = None if started is None else await unless(stopped, prepare(started))
        if started is None or visit is None:
            return
        running = started.running
        where_to_click(console, visit, started)
        await unless(stopped, _case_under_way(console, started))
        console.print(
            f"\n  relay answers at [bold]{running.url}[/bold]; its logs are in {running.folder}"
            "\n  What you save in relay/, workers/, web/ or deploy/example-host/ is served soon after."
            "\n  Reload a page by hand."
            "\n  Ctrl-C ends it; what it kept is there the next time."
        )
        while not stopped.is_set():
            with _watched(console, running):
                changed = await unless(stopped, saved.get())
            if changed is not None:
                await unless(stopped, _follow(console, started, changed))
        console.print("\n  stopping; nothing is lost")


async def _case_under_way(console: Console, started: Started) -> None:
    """A case of the same mediators in which both have said yes and a letter waits for review."""
    running = started.running
    async with organization(
        running.url, running.root, running.token_key, keys=keys_of(running)
    ) as people:
        first, second = await kept_mediators(people, running.folder / "demo")
        case = await open_case(people, mediators=(first.mediator, second.mediator))
        await case.harmed.send_letter(case.responsible.participant_id, FIRST_LETTER)
    if started.host is not None:
        entry = case_entry(
            case.case_id,
            f"case {case.case_id}",
            case.harmed.participant_id,
            case.responsible.participant_id,
            [first.login, second.login],
            ("Dominique", "Alex"),
        )
        await started.host.load({"cases": [entry]})
    console.print("\n  [bold]A case under way[/bold], where a letter waits for the same mediator:")
    for who, url in (
        ("the person harmed, who wrote it", case.harmed_url),
        ("the person responsible", case.responsible_url),
    ):
        console.print(f"    {who}; passphrase: {PASSPHRASE}")
        console.print(f"      {url}", soft_wrap=True, markup=False)


async def _follow(console: Console, started: Started, changed: set[Path]) -> None:
    """Build what has to be built, and start everything again; what does not work is told."""
    running = started.running
    names = sorted(str(path.relative_to(ROOT)) for path in changed)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    console.print(f"\n  {names[0]}{more} changed")
    try:
        if _among(changed, PAGES):
            with console.status("building the pages"):
                await _build_pages()
        if _among(changed, SCHEMA):
            await _migrate(running)
        with console.status("starting the web service and the worker again"):
            await running.start_again()
            if started.host is not None:
                await started.host.start_again()
    except NotFollowed as error:
        console.print("  [red]That did not work, and what was there before is still served.[/red]")
        console.print(str(error), markup=False)
    except RelayError as error:
        _tell_error(console, error)
        console.print(_tail(running.folder / "web.log"), markup=False)
    else:
        console.print(f"  serving again at {running.url}")


@contextlib.contextmanager
def _watched(console: Console, running: RunningRelay) -> Iterator[None]:
    """Say of a process that ends by itself where to read why; what is saved next starts it again."""

    async def tell(name: str, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        console.print(f"  [red]{name} has ended[/red]; see {running.folder / f'{name}.log'}")

    tasks = [asyncio.create_task(tell(*named)) for named in running.processes.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def _among(changed: set[Path], places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for path in changed for place in places)


async def _build_pages() -> None:
    """As `make pages` does, whatever the times of the files; NotFollowed where it fails."""
    build = await asyncio.create_subprocess_exec(
        *(ROOT / ".ci" / "npm", "run", "--silent", "build"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        process_group=0,
    )
    try:
        said, _ = await build.communicate()
    except asyncio.CancelledError:
        # npm starts others, and what it does not pass on would outlast it.
        os.killpg(build.pid, signal.SIGKILL)
        await build.wait()
        raise
    if build.returncode != 0:
        raise NotFollowed(said.decode(errors="replace").strip())


async def _migrate(running: RunningRelay) -> None:
    """With the migrations as they are in the files now."""
    log = running.folder / "migrate.log"
    migrating = await start_process("migrate", running.owner, log)
    if await migrating.wait() != 0:
        raise NotFollowed(_tail(log))


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


if __name__ == "__main__":
    typer.run(main)
