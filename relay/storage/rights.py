"""What a role of the database may do, beside what `grants.sql` gives it."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final, TypeAlias

import msgspec

from relay.storage.database import Connection, one
from relay.storage.queries import named_queries

_SQL = named_queries("rights")
_POWERS = named_queries("roles")

_GRANT: Final = re.compile(
    r"^grant\s+(?P<privileges>.+?)\s+on\s+(?P<places>.+)\s+to\s+(?P<roles>[a-z_,\s]+)$", re.DOTALL
)
_PRIVILEGE: Final = re.compile(r"(?P<privilege>[a-z]+)\s*(?:\((?P<columns>[^)]*)\))?")
_FUNCTION: Final = re.compile(r"function\s+(?P<name>\w+)\(")
_ALL: Final = "*"

Right: TypeAlias = tuple[str, str, str]
"""Table or function, privilege, and the column: `*` for each that there is, nothing where it has none."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A database server as a connection finds it."""

    role: str
    at: datetime
    version: int
    """As in `server_version_num`: 150004 is 15.4."""
    is_durable: bool


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How what a role may do differs from its grants: each a privilege, a table and a column."""

    lacking: list[str]
    beyond: list[str]


@cache
def granted(role: str) -> frozenset[Right]:
    """Everything that `grants.sql` gives a role."""
    text = resources.files("relay.storage").joinpath("grants.sql").read_text("utf-8")
    bare = re.sub(r"do \$\$.*?\$\$;", "", re.sub(r"--.*", "", text), flags=re.DOTALL)
    found: set[Right] = set()
    for statement in bare.split(";"):
        grant = _GRANT.match(statement.strip())
        if grant is not None and role in re.split(r"[,\s]+", grant["roles"]):
            found |= _rights(grant["privileges"], grant["places"])
    return frozenset(found)


def _rights(privileges: str, places: str) -> set[Right]:
    if function := _FUNCTION.match(places):
        return {(function["name"], privileges.strip(), "")}
    if places.startswith("schema"):
        return set()
    tables = [place.strip() for place in places.split(",")]
    found: set[Right] = set()
    for privilege in _PRIVILEGE.finditer(privileges):
        named = privilege["columns"]
        whole = "" if privilege["privilege"] == "delete" else _ALL
        columns = [column.strip() for column in named.split(",")] if named else [whole]
        found |= {(table, privilege["privilege"], column) for table in tables for column in columns}
    return found


async def describe(connection: Connection) -> Server:
    """The server, as this connection finds it."""
    found = one(await connection.fetchrow(_SQL["describe"]), Server)
    assert found is not None  # noqa: S101 - one row, always
    return found


async def compare(connection: Connection, role: str) -> Differences:
    """What the role of this connection lacks of its grants, and what it may do beyond them."""
    columns: dict[str, set[str]] = {}
    for row in await connection.fetch(_SQL["list_columns"]):
        columns.setdefault(row["place"], set()).add(row["part"])
    expected: set[Right] = set()
    for place, privilege, part in granted(role):
        parts = columns.get(place, set()) if part == _ALL else {part}
        expected |= {(place, privilege, each) for each in parts}
    rows = await connection.fetch(_SQL["list_rights"])
    actual = {(row["place"], row["privilege"], row["part"]) for row in rows}
    powers = [
        row["power"]
        for query in ("list_powers", "list_creations")
        for row in await connection.fetch(_POWERS[query], [role])
    ]
    return Differences(lacking=_said(expected - actual), beyond=powers + _said(actual - expected))


def _said(rights: set[Right]) -> list[str]:
    return [
        f"{privilege} on {place}{f' ({part})' if part else ''}"
        for place, privilege, part in sorted(rights)
    ]
