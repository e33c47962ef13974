"""What the `relay` program imports for a command, and that each of them is there."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from relay.__main__ import COMMANDS, program

IMPORTED = """
import sys
from relay.__main__ import program
program([sys.argv[1]])
print(*sorted({"aiohttp", "asyncpg", "botocore", "redis", "av"} & set(sys.modules)))
"""


@pytest.mark.parametrize("command", ["keys", "crypt", "check-jail"])
def test_a_command_waits_for_nothing_that_others_need(command: str) -> None:
    """Keys are made, files opened and the jail checked without a web service, a database or a store."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, command], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_every_command_keeps_its_name() -> None:
    """Alone or with the others, a command is called by its name."""
    assert sorted(_names(program())) == sorted(COMMANDS)
    for name in COMMANDS:
        assert _names(program([name])) == [name]


def _names(made: typer.Typer) -> list[str]:
    commands = [entry.name for entry in made.registered_commands]
    groups = [entry.name for entry in made.registered_groups]
    return [name for name in commands + groups if name is not None]
