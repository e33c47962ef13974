"""The `relay` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from relay.errors import ExtraMissing, RelayError
from relay.private_memory import keep_memory_private
from relay.settings import read_file

COMMANDS: Final = {
    "demo": "embedded",
    "serve": "server",
    "worker": "worker",
    "deliver": "server",
    "profile": "server",
    "webhooks": "server",
    "migrate": "server",
    "doctor": "server",
    "check-jail": "worker",
    "root": "",
    "keys": "",
    "recovery": "server",
    "crypt": "",
    "pages": "",
    "verify-pages": "verify",
    "audit": "server",
    "disposals": "worker",
    "objects": "server",
    "export": "server",
    "import": "server",
}
"""Each is a module of relay.commands, with an `app` where it has commands of its own, or a function;
and the extra that brings what it imports."""


def program(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with these commands; nothing of the others is imported, which takes a second."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Carries sealed messages between the people of a case, with a mediator between them.",
    )
    app.callback()(_before)  # also since one command alone would lose its name
    for name in names:
        function = name.replace("-", "_") + "_" * iskeyword(name)
        try:
            module = import_module(f"relay.commands.{function}")
        except ModuleNotFoundError:
            if not COMMANDS[name]:
                raise
            _add_missing(app, name, COMMANDS[name])
            continue
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name=name)(getattr(module, function))
    return app


def _before(
    settings: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Take settings from a file of NAME=value lines. It counts before the environment, "
            "and the later of several files before the earlier.",
        ),
    ] = None,
) -> None:
    for path in settings or ():
        os.environ.update(read_file(path))


def _asked(words: Sequence[str]) -> list[str]:
    """The name of the command in a command line, where that is one."""
    rest = list(words)
    while rest and rest[0].partition("=")[0] == "--settings":
        rest = rest[1 if "=" in rest[0] else 2 :]
    return [name for name in rest[:1] if name in COMMANDS]


def _add_missing(app: typer.Typer, name: str, extra: str) -> None:
    """In place of a command whose extra is not installed: one that says so, whatever follows it."""

    def refuse() -> None:
        raise ExtraMissing(f"pip install 'relay[{extra}]'")

    app.command(
        name=name,
        help=f"Not installed: needs the extra '{extra}'.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(refuse)


def main() -> None:
    """Run the command; an error that relay knows is one sentence and exit code 1.

    Every command holds keys, passwords or people's words at some time: none of them is left in a dump.
    """
    keep_memory_private()
    try:
        program(_asked(sys.argv[1:]) or COMMANDS)()
    except RelayError as error:
        sentence, detail = escape(error.sentence("en")), escape(error.detail or error.code)
        Console(stderr=True).print(f"[red]{sentence}[/red] ({detail})")
        sys.exit(1)


if __name__ == "__main__":
    main()
