"""Every value of a database that could say who, so that a test can look for it where it must not be."""

from __future__ import annotations

import base64
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Final

import asyncpg

VOCABULARY: Final = {
    ("events", "kind"),
    ("notifications", "type"),
    ("due_notifications", "type"),
    ("statements", "typ"),
    ("parts", "media_type"),
    ("jobs", "stage"),
    ("jobs", "error"),
    ("messages", "failure"),
    ("decisions", "reason"),
    ("migrations", "name"),
}
"""Columns of text that hold words of relay's own."""


@contextlib.asynccontextmanager
async def owned(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection of somebody who may do everything."""
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def identifying(database_url: str) -> set[str]:
    """Every value in any table that could say who: as text, in hexadecimal and in base64."""
    found: set[str] = set()
    async with owned(database_url) as owner:
        columns = await owner.fetch(
            "select table_name::text as of, column_name::text as name, data_type::text as type "
            "from information_schema.columns where table_schema = 'public' "
            "and data_type in ('uuid', 'bytea', 'text')"
        )
        for column in columns:
            if (column["of"], column["name"]) in VOCABULARY:
                continue
            rows = await owner.fetch(
                f"select distinct {column['name']} as value from {column['of']} "  # noqa: S608 - of the catalogue
                f"where {column['name']} is not null"
            )
            for row in rows:
                found |= spellings(row["value"])
    return {value for value in found if len(value) >= 6}


def spellings(value: object) -> set[str]:
    """How a value of a table may be written."""
    if isinstance(value, bytes):
        encoded = base64.b64encode(value).decode().rstrip("=")
        return {value.hex(), encoded, encoded.translate(str.maketrans("+/", "-_"))}
    if isinstance(value, uuid.UUID):
        return {str(value), value.hex}
    return {str(value)}
