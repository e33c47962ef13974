"""The database: whether it is there and migrated, what its role may do, its clock, and whom it trusts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg

from relay.doctor.checks import Check, Level, fail, ok, warn
from relay.doctor.configuration import Process, roots
from relay.errors import RelayError
from relay.services import trust
from relay.settings import Settings
from relay.storage import credentials
from relay.storage.database import Connection, Database, is_migrated
from relay.storage.rights import compare, describe

ANSWER_SECONDS: Final = 10
CLOCK_WARN_SECONDS: Final = 2.0
CLOCK_FAIL_SECONDS: Final = 30.0
"""Tokens of the case system are refused beyond this, and soon after the statements that people sign."""
OLDEST: Final = 150000
NAMED: Final = 4
"""So many differences are named; the others are counted."""


async def check_database(settings: Settings, process: Process) -> AsyncIterator[Check]:
    """Everything of the database, in the order in which it is of use."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            database = await Database.connect(settings.database_url, connections=1)
    except (TimeoutError, ValueError, RelayError) as error:
        yield fail(
            "database",
            f"RELAY_DATABASE_URL does not let this process in ({_reason(error)}). See that PostgreSQL runs, "
            "and that user, password and database are right.",
        )
        return
    try:
        async with asyncio.timeout(ANSWER_SECONDS), database.connection() as connection:
            async for check in _look(connection, settings, process):
                yield check
    except (OSError, TimeoutError, RelayError, asyncpg.PostgresError) as error:
        yield fail("database", f"It stopped answering ({_reason(error)}). Its log says why.")
    finally:
        await database.close()


async def _look(
    connection: Connection, settings: Settings, process: Process
) -> AsyncIterator[Check]:
    asked_at = datetime.now(UTC)
    server = await describe(connection)
    between = datetime.now(UTC) - asked_at
    if server.version < OLDEST:
        yield fail("database", "It is older than PostgreSQL 15: upgrade it.")
    elif not server.is_durable:
        yield fail(
            "database",
            "fsync is off: a power cut loses or breaks what was acknowledged. Turn it on.",
        )
    else:
        yield ok("database", f"PostgreSQL {server.version // 10000} answers.")
    yield _clock((server.at - asked_at - between / 2).total_seconds())
    role = f"relay_{process}"
    if server.role != role:
        yield fail(
            "role",
            f"This process comes as {server.role}: give it the address of {role}, which may do what it needs "
            "and nothing else.",
        )
        return
    try:
        is_current = await is_migrated(connection)
    except asyncpg.InsufficientPrivilegeError:
        yield fail("migrations", f"{role} may not see them: run `relay migrate` as the owner.")
        return
    if not is_current:
        yield fail(
            "migrations",
            "This release needs others than are applied: run `relay migrate` as the owner.",
        )
        return
    yield ok("migrations", "All of this release are applied.")
    yield await _rights(connection, role)
    if process != "deliverer" and roots(settings).level is Level.OK:
        yield await _trusted(connection, settings)


def _clock(seconds: float) -> Check:
    says = f"This machine and the database differ by {abs(seconds):.1f} s"
    if abs(seconds) >= CLOCK_FAIL_SECONDS:
        return fail(
            "clock", f"{says}: tokens and statements are refused. Let both follow a time server."
        )
    if abs(seconds) >= CLOCK_WARN_SECONDS:
        return warn("clock", f"{says}. Let both follow a time server.")
    return ok("clock", f"{says}.")


async def _rights(connection: Connection, role: str) -> Check:
    found = await compare(connection, role)
    if found.beyond:
        return fail(
            "rights",
            f"{role} may do what it must not: {_some(found.beyond)}. `relay migrate` takes away what was "
            "granted; take away attributes, ownerships and memberships by hand.",
        )
    if found.lacking:
        return fail(
            "rights", f"{role} lacks {_some(found.lacking)}: run `relay migrate` as the owner."
        )
    return ok("rights", f"{role} may do what relay grants it, and nothing else.")


async def _trusted(connection: Connection, settings: Settings) -> Check:
    name = "trust"
    stored = len(await credentials.list_statements(connection))
    try:
        known = len((await trust.organization(connection, settings)).authorities)
    except RelayError as error:
        return fail(name, f"A credential does not verify ({error.code}): run `relay audit verify`.")
    if not stored:
        return warn(
            name,
            "There is no credential yet: certify a mediator with `relay root certify`, and publish it.",
        )
    if not known:
        return fail(
            name,
            "The roots of RELAY_ROOT_PUBLIC_KEYS vouch for none of the credentials: it names another root. "
            "Where the root has changed, list both.",
        )
    if known < stored:
        return warn(
            name,
            f"The configured roots vouch for {known} of {stored} credentials. Where the root has changed, "
            "list both.",
        )
    return ok(name, f"The configured roots vouch for all {stored} credentials.")


def _some(found: Sequence[str]) -> str:
    more = len(found) - NAMED
    return ", ".join(found[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _reason(error: BaseException) -> str:
    """The type of an error, without its text, which may quote an address with its password."""
    return type(error.__cause__ or error).__name__
