"""`relay webhooks`: makes secrets, says how far each receiver is, and has dead letters sent again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from relay.crypto.webhooks import new_key_pair, new_shared_secret
from relay.domain.webhooks import DeadLettersQuery, RedeliveryRequest
from relay.services import notifications, webhooks
from relay.settings import Settings
from relay.storage.database import Database

app = typer.Typer(no_args_is_help=True, help="Look after the receivers of events.")

Name = Annotated[str, typer.Argument(metavar="RECEIVER", help="Its name in the file.")]

_Result = TypeVar("_Result")
_NEVER: Final = "-"


@app.command()
def secret(
    *,
    public: Annotated[
        bool, typer.Option("--public", help="A key pair: the receiver gets the public key alone.")
    ] = False,
) -> None:
    """Print a new secret for RELAY_WEBHOOKS_FILE; with --public the receiver gets the second line."""
    if not public:
        typer.echo(new_shared_secret())
        return
    for line in new_key_pair():
        typer.echo(line)


@app.command(name="list")
def list_() -> None:
    """Print how far each receiver is."""
    found = _with_database(webhooks.list_receivers).receivers
    table = Table("receiver", "cases waiting", "failing", "dead letters", "delivered", "failed")
    for one in found:
        failed = f"{one.failed_at:%Y-%m-%d %H:%M} {one.failure}" if one.failed_at else _NEVER
        delivered = f"{one.delivered_at:%Y-%m-%d %H:%M}" if one.delivered_at else _NEVER
        numbers = (one.cases_waiting, one.cases_failing, one.dead_letters)
        table.add_row(one.name, *map(str, numbers), delivered, failed)
    Console().print(table)


@app.command(name="dead-letters")
def dead_letters(
    receiver: Name,
    after: Annotated[int, typer.Option(min=0, help="Begin after this event.")] = 0,
) -> None:
    """Print a page of the events that a receiver did not take, one a line."""
    query = DeadLettersQuery(after=after)
    page = _with_database(lambda database: webhooks.list_dead_letters(database, receiver, query))
    for letter in page.dead_letters:
        typer.echo(
            f"{letter.event.id} {letter.event.type} {letter.failure} "
            f"{letter.attempts} attempts, {letter.died_at:%Y-%m-%d %H:%M}"
        )
    if page.next is not None:
        typer.echo(f"There are more: --after {page.next}")


@app.command()
def redeliver(
    receiver: Name,
    events: Annotated[
        list[int] | None, typer.Argument(metavar="[EVENT]...", help="Without one: all of them.")
    ] = None,
) -> None:
    """Have dead letters sent again."""
    request = RedeliveryRequest(events=events or None)
    sent = _with_database(lambda database: webhooks.redeliver(database, receiver, request))
    typer.echo(f"{len(sent.events)} dead letters are sent again")


@app.command()
def test() -> None:
    """Have a test event sent to every receiver."""
    _with_database(notifications.tell_of_test)
    typer.echo("An event of the type relay.test is sent")


@app.command()
def forget(receiver: Name) -> None:
    """Remove a receiver that is in the file no more, with its dead letters."""
    _with_database(lambda database: webhooks.forget(database, receiver))
    typer.echo(f"{receiver} is forgotten")


def _with_database(ask: Callable[[Database], Awaitable[_Result]]) -> _Result:
    settings = Settings.from_environment(os.environ, database_alone=True)

    async def asked() -> _Result:
        database = await Database.connect(settings.database_url, connections=1)
        try:
            return await ask(database)
        finally:
            await database.close()

    return asyncio.run(asked())
