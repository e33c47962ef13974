"""A case whose time has come, as the database of a relay would have it then."""

from __future__ import annotations

import dataclasses
import io
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from relay.services.audit.findings import Finding
from relay.settings import Settings
from relay.storage.database import migrate
from relay.testing.searching import dump_tables
from tests.support.audits import findings
from tests.support.tampering.owner import Owner

YEAR: Final = timedelta(days=366)
"""Longer than the cases of the tests are kept."""
_LONGEST_HASH: Final = 32
_OF_NO_CASE: Final = "credentials"


async def age(database_url: str, case_id: uuid.UUID, by: timedelta = YEAR) -> None:
    """Move the whole log of a case into the past, and its closing with it."""
    async with Owner.of(database_url) as owner:
        await owner.run("update events set at = at - $2::interval where case_id = $1", case_id, by)
        await owner.run(
            "update cases set closed_at = closed_at - $2::interval where case_id = $1", case_id, by
        )
        await owner.rehash(case_id)


def settings_for_old_log(settings: Settings) -> Settings:
    """For an audit in which statements may be of another time than their rows."""
    return dataclasses.replace(settings, statement_skew_seconds=int(2 * YEAR.total_seconds()))


async def found_in_old_log(settings: Settings) -> list[Finding]:
    """What the audit finds there."""
    return await findings(settings_for_old_log(settings))


async def sealed_bytes(database_url: str) -> set[bytes]:
    """Whatever cases have that may be sealed: all bytes that are longer than a hash, of every table."""
    connection = await asyncpg.connect(database_url)
    try:
        columns = await connection.fetch(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' and data_type = 'bytea' order by 1, 2"
        )
        return {
            row[0]
            for table, column in columns
            if table != _OF_NO_CASE
            for row in await connection.fetch(
                f"select {column} from {table} where octet_length({column}) > $1",  # noqa: S608 - names of the schema
                _LONGEST_HASH,
            )
        }
    finally:
        await connection.close()


def samples(bodies: Iterable[bytes]) -> list[bytes]:
    """A piece from the middle of each, as a search finds it."""
    return [body[len(body) // 2 :][:24] for body in bodies]


async def copy_database(source: str, target: str) -> None:
    """What a backup of one database brings back in another, empty one: `source` for a superuser."""
    await migrate(target)
    dumps = await dump_tables(source)
    into = urlunsplit(urlsplit(source)._replace(path=urlsplit(target).path))
    connection = await asyncpg.connect(into)
    try:
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            for table in dumps:
                await connection.execute(f"delete from {table}")  # noqa: S608 - names of the schema
            for table, rows in dumps.items():
                await connection.copy_to_table(table, source=io.BytesIO(rows), format="binary")
        for table, column in await connection.fetch(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' and identity_start is not null"
        ):
            await connection.execute(
                f"select setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) from {table}"  # noqa: S608 - names of the schema
            )
    finally:
        await connection.close()
