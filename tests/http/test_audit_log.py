"""The log tells when somebody with the database's keys has changed what happened."""

from __future__ import annotations

import os
import subprocess
import sys

import asyncpg
import pytest

from relay.demo.cast import Case
from relay.services.audit import BrokenChain, verify_log
from relay.settings import Settings
from relay.storage.database import Database

pytestmark = pytest.mark.own_relay
FORGERIES = {
    "altered": "update events set actor = 'clock' where seq = 3",
    "backdated": "update events set at = at - interval '1 day' where seq = 3",
    "missing in the middle": "delete from events where seq = 3",
    "missing at the end": "delete from events where seq = (select max(seq) from events)",
    "all missing": "delete from events",
    "reordered": "update events set seq = case seq when 3 then 1004 else 1003 end where seq in (3, 4); "
    "update events set seq = seq - 1000 where seq > 1000",
    "put in": "insert into events (case_id, seq, at, kind, actor, prev, hash) "
    "select case_id, max(seq) + 1, now(), 'approve', 'clock', sha256('a'), sha256('b') "
    "from events group by case_id; update cases set event_seq = event_seq + 1",
    "cut and the head moved": "delete from events where seq = (select max(seq) from events); "
    "update cases set event_seq = event_seq - 1",
}


async def found(settings: Settings) -> list[BrokenChain]:
    """What the verification says."""
    database = await Database.connect(settings.database_url, connections=1)
    try:
        return [broken async for _case, _rows, broken in verify_log(database) if broken]
    finally:
        await database.close()


async def forge(database_url: str, statements: str) -> None:
    """Change the log as somebody can who owns the database."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("alter table events disable trigger user")
    await connection.execute(statements)
    await connection.execute("alter table events enable trigger user")
    await connection.close()


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_changed_log_is_found(
    case: Case, relay_settings: Settings, database_url: str, forgery: str
) -> None:
    """An untouched log verifies; altered, missing, reordered or added rows do not."""
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    assert await found(relay_settings) == []
    await forge(database_url, FORGERIES[forgery])
    [broken] = await found(relay_settings)
    assert broken.case == case.case_id


async def test_the_command_ends_with_1_where_the_log_was_changed(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """`relay audit verify` says that all is well with 0, names the case and the row otherwise."""
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    whole = verify(relay_settings)
    assert whole.returncode == 0
    assert "whole and in order" in whole.stdout
    await forge(database_url, FORGERIES["altered"])
    broken = verify(relay_settings)
    assert broken.returncode == 1
    assert f"{case.case_id}, row 3" in " ".join(broken.stdout.split())


def verify(settings: Settings) -> subprocess.CompletedProcess[str]:
    """Run the command on this database, with nothing else in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "relay", "audit", "verify"],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "COLUMNS": "200",
            "RELAY_DATABASE_URL": settings.database_url,
        },
    )
