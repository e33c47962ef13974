"""The whole audit: keys of the organization, then case by case, then what belongs to no case.

Everything is read in one snapshot, so that a relay that works meanwhile raises no alarm. One case is in
memory at a time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence

from relay.crypto.checkpoints import VerifiedCheckpoint
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import Audience
from relay.errors import ConfigurationError
from relay.services.audit.checkpoints import PAGE_CASES, Comparison
from relay.services.audit.findings import Code, Finding, Report
from relay.services.audit.keys import RACE, CaseKeys
from relay.services.audit.organization import Organization
from relay.services.audit.records import DatabaseRecords, Records
from relay.services.audit.replay import Replay
from relay.services.trust import configured_roots
from relay.settings import Settings
from relay.storage import audit as stored
from relay.storage.database import Connection, Database


class NoRoots(ConfigurationError):
    """No root is set to verify signatures with."""

    code = "no-roots"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What was found in one case, or, where `case` is None, outside of all."""

    case: uuid.UUID | None
    rows: int
    findings: Sequence[Finding]


async def audit(
    database: Database,
    settings: Settings,
    checkpoint: VerifiedCheckpoint | None = None,
    *,
    only: uuid.UUID | None = None,
) -> AsyncIterator[Audited]:
    """Verify everything, and give for each case what was found in it; outside of all cases first and last.

    With `checkpoint`, also what was cut off or rewritten since; of `only` one case, what is about it and the
    organization's keys. It needs the right to read, and no more.
    NoRoots where no root is configured, CheckpointUnusable for the checkpoint of another relay.
    """
    async with database.snapshot() as connection:
        async for audited in audit_snapshot(connection, settings, checkpoint, only=only):
            yield audited


async def audit_snapshot(
    connection: Connection,
    settings: Settings,
    checkpoint: VerifiedCheckpoint | None = None,
    *,
    only: uuid.UUID | None = None,
) -> AsyncIterator[Audited]:
    """The same, of what a transaction sees."""
    async for audited in audit_records(
        DatabaseRecords(connection), settings, checkpoint, only=only
    ):
        yield audited


async def audit_records(
    records: Records,
    settings: Settings,
    checkpoint: VerifiedCheckpoint | None = None,
    *,
    only: uuid.UUID | None = None,
) -> AsyncIterator[Audited]:
    """The same, of rows that lie anywhere."""
    configured = configured_roots(settings)
    if not configured:
        raise NoRoots
    comparison = None if checkpoint is None else Comparison(checkpoint, settings)
    organization = Organization(configured)
    outside = Report(None)
    organization.admit_successions(await records.list_successions(), outside)
    async for record in records.list_credentials():
        organization.admit(record, outside)
    yield Audited(case=None, rows=0, findings=outside.findings)
    after = uuid.UUID(int=0)
    while heads := await records.list_case_heads(after=after, limit=PAGE_CASES, only=only):
        for head in heads:
            yield await _audit_case(records, settings, organization, comparison, head)
        after = heads[-1].case_id
    if only is not None:
        return
    outside = Report(None)
    if comparison is not None:
        comparison.check_rest(organization.statements, outside)
    yield Audited(case=None, rows=0, findings=outside.findings)
    async for audited in _audit_rest(records):
        yield audited


async def _audit_rest(records: Records) -> AsyncIterator[Audited]:
    """Logs without a case, and statements without a row."""
    for case_id in await records.list_caseless():
        report = Report(case_id)
        report.add(Code.CASE_MISSING, "there is a log and no case")
        yield Audited(case=None, rows=0, findings=report.findings)
    async for unlogged in records.list_unlogged():
        report = Report(None)
        report.add(
            Code.STATEMENT_UNLOGGED,
            f"no log names statement {b64u_encode(unlogged.statement_hash)} ({unlogged.typ})",
        )
        yield Audited(case=None, rows=0, findings=report.findings)


async def _audit_case(
    records: Records,
    settings: Settings,
    organization: Organization,
    comparison: Comparison | None,
    head: stored.CaseHead,
) -> Audited:
    report = Report(head.case_id)
    kept = None if comparison is None else comparison.head_of(head.case_id, report)
    charters = await records.list_charters(head.case_id)
    replay = Replay(
        head.case_id,
        CaseKeys(organization, charters, report),
        report,
        skew=dt.timedelta(seconds=settings.statement_skew_seconds) + RACE,
        session=dt.timedelta(seconds=settings.session_seconds),
    )
    rows = 0
    async for log in records.list_log(head.case_id):
        replay.take(log)
        rows += 1
        if kept is not None and log.seq == kept.seq and b64u_encode(log.hash) != kept.head:
            report.add(
                Code.ROWS_REWRITTEN,
                "rows up to this one are not those of the checkpoint",
                seq=log.seq,
            )
    if kept is not None and rows < kept.seq:
        report.add(
            Code.ROWS_CUT_OFF, f"{rows} rows, where the checkpoint has {kept.seq}", seq=rows or None
        )
    _check_head(head, replay, rows, report)
    replay.finish()
    await _check_tables(records, replay, head.case_id, report)
    return Audited(case=head.case_id, rows=rows, findings=report.findings)


def _check_head(head: stored.CaseHead, replay: Replay, rows: int, report: Report) -> None:
    """The case's row says how many rows there are, and the hash of the last."""
    if rows < head.event_seq:
        report.add(
            Code.ROWS_MISSING, f"{rows} rows, where the case counts {head.event_seq}", seq=rows + 1
        )
    elif rows > head.event_seq:
        report.add(
            Code.ROWS_ADDED,
            f"{rows} rows, where the case counts {head.event_seq}",
            seq=head.event_seq + 1,
        )
    elif not replay.is_broken and replay.chain.head != head.event_hash:
        report.add(Code.CHAIN_BROKEN, "the last row is not the one that the case names", seq=rows)


async def _check_tables(
    records: Records, replay: Replay, case_id: uuid.UUID, report: Report
) -> None:
    for table in stored.TABLES:
        async for row in records.list_table(table, case_id):
            replay.expected.check_row(table, row, report)
        replay.expected.check_rest(table, report)
    granted = set()
    async for grant in records.list_grants(case_id):
        if grant.audience is Audience.CASE:
            granted.add(grant.commitment)
        problem = replay.items.check_grant(case_id, grant)
        if problem is not None:
            report.add(Code.GRANT_ADDED, f"a grant {problem}", message=grant.message_id)
    for message in replay.items.missing_grants():
        report.add(
            Code.GRANT_MISSING,
            "its recipient has no grant of a part that was offered",
            message=message,
        )
    if replay.expected.readers.keys() - granted:
        report.add(Code.GRANT_MISSING, "a part without a grant for the case")
