"""The audit finds what somebody with the database's keys has changed, also where they rebuilt the chain."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Final

import asyncpg
import pytest

from relay.services.audit.findings import Code
from relay.services.audit.walk import audit_snapshot
from relay.settings import Settings
from relay.testing.people import Case, Organization, open_case
from tests.support.audits import command, findings, reading_role
from tests.support.tampering import rows, tables
from tests.support.tampering.owner import Owner
from tests.support.tampering.story import play

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

ATTACKS: Final = {**rows.ATTACKS, **tables.ATTACKS}

CHAIN: Final[dict[str, tuple[str, str]]] = {
    "altered": ("update events set actor = 'clock' where seq = 3 and case_id = $1", "chain-broken"),
    "dated back": (
        "update events set at = at - interval '1 minute' where seq = 3 and case_id = $1",
        "chain-broken",
    ),
    "missing in the middle": ("delete from events where seq = 3 and case_id = $1", "chain-broken"),
    "missing at the end": (
        "delete from events where case_id = $1 and seq = (select event_seq from cases where case_id = $1)",
        "rows-missing",
    ),
    "all missing": ("delete from events where case_id = $1", "rows-missing"),
    "added at the end": (
        (
            "update cases set event_seq = event_seq - 1, event_hash = "
            "(select prev from events where case_id = $1 and seq = event_seq) where case_id = $1"
        ),
        "rows-added",
    ),
    "the head moved": (
        "update cases set event_hash = sha256('a') where case_id = $1",
        "chain-broken",
    ),
    "a line feed": (
        "update events set kind = e'lease\\nx' where seq = 3 and case_id = $1",
        "chain-broken",
    ),
    "without its case": ("delete from cases where case_id = $1", "case-missing"),
}


@pytest.mark.parametrize("change", CHAIN)
async def test_a_changed_chain_is_found(
    case: Case, relay_settings: Settings, change: str, database_url: str
) -> None:
    """Altered, missing and added rows, and a log whose case is gone; all of it in the case that it is in."""
    statement, code = CHAIN[change]
    async with Owner.of(database_url) as owner:
        await owner.run(statement, case.case_id)
    found = await findings(relay_settings)
    assert code in {finding.code for finding in found if finding.case == case.case_id}


async def test_moved_rows_are_found(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """Two rows that changed places do not follow from each other."""
    async with Owner.of(database_url) as owner:
        await owner.swap(case.case_id, "link-claimed", "claim-verified")
    codes = {finding.code for finding in await findings(relay_settings)}
    assert Code.CHAIN_BROKEN in codes


async def test_every_attack_is_found_though_the_chain_was_made_anew(
    people: Organization, relay_settings: Settings, subtests: pytest.Subtests, database_url: str
) -> None:
    """Each leaves a chain that holds, and findings of its kind in its case; without one there is none."""
    story = await play(people, relay_settings)
    assert await findings(relay_settings) == []
    for name, (attack, codes) in ATTACKS.items():
        with subtests.test(name):
            async with Owner.of(database_url, keeps=False) as owner:
                await attack(owner, story)
                await owner.rehash(story.case_id)
                found = [
                    finding
                    async for audited in audit_snapshot(owner.connection, relay_settings)
                    for finding in audited.findings
                ]
            assert codes <= {finding.code for finding in found}
            assert Code.CHAIN_BROKEN not in {finding.code for finding in found}
            assert {finding.case for finding in found} <= {story.case_id, story.other.case_id, None}


def test_each_code_has_an_attack() -> None:
    """There is none that nothing leads to; those of checkpoints are in tests/http/test_checkpoints.py."""
    seen = {code for _attack, codes in ATTACKS.values() for code in codes}
    seen |= {Code(code) for _statement, code in CHAIN.values()}
    checkpoints = {
        Code.CASE_VANISHED,
        Code.ROWS_CUT_OFF,
        Code.ROWS_REWRITTEN,
        Code.TRUST_VANISHED,
    }
    assert seen | checkpoints == set(Code)


async def test_the_command_ends_with_1_where_something_was_changed(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """`relay audit verify` says that all holds with 0; otherwise it prints each finding and ends with 1."""
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    whole = command(relay_settings, "verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "hold, with all that was signed" in whole.stdout
    async with Owner.of(database_url) as owner:
        await owner.run(
            "update participants set consent = 'paused' where case_id = $1", case.case_id
        )
    changed = command(relay_settings, "verify")
    assert changed.returncode == 1
    assert f"case {case.case_id}, row" in changed.stdout
    assert "consent in participants is not what the log leads to [table-differs]" in changed.stdout


async def test_one_case_is_verified_alone(
    people: Organization, case: Case, relay_settings: Settings, database_url: str
) -> None:
    """`--case` finds what was changed in that case, and in no other; a case that is not there is refused."""
    other = await open_case(people)
    async with Owner.of(database_url) as owner:
        await owner.run(
            "update participants set consent = 'paused' where case_id = $1", other.case_id
        )
    whole = command(relay_settings, "verify", "--case", str(case.case_id))
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "in the logs of 1 cases hold" in whole.stdout
    changed = command(relay_settings, "verify", "--case", str(other.case_id))
    assert changed.returncode == 1
    assert f"case {other.case_id}, row" in changed.stdout
    unknown = command(relay_settings, "verify", "--case", str(uuid.uuid4()))
    assert unknown.returncode == 2
    assert "there is no such case" in unknown.stderr
    both = ("--case", str(case.case_id), "--against", "file", "--auditor", "key")
    assert command(relay_settings, "verify", *both).returncode == 2


async def test_a_case_without_its_log_is_found_alone(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """A case whose rows are all gone is not taken for one that is not there."""
    async with Owner.of(database_url) as owner:
        await owner.run("delete from events where case_id = $1", case.case_id)
    done = command(relay_settings, "verify", "--case", str(case.case_id))
    assert done.returncode == 1
    assert "[rows-missing]" in done.stdout


async def test_without_a_root_nothing_is_verified(case: Case, relay_settings: Settings) -> None:
    """The command says which setting is missing, instead of that all is well."""
    done = command(relay_settings, "verify", RELAY_ROOT_PUBLIC_KEYS="")
    assert done.returncode == 1
    assert "RELAY_ROOT_PUBLIC_KEYS" in done.stderr


async def test_the_right_to_read_is_enough(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """A role that may do nothing else audits and makes checkpoints; what it may not do, it cannot."""
    async with reading_role(database_url) as url:
        settings = dataclasses.replace(relay_settings, database_url=url)
        assert await findings(settings) == []
        assert command(settings, "verify").returncode == 0
        auditor = await asyncpg.connect(url)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await auditor.execute("update cases set approvals = 1")
        finally:
            await auditor.close()
