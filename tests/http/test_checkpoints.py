"""A checkpoint kept elsewhere shows what no chain can: rows cut off, a history made again, a case gone."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from relay.client.administrator import publish_revocation
from relay.crypto.checkpoints import CheckpointUnusable, VerifiedCheckpoint, verify_checkpoint
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import load_signer_file, save_signer_file
from relay.crypto.signing import Signer
from relay.services.audit.checkpoints import LogUnsound, write_checkpoint
from relay.services.audit.findings import Code
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case
from tests.support.audits import command, findings
from tests.support.tampering.owner import Owner

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

AUDITOR: Final = Signer.generate()


async def checkpoint(settings: Settings) -> VerifiedCheckpoint:
    """Where the logs end now."""
    database = await Database.connect(settings.database_url, connections=1)
    try:
        file = io.BytesIO()
        await write_checkpoint(database, settings, AUDITOR, file)
        return verify_checkpoint(file, AUDITOR.public_key)
    finally:
        await database.close()


async def test_what_goes_on_since_a_checkpoint_raises_no_alarm(
    case: Case, people: Organization, relay_settings: Settings
) -> None:
    """Rows, cases and credentials that came later are no findings."""
    kept = await checkpoint(relay_settings)
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    await open_case(people)
    assert await findings(relay_settings, kept) == []


async def _cut_off(owner: Owner, case: Case) -> None:
    """The letter was never sent, as far as log and tables say."""
    await owner.run(
        "delete from grants using parts where parts.commitment = grants.commitment and message_id in "
        "(select message_id from messages where case_id = $1)",
        case.case_id,
    )
    for table in ("parts", "revisions"):
        await owner.run(
            f"delete from {table} where message_id in "  # noqa: S608 - names of this test
            "(select message_id from messages where case_id = $1)",
            case.case_id,
        )
    await owner.run(
        "with gone as (delete from messages where case_id = $1 returning statement_hash) "
        "delete from statements where statement_hash in (select statement_hash from gone)",
        case.case_id,
    )
    await owner.run(
        "delete from events where case_id = $1 and message_id is not null", case.case_id
    )


async def _rewritten(owner: Owner, case: Case) -> None:
    """Another time, in a row that nobody signed, and everything else as it was."""
    await owner.run(
        "update events set at = at + interval '1 microsecond' where case_id = $1 and seq = 1",
        case.case_id,
    )


async def _gone(owner: Owner, case: Case) -> None:
    """A case without a trace."""
    await _cut_off(owner, case)
    await owner.run(
        "delete from statements where statement_hash in "
        "(select statement_hash from events where case_id = $1)",
        case.case_id,
    )
    for table in (
        "claims",
        "links",
        "charters",
        "pairs",
        "case_mediators",
        "participants",
        "events",
        "cases",
    ):
        await owner.run(f"delete from {table} where case_id = $1", case.case_id)  # noqa: S608


async def _unrevoked(owner: Owner, case: Case) -> None:
    """A mediator whom the root revoked has a key that counts again."""
    await owner.run(
        "with revoked as (update credentials set revocation_hash = null from credentials as before "
        "where before.credential_id = credentials.credential_id and before.revocation_hash is not null "
        "returning before.revocation_hash) "
        "delete from statements where statement_hash in (select revocation_hash from revoked)"
    )


SINCE: Final[dict[str, tuple[Callable[[Owner, Case], Awaitable[None]], set[Code]]]] = {
    "rows are cut off": (_cut_off, {Code.ROWS_CUT_OFF}),
    "rows are rewritten": (_rewritten, {Code.ROWS_REWRITTEN}),
    "a case is gone": (_gone, {Code.CASE_VANISHED}),
    "a revocation is gone": (_unrevoked, {Code.TRUST_VANISHED}),
}


@pytest.mark.parametrize("change", SINCE)
async def test_what_was_taken_back_since_is_found_beside_a_checkpoint_alone(
    case: Case, people: Organization, relay_settings: Settings, change: str, database_url: str
) -> None:
    """The log holds by itself after each of these; only what was kept elsewhere knows better."""
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    spare = await people.mediator()
    revocation = people.administrator.sign_revocation(spare.credential_id)
    await publish_revocation(people.connection, spare.credential_id, revocation)
    kept = await checkpoint(relay_settings)
    attack, codes = SINCE[change]
    async with Owner.of(database_url) as owner:
        await attack(owner, case)
        if change != "a case is gone":
            await owner.rehash(case.case_id)
    assert await findings(relay_settings) == []
    assert {finding.code for finding in await findings(relay_settings, kept)} == codes


async def test_a_checkpoint_of_another_relay_is_refused(
    case: Case, relay_settings: Settings
) -> None:
    """Every case would seem to be gone; the error names both relays instead."""
    kept = await checkpoint(
        dataclasses.replace(relay_settings, public_url="https://elsewhere.example")
    )
    with pytest.raises(CheckpointUnusable, match="elsewhere"):
        await findings(relay_settings, kept)


async def test_a_log_that_does_not_hold_is_not_vouched_for(
    case: Case, relay_settings: Settings, database_url: str
) -> None:
    """An auditor signs nothing whose end is not where its case says."""
    async with Owner.of(database_url) as owner:
        await owner.run("update cases set event_hash = sha256('a')")
    with pytest.raises(LogUnsound):
        await checkpoint(relay_settings)


async def test_the_commands_of_an_auditor(
    case: Case, relay_settings: Settings, tmp_path: Path, database_url: str
) -> None:
    """A key, a checkpoint, and a verification against it: 0 as it is, 1 with a finding once rows are gone."""
    key, kept = tmp_path / "auditor.key", tmp_path / "kept"
    made = command(relay_settings, "key", "-o", key)
    assert made.returncode == 0
    public_key = made.stdout.strip()
    assert public_key == b64u_encode(load_signer_file(key).public_key)
    await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    written = command(relay_settings, "checkpoint", "--key", key, "-o", kept)
    assert (written.returncode, written.stderr) == (0, "")
    again = command(relay_settings, "checkpoint", "--key", key, "-o", kept)
    assert again.returncode == 2
    against = ("verify", "--against", kept, "--auditor", public_key)
    whole = command(relay_settings, *against)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "nothing was cut off or rewritten since" in whole.stdout
    async with Owner.of(database_url) as owner:
        await _cut_off(owner, case)
        await owner.rehash(case.case_id)
    assert command(relay_settings, "verify").returncode == 0
    cut = command(relay_settings, *against)
    assert cut.returncode == 1
    assert "[rows-cut-off]" in cut.stdout
    another = command(
        relay_settings, "verify", "--against", kept, "--auditor", b64u_encode(bytes(32))
    )
    assert another.returncode == 1
    assert "signature does not hold" in another.stderr
    for missing in (
        ("--against", kept),
        ("--auditor", public_key),
        ("--against", kept, "--auditor", "x"),
    ):
        assert command(relay_settings, "verify", *missing).returncode == 2


async def test_a_checkpoint_that_cannot_be_written_leaves_no_file(
    case: Case, relay_settings: Settings, tmp_path: Path, database_url: str
) -> None:
    """Half a checkpoint would be taken for a whole one."""
    key, kept = tmp_path / "auditor.key", tmp_path / "kept"
    save_signer_file(key, AUDITOR)
    async with Owner.of(database_url) as owner:
        await owner.run("update cases set event_hash = sha256('a')")
    assert command(relay_settings, "checkpoint", "--key", key, "-o", kept).returncode == 1
    assert not kept.exists()
