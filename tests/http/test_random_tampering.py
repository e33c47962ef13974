"""The audit finds each of many random single-row edits, deletions, swaps and cut ends.

`TAMPER_ROUNDS` makes them more: 1,000 take some minutes.
"""

from __future__ import annotations

import os
import random
from typing import Final

import asyncpg
import pytest

from relay.services.audit.walk import audit_snapshot
from relay.settings import Settings
from relay.storage.audit import TABLES
from relay.testing.people import Organization
from tests.support.audits import findings
from tests.support.exports import tell
from tests.support.tampering.chance import (
    NOT_AUDITED,
    UNVOUCHED,
    change,
    list_columns,
)
from tests.support.tampering.owner import Owner
from tests.support.tampering.story import play

ROUNDS: Final = int(os.environ.get("TAMPER_ROUNDS", "100"))

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers, pytest.mark.timeout(3600)]


async def test_each_random_change_of_a_row_is_found(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    database_url: str,
    chance: random.Random,
) -> None:
    """In any column that the audit vouches for; the register says which those are not, and why."""
    await play(people, relay_settings)
    await tell(people, worker_settings)
    assert await findings(relay_settings) == []
    missed, done = [], 0
    while done < ROUNDS:
        async with Owner.of(database_url, keeps=False) as owner:
            changed = await change(owner, await list_columns(owner), chance)
            if changed is None:
                continue
            done += 1
            async for audited in audit_snapshot(owner.connection, relay_settings):
                if audited.findings:
                    break
            else:
                missed.append(str(changed))
    assert missed == []


async def test_each_table_and_column_is_vouched_for_or_says_why_not(database_url: str) -> None:
    """A new one is in the register; what is in it is there."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public'"
        )
    finally:
        await connection.close()
    tables = {row["table_name"] for row in rows}
    assert tables == UNVOUCHED.keys() | NOT_AUDITED.keys()
    assert TABLES.keys() <= UNVOUCHED.keys()
    columns = {(row["table_name"], row["column_name"]) for row in rows}
    named = {(table, column) for table, without in UNVOUCHED.items() for column in without}
    assert named <= columns
