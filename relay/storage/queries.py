"""Reads the named queries of a `.sql` file: `-- name: find_message` and a sentence, then the statement."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

_NAMES: Final[dict[str, str]] = {}
"""Of every statement that was read, by its text."""
_NAME: Final = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)


def named_queries(name: str) -> dict[str, str]:
    """The statements of `storage/sql/{name}.sql` by name."""
    queries = split_queries(
        resources.files("relay.storage").joinpath("sql", f"{name}.sql").read_text("utf-8")
    )
    _NAMES.update({text: f"{name}.{query}" for query, text in queries.items()})
    return queries


def name_of(statement: str) -> str:
    """What a statement is called, such as `messages.find_message`; of one without a name its first word."""
    return _NAMES.get(statement) or statement.strip(" ;")[:9].partition(" ")[0].rstrip(";").lower()


def split_queries(text: str) -> dict[str, str]:
    """The statements of such a text by name."""
    pieces = _NAME.split(text)[1:]
    queries = dict(zip(pieces[::2], (piece.strip() for piece in pieces[1::2]), strict=True))
    if len(queries) * 2 != len(pieces):
        raise RuntimeError("a query is named twice")
    return queries


def query_files() -> list[str]:
    """The name of every `.sql` file, for the test that prepares each query."""
    folder = resources.files("relay.storage").joinpath("sql")
    return sorted(
        entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql")
    )
