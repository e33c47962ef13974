"""The `relay` command."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from relay.commands import (
    audit,
    check_jail,
    crypt,
    demo,
    keys,
    migrate,
    recovery,
    root,
    serve,
    worker,
)
from relay.errors import RelayError
from relay.private_memory import keep_memory_private

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Carries sealed messages between the people of a case, with a mediator between them.",
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(migrate.migrate)
app.command(name="check-jail")(check_jail.check_jail)
app.add_typer(root.app, name="root")
app.add_typer(keys.app, name="keys")
app.add_typer(recovery.app, name="recovery")
app.add_typer(crypt.app, name="crypt")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command; an error that relay knows is one sentence and exit code 1.

    Every command holds keys, passwords or people's words at some time: none of them is left in a dump.
    """
    keep_memory_private()
    try:
        app()
    except RelayError as error:
        Console(stderr=True).print(
            f"[red]{error.sentence('en')}[/red] ({error.detail or error.code})"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
