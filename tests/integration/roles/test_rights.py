"""What the web service's role and the workers' may do in the database: what they need, and nothing else.

Every table, column, function and sequence is found in the catalogue, so that a new one is nobody's until the
table below says so, and what the table does not say is tried.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import asyncpg

from relay.storage.database import (
    ROLES,
    Connection,
)
from tests.support.rights import CALLS, MAY, OF_COLUMNS, OWNERS, STRONG, TRIED, WEB, WORKER, refused


async def columns(administrator: Connection) -> dict[str, list[str]]:
    """Every relation of relay's that holds rows, with its columns."""
    rows = await administrator.fetch(
        "select relname, array_agg(attname::text order by attnum) as columns from pg_class "
        "inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped "
        "where relnamespace = 'public'::regnamespace and relkind not in ('i', 'S', 'c') "
        "group by relname"
    )
    return {row["relname"]: row["columns"] for row in rows}


def allowed(role: str, table: str, privilege: str, every: list[str]) -> set[str]:
    """The columns on which the table above gives a privilege."""
    named = MAY[role].get(table, {}).get(privilege, "")
    return set(every) if named == "*" else set(named.split())


def forbidden(tables: dict[str, list[str]]) -> Iterator[tuple[str, str, str, str]]:
    """Role, privilege, table and column of everything that the table above does not give."""
    for role in ROLES:
        for table, every in tables.items():
            for privilege in ("select", "insert", "update"):
                for column in set(every) - allowed(role, table, privilege, every):
                    yield role, privilege, table, column
            for privilege in ("delete", "truncate", "trigger"):
                if privilege not in MAY[role].get(table, {}):
                    yield role, privilege, table, ""


async def test_the_table_of_rights_is_that_of_the_database(administrator: Connection) -> None:
    """Each privilege on each column and table is granted where the table says so, and nowhere else."""
    tables = await columns(administrator)
    assert tables.keys() >= MAY[WEB].keys() | MAY[WORKER].keys()
    has_column = "select has_column_privilege($1::name, $2::text, $3::text, $4::text)"
    has_table = "select has_table_privilege($1::name, $2::text, $3::text)"
    for role in ROLES:
        for table, every in tables.items():
            for privilege in OF_COLUMNS:
                granted = {
                    column
                    for column in every
                    if await administrator.fetchval(has_column, role, table, column, privilege)
                }
                expected = allowed(role, table, privilege, every)
                assert granted == expected, (role, table, privilege)
            for privilege in ("delete", "truncate", "trigger"):
                granted_all = await administrator.fetchval(has_table, role, table, privilege)
                assert granted_all == (privilege in MAY[role].get(table, {})), (role, table)


async def test_whatever_the_table_does_not_give_is_tried_and_refused(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Every other privilege on every column and table is refused to the role's own connection."""
    tries = list(forbidden(await columns(administrator)))
    assert len(tries) > 500
    for role, privilege, table, column in tries:
        statement = TRIED[privilege].format(table=table, column=column)
        assert await refused(roles[role], statement), (role, statement)


async def test_the_tries_would_succeed_where_there_is_a_right(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """A statement that is refused for whatever reason would prove nothing: with the right it is not."""
    tables = await columns(administrator)
    for privilege in ("select", "update", "delete"):
        for role in ROLES:
            for table, rights in MAY[role].items():
                for column in allowed(role, table, privilege, tables[table]) or {""}:
                    if privilege in rights:
                        statement = TRIED[privilege].format(table=table, column=column)
                        assert not await refused(roles[role], statement), (role, statement)


async def test_events_and_statements_only_grow(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Neither role changes or deletes a row of the log or a statement, nor adds to the log by itself."""
    every = await columns(administrator)
    for role, connection in roles.items():
        for table in ("events", "statements"):
            for privilege in ("update", "delete", "truncate", "trigger"):
                for column in every[table]:
                    statement = TRIED[privilege].format(table=table, column=column)
                    assert await refused(connection, statement), (role, statement)
        assert await refused(connection, "insert into events default values")


async def test_only_an_owner_alters_a_table(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """No trigger is disabled, no table altered, dropped or taken over."""
    for table in await columns(administrator):
        for role, connection in roles.items():
            for statement in OWNERS:
                tried = statement.format(table=table, role=role)
                assert await refused(connection, tried), (role, tried)


async def test_neither_becomes_more_than_it_is(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """No way to the owner, past the triggers, to an object of one's own, or out of the database."""
    database = await administrator.fetchval("select current_database()")
    backend = administrator.get_server_pid()
    for role, connection in roles.items():
        for statement in STRONG:
            tried = statement.format(role=role, database=database, backend=backend)
            assert await refused(connection, tried), (role, tried)


async def test_neither_passes_on_what_it_has(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """What a role was granted it grants to nobody: the attempt is refused, or changes nothing."""
    listed = (
        "select array_agg(relacl::text order by oid) from pg_class "
        "where relnamespace = 'public'::regnamespace "
        "union all select array_agg(nspacl::text order by oid) from pg_namespace"
    )
    before = await administrator.fetch(listed)
    for connection in roles.values():
        for table in ("statements", "messages", "jobs"):
            for passed in ("all", "select"):
                with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"grant {passed} on {table} to public")
        await connection.execute("grant all on schema public to public")
    assert await administrator.fetch(listed) == before


async def test_functions_and_sequences_are_for_those_who_need_them(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Of relay's functions each role may call those of the table; of its sequences none."""
    functions = await administrator.fetch(
        "select oid, proname, prorettype = 'trigger'::regtype as is_trigger, prosecdef, proconfig "
        "from pg_proc where pronamespace = 'public'::regnamespace"
    )
    may_call = "select has_function_privilege($1::name, $2::oid, 'execute')"
    for role in ROLES:
        called = {
            row["proname"]
            for row in functions
            if await administrator.fetchval(may_call, role, row["oid"])
        }
        assert called == CALLS[role]
    for row in functions:
        if row["prosecdef"]:
            assert row["proconfig"] == ["search_path=public, pg_temp"], row["proname"]
    assert {row["proname"] for row in functions if row["prosecdef"] and not row["is_trigger"]} == {
        "append_event",
        "dispose_case",
        "lock_case",
        "lock_for_disposal",
        "monitoring_figures",
        "sum_queue_counts",
    }
    sequences = await administrator.fetch(
        "select relname from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
    )
    assert sequences
    for connection in roles.values():
        assert await refused(connection, "select base64url('\\x00')")
        for row in sequences:
            name = row["relname"]
            for statement in (f"select nextval('{name}')", f"select setval('{name}', 1)"):
                assert await refused(connection, statement), statement


async def test_nobody_else_comes_to_the_database(administrator: Connection) -> None:
    """Another role of the same server may not connect, and what belongs to everybody is nothing."""
    await administrator.execute("create role passer_by")
    try:
        for privilege in ("connect", "temporary", "create"):
            asked = f"select has_database_privilege('passer_by', current_database(), '{privilege}')"
            assert not await administrator.fetchval(asked)
        asked = "select has_schema_privilege('passer_by', 'public', 'usage, create')"
        assert not await administrator.fetchval(asked)
    finally:
        await administrator.execute("drop role passer_by")
