"""The audit of a case that was disposed of finds what was left or put back, and a disposal that was none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

import pytest

from relay.crypto import statements
from relay.services.audit.findings import Code
from relay.services.audit.walk import audit_snapshot
from relay.settings import Settings
from tests.support.ended_cases import age, settings_for_old_log
from tests.support.requests import caller_of
from tests.support.tampering.owner import Owner
from tests.support.videos import VideoCase

PUT_BACK: Final[dict[str, tuple[str, Code]]] = {
    "the identities of the case": ("update charters set key_file = 'x'", Code.TABLE_DIFFERS),
    "a keyring": ("update claims set keyring = 'x'", Code.TABLE_DIFFERS),
    "a claim key": (
        "update links set sealed = 'x' where purpose = 'participate'",
        Code.TABLE_DIFFERS,
    ),
    "a link": ("update links set ended_at = null, sealed = 'x'", Code.TABLE_DIFFERS),
    "a message": (
        """insert into messages (
            message_id, case_id, sender_id, recipient_id, kind, language, state, writer_kid
        ) select gen_random_uuid(), case_id, one, other, 'letter', 'en', 'draft', 'x' from pairs""",
        Code.TABLE_ADDED,
    ),
    "the case": (
        "update cases set disposed_at = null, disposal_hash = null",
        Code.TABLE_DIFFERS,
    ),
    "an open case": (
        "update cases set closed_at = null, disposed_at = null, disposal_hash = null",
        Code.TABLE_DIFFERS,
    ),
    "a hold": (
        """insert into holds (case_id, hold_id, name, reason, placed_by)
        select case_id, case_id, 'x', 'x', 'x' from cases""",
        Code.TABLE_DIFFERS,
    ),
}

NO_DISPOSAL: Final[dict[str, tuple[str, Code]]] = {
    "of an open case": ("delete from events where kind = 'case-closed'", Code.GATE_CLOSED),
    "before its time": (
        "update events set at = at + interval '365 days' where kind = 'case-closed'",
        Code.GATE_CLOSED,
    ),
    "of a case that was held": (
        """update events set kind = 'hold-placed', actor = 'service:x', statement_hash = null
        where seq = (select max(seq) from events where kind = 'consent-active')""",
        Code.GATE_CLOSED,
    ),
    "by the clock": (
        "update events set actor = 'clock' where kind = 'case-disposed'",
        Code.ROW_ACTOR,
    ),
    "without a certificate": (
        "update events set statement_hash = null where kind = 'case-disposed'",
        Code.STATEMENT_MISSING,
    ),
    "of a longer log": (
        "delete from events where kind = 'submit-letter'",
        Code.STATEMENT_DIFFERS,
    ),
    "that something follows": (
        "update events set seq = 999 where kind = 'case-closed'",
        Code.GATE_CLOSED,
    ),
}


async def disposed(videos: VideoCase, database_url: str) -> Settings:
    """A case with a letter, closed a year ago, disposed of today; how its log is audited."""
    case = videos.case
    await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await videos.people.case_system.set_closed(case.case_id, closed=True)
    await age(database_url, case.case_id)
    await videos.sweep.once()
    return settings_for_old_log(dataclasses.replace(videos.settings, database_url=database_url))


async def codes(owner: Owner, settings: Settings) -> set[Code]:
    """What the audit finds in what an owner sees."""
    return {
        finding.code
        async for audited in audit_snapshot(owner.connection, settings)
        for finding in audited.findings
    }


@pytest.mark.parametrize("how", [PUT_BACK, NO_DISPOSAL], ids=["put back", "no disposal"])
async def test_it_is_found(
    videos: VideoCase,
    database_url: str,
    how: Mapping[str, tuple[str, Code]],
    subtests: pytest.Subtests,
) -> None:
    """Whatever whoever owns the database gives back to a case that has nothing, or has the log say."""
    settings = await disposed(videos, database_url)
    async with Owner.of(database_url, keeps=False) as owner:
        assert await codes(owner, settings) == set()
    for name, (statement, code) in how.items():
        with subtests.test(name):
            async with Owner.of(database_url, keeps=False) as owner:
                await owner.run(statement)
                await owner.rehash(videos.case.case_id)
                assert code in await codes(owner, settings)


async def test_a_certificate_is_a_media_workers(videos: VideoCase, database_url: str) -> None:
    """Another key than one of a worker certifies nothing."""
    settings = await disposed(videos, database_url)
    async with Owner.of(database_url, keeps=False) as owner:
        compact = await owner.value(
            "select compact from statements where typ = 'relay-disposal+jws'"
        )
        before = await owner.value("select disposal_hash from cases")
        said = statements.decode_unverified(compact, statements.Disposal)
        forged = statements.sign(caller_of(videos.case.mediator).signer, said)
        await owner.rename_statement(before, await owner.put_statement(forged))
        await owner.rehash(videos.case.case_id)
        assert Code.STATEMENT_SIGNER in await codes(owner, settings)
