"""`relay doctor` on a database that is broken on purpose: rights, migrations, clock, durability."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from relay.doctor.checks import Level
from relay.embedded import Access, Services
from relay.storage.database import ROLES
from relay.storage.rights import granted
from tests.support.doctor import SOON_SECONDS, checks, failing
from tests.support.rights import CALLS, MAY
from tests.support.service_users import database_as

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]


async def test_the_grants_are_read_as_they_are_meant(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    """What is read from grants.sql is what the table of rights says, for both roles."""
    rows = await owner.fetch(
        "select table_name::text as of, array_agg(column_name::text) as columns "
        "from information_schema.columns where table_schema = 'public' group by table_name"
    )
    every = {row["of"]: row["columns"] for row in rows}
    for role in ROLES:
        expected = {(name, "execute", "") for name in CALLS[role]}
        for table, rights in MAY[role].items():
            for privilege, named in rights.items():
                columns = every[table] if named == "*" else named.split() or [""]
                expected |= {(table, privilege, column) for column in columns}
        found = {
            (place, privilege, each)
            for place, privilege, column in granted(role)
            for each in (every[place] if column == "*" else [column])
        }
        assert found == expected


@pytest.mark.parametrize(
    ("statement", "undo", "check", "says"),
    [
        ("grant update (hash) on events to relay_web", None, "rights", "update on events (hash)"),
        ("grant delete on statements to relay_web", None, "rights", "delete on statements"),
        (
            "grant execute on function monitoring_figures() to public",
            None,
            "rights",
            "monitoring_figures",
        ),
        ("revoke select on claims from relay_web", None, "rights", "lacks select on claims"),
        (
            "revoke execute on function lock_case(uuid) from relay_web",
            None,
            "rights",
            "lacks execute on lock_case",
        ),
        (
            "alter role relay_web createrole",
            "alter role relay_web nocreaterole",
            "rights",
            "may create roles",
        ),
        (
            "grant relay_owner to relay_web",
            "revoke relay_owner from relay_web",
            "rights",
            "relay_owner",
        ),
        (
            "delete from migrations where version = (select max(version) from migrations)",
            None,
            "migrations",
            "relay migrate",
        ),
        ("revoke select on migrations from relay_web", None, "migrations", "relay migrate"),
        ("alter table migrations rename to mislaid", None, "migrations", "relay migrate"),
    ],
)
async def test_what_is_wrong_with_the_database_is_said(
    of_web: dict[str, str],
    owner: asyncpg.Connection[asyncpg.Record],
    statement: str,
    undo: str | None,
    check: str,
    says: str,
) -> None:
    """Rights too many and too few are named one by one, and migrations that are missing."""
    await owner.execute(statement)
    try:
        found = await failing(of_web)
    finally:
        if undo is not None:
            await owner.execute(undo)
    assert list(found) == [check]
    assert says in found[check]


@pytest.mark.parametrize("access", [Access.ADMINISTRATOR, Access.OWNER, Access.WORKER])
async def test_a_process_that_comes_as_somebody_else_is_told(
    of_web: dict[str, str], services: Services, access: Access
) -> None:
    """The superuser, the owner or the other process's role: the right one is named."""
    url = database_as(access, of_web["RELAY_DATABASE_URL"], services)
    found = await failing({**of_web, "RELAY_DATABASE_URL": url})
    assert list(found) == ["role"]
    assert "give it the address of relay_web" in found["role"]


async def test_a_database_that_may_lose_what_it_acknowledged_fails(
    of_web: dict[str, str], owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Without fsync."""
    await owner.execute("alter system set fsync = off")
    await owner.execute("select pg_reload_conf()")
    async with asyncio.timeout(SOON_SECONDS):
        while "database" not in (found := await failing(of_web)):  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
    assert "fsync" in found["database"]


@pytest.mark.parametrize(("seconds", "level"), [(5, Level.WARN), (-90, Level.FAIL)])
async def test_a_clock_that_is_wrong_is_said(
    of_web: dict[str, str], owner: asyncpg.Connection[asyncpg.Record], seconds: int, level: Level
) -> None:
    """The database's clock, seen from here."""
    await owner.execute(
        "create function clock_timestamp() returns timestamptz language sql "
        f"as 'select pg_catalog.clock_timestamp() + make_interval(secs => {seconds})'"
    )
    name = await owner.fetchval("select current_database()")
    await owner.execute(f"alter database {name} set search_path = public, pg_catalog")
    [clock] = [check for check in await checks(of_web) if check.check == "clock"]
    assert clock.level is level
    assert (
        f"differ by {abs(seconds)}.0 s" in clock.says
        or f"differ by {abs(seconds) - 1}.9 s" in clock.says
    )
