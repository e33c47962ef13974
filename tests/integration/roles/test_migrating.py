"""Starting and migrating: roles that may do too much, or that are missing, are named."""

from __future__ import annotations

import asyncpg
import pytest

from relay.embedded import Access, Services
from relay.storage.database import (
    Connection,
    Database,
    NotOwner,
    RolesMissing,
    RolesTooStrong,
    migrate,
)
from tests.support.rights import WEB, WORKER, refused
from tests.support.service_users import database_as


@pytest.mark.parametrize("access", Access)
async def test_a_process_that_could_do_too_much_says_so(
    url: str, services: Services, access: Access, caplog: pytest.LogCaptureFixture
) -> None:
    """The superuser and the owner are named in the log at the start; the two roles are as they should be."""
    database = await Database.connect(database_as(access, url, services), connections=1)
    await database.warn_of_power()
    await database.close()

    is_strong = access in {Access.ADMINISTRATOR, Access.OWNER}
    assert ("give this process a role of its own" in caplog.text) == is_strong


async def test_what_was_granted_by_hand_is_gone_after_the_next_migration(
    url: str, administrator: Connection, roles: dict[str, Connection]
) -> None:
    """`relay migrate` sets the rights again, also where there is nothing to migrate."""
    deleting = "delete from sessions where false"
    await administrator.execute("grant all on all tables in schema public to relay_worker, public")
    await administrator.execute("grant update (hash) on events to relay_web")
    assert not await refused(roles[WORKER], "update sessions set kid = '' where false")

    assert await migrate(url) == []

    assert await refused(roles[WORKER], "update sessions set kid = '' where false")
    assert await refused(roles[WEB], "update events set hash = hash where false")
    assert not await refused(roles[WORKER], deleting)


@pytest.mark.parametrize(
    ("change", "undo", "excess"),
    [
        ("alter role relay_web superuser", "alter role relay_web nosuperuser", "is a superuser"),
        ("alter role relay_worker createrole", "alter role relay_worker nocreaterole", "roles"),
        ("grant relay_owner to relay_web", "revoke relay_owner from relay_web", "relay_owner"),
        ("grant relay_web to relay_worker", "revoke relay_web from relay_worker", "relay_web"),
        (
            "grant pg_write_all_data to relay_worker",
            "revoke pg_write_all_data from relay_worker",
            "pg_write_all_data",
        ),
        (
            "alter table orphans owner to relay_worker",
            "alter table orphans owner to relay_owner",
            "owns something",
        ),
    ],
)
async def test_a_role_that_is_too_strong_is_refused_by_name(
    url: str, administrator: Connection, change: str, undo: str, excess: str
) -> None:
    """Rights that no grant of relay's gives are found, and nothing continues before they are taken away."""
    await administrator.execute(change)
    try:
        with pytest.raises(RolesTooStrong, match=excess):
            await migrate(url)
    finally:
        await administrator.execute(undo)
    assert await migrate(url) == []


async def test_only_the_owner_migrates(empty_database_url: str, services: Services) -> None:
    """A role that may not change the schema is told so, before the first migration and after the last."""
    for _ in range(2):
        for access in (Access.WEB, Access.WORKER):
            with pytest.raises(NotOwner):
                await migrate(database_as(access, empty_database_url, services))
        await migrate(empty_database_url)


async def test_missing_roles_are_named_before_anything_is_done(
    empty_database_url: str, services: Services
) -> None:
    """Without the roles there is nobody to grant anything to."""
    administrator = await asyncpg.connect(
        database_as(Access.ADMINISTRATOR, empty_database_url, services)
    )
    await administrator.execute("alter role relay_worker rename to somebody_else")
    try:
        with pytest.raises(RolesMissing, match=r"^.*relay_worker$"):
            await migrate(empty_database_url)
        assert await administrator.fetchval("select to_regclass('migrations')") is None
    finally:
        await administrator.execute("alter role somebody_else rename to relay_worker")
        await administrator.close()
