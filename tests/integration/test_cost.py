"""What a statement, a route, a sweep or a command costs does not grow with what is stored, or says why.

The planner is told to read no table from one end to the other where it can help it. What it then still reads
whole no index can answer, however large the table is. `make bench ARGS=scale` measures what is named here.
"""

from __future__ import annotations

import inspect
import json
import re
import string
import uuid
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest
import typer

from bench.scale import COMMANDS as MEASURED
from bench.scale import FILL, NOT_FILLED, OTHER_COMMANDS, PLACES, QUERIES, fill, measured_routes
from relay.__main__ import program
from relay.storage.database import Connection
from relay.storage.queries import named_queries, query_files
from workers.sweep import Sweep

WHOLE: Final = {
    "audit.list_caseless": "looks at all logs, for an audit of everything",
    "audit.list_credentials": "as many as people work for the organization",
    "audit.list_successions": "one for each root that took the place of another",
    "audit.list_unlogged": "looks at all statements, for an audit of everything",
    "cases.last_registered_by_mediator": "one row, from the end of an index",
    "credentials.list_case_credential_statements": "of all credentials those of case systems, by an index",
    "credentials.list_credential_statements": "as many as people work for the organization",
    "credentials.list_successions": "one for each root that took the place of another",
    "disposal.list_unstored": "those whose certificate is not in the bucket yet, by an index of these",
    "events.latest_events": "so many rows, from the end of an index",
    "exports.count_left_out": "sessions, which end after minutes",
    "exports.list_statements": "one for each root that took the place of another",
    "exports.successions": "one for each root that took the place of another",
    "notifications.delete_untold": "so many rows of what was not told yet",
    "notifications.delete_old": "the newest number, from the end of an index",
    "notifications.find_ends": "two rows, from the ends of an index",
    "notifications.has_news": "one row of what was not told yet",
    "notifications.insert_notifications": "the newest number, from the end of an index",
    "notifications.list_outbox": "so many rows of what was not told yet",
    "webhooks.list_receivers": "one row for each receiver",
    "webhooks.register_receiver": "the newest number, from the end of an index",
    "reviews.all_figures": "counts, which each sweep sums up",
}
"""Statements that read a table or an index whole, and why they may."""

MESSAGES: Final = 5000
PEOPLE: Final = """
insert into credentials (
    credential_id, person_id, role, statement_hash, kid, signer, recipient, not_before, not_after
)
select
    bench_uuid('one', n), bench_uuid('one', n),
    case when n % 50 = 0 then 'service' else 'mediator' end::credential_role, bench_hash('one', n), n,
    bench_hash('one', n), case when n % 50 <> 0 then 'bench' end, now(), now() + interval '1 day'
from generate_series(1, 500) as n
"""
"""A large organization."""


async def test_no_statement_reads_a_table_whole_without_a_reason(database_url: str) -> None:
    """An index leads every statement to its rows; those that read everything are named, and no others."""
    connection = await asyncpg.connect(database_url)
    try:
        await _plan_by_indexes(connection)
        tables = {
            row["tablename"]
            for row in await connection.fetch(
                "select tablename from pg_tables where schemaname = 'public'"
            )
        }
        read = {
            f"{file}.{name}": sorted(_read_whole(await _plan(connection, query), tables))
            for file in query_files()
            for name, query in named_queries(file).items()
        }
    finally:
        await connection.close()

    assert {name: found for name, found in read.items() if found and name not in WHOLE} == {}
    assert {name for name in WHOLE if not read.get(name)} == set(), "these read nothing whole"


async def test_the_walk_finds_a_missing_index(database_url: str) -> None:
    """Without the index of a list, the statement that asks for it is found."""
    connection = await asyncpg.connect(database_url)
    query = named_queries("links")["list_links"]
    try:
        await _plan_by_indexes(connection)
        assert _read_whole(await _plan(connection, query), {"links"}) == set()
        await connection.execute("drop index links_by_case")
        assert _read_whole(await _plan(connection, query), {"links"}) == {"links"}
    finally:
        await connection.close()


async def test_what_goes_with_a_row_is_found_by_an_index(database_url: str) -> None:
    """A row whose removal removes others does not have their tables read for it."""
    connection = await asyncpg.connect(database_url)
    try:
        without = await connection.fetch(
            "select conrelid::regclass::text as referring, conname from pg_constraint "
            "where contype = 'f' and confdeltype = 'c' and not exists ("
            "select 1 from pg_index where indrelid = conrelid and indpred is null "
            "and indkey[0] = conkey[1])"
        )
    finally:
        await connection.close()

    assert [tuple(row) for row in without] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (route.path, query)
        for route in measured_routes()
        for query in QUERIES.get(route.path, ("",))
    ],
)
def test_every_route_that_lists_is_measured(path: str, query: str) -> None:
    """The benchmark asks every GET route: it has what stands in each path and query."""
    fields = {name for _, name, _, _ in string.Formatter().parse(path + query) if name}

    assert fields <= PLACES


def test_the_queries_are_of_routes_that_there_are() -> None:
    """No query of the benchmark is left over from a route that went."""
    assert QUERIES.keys() <= {route.path for route in measured_routes()}


def test_every_step_of_a_sweep_is_measured() -> None:
    """The benchmark measures what `steps` names, and whatever else a sweep can be asked for is among it."""
    sweep = Sweep(settings=None, database=None, objects=None, queue=None, workers=())  # type: ignore[arg-type]
    steps = {step.__name__ for step in sweep.steps}
    offered = {
        name
        for name, member in inspect.getmembers(Sweep, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }

    assert steps == offered - {"run", "once"}


def test_every_command_is_measured_or_says_why_not() -> None:
    """A new command has a row of the benchmark or a reason."""
    assert sorted(_commands(program())) == sorted([*MEASURED, *OTHER_COMMANDS])


async def test_every_table_is_filled_or_says_why_not(database_url: str) -> None:
    """The benchmark's million messages come with rows of every table that grows with them."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
    finally:
        await connection.close()
    filled = {
        table
        for name, statement in FILL.items()
        if name != "prepare"
        for table in re.findall(r"insert into (\w+)", statement)
    }

    assert {row["tablename"] for row in tables} == filled | NOT_FILLED.keys()
    assert filled & NOT_FILLED.keys() == set()


async def _plan_by_indexes(connection: Connection) -> None:
    """Have what the benchmark fills in, and plans for any parameter that read no table whole if it can be."""
    await fill(connection, MESSAGES, uuid.uuid4())
    await connection.execute(PEOPLE)
    await connection.execute("analyze credentials")
    await connection.execute("set plan_cache_mode = force_generic_plan")
    for way in ("seqscan", "hashjoin", "mergejoin"):
        await connection.execute(f"set enable_{way} = off")


async def _plan(connection: Connection, query: str) -> dict[str, Any]:
    parameters = len((await connection.prepare(query)).get_parameters())
    await connection.execute(f"prepare planned as {query}")
    arguments = f"({', '.join(['null'] * parameters)})" if parameters else ""
    explained = await connection.fetchval(f"explain (format json) execute planned{arguments}")
    await connection.execute("deallocate planned")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def _read_whole(plan: dict[str, Any], tables: set[str]) -> set[str]:
    """The tables, and indexes of tables, that a plan reads from one end to the other."""
    whole = set()
    for node in _nodes(plan):
        kind, table = node["Node Type"], node.get("Relation Name")
        by_index = kind in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
        if (kind == "Seq Scan" and table in tables) or (by_index and "Index Cond" not in node):
            whole.add(table or node["Index Name"])
    return whole


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def _commands(app: typer.Typer, group: str = "") -> Iterator[str]:
    for command in app.registered_commands:
        name = command.name
        if name is None:
            assert command.callback is not None
            name = command.callback.__name__
        yield f"{group}{name}"
    for entry in app.registered_groups:
        assert entry.typer_instance is not None
        yield from _commands(entry.typer_instance, f"{entry.name} ")
