"""Writes checkpoints of a relay, and checks a log against one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import IO, Final

from relay.crypto.audit import GENESIS
from relay.crypto.checkpoints import (
    CaseHead,
    Checkpoint,
    CheckpointUnusable,
    CheckpointWriter,
    Entry,
    RootStatement,
    VerifiedCheckpoint,
)
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.signing import Signer
from relay.errors import RelayError
from relay.services.audit.findings import Code, Report
from relay.settings import Settings
from relay.storage import audit as stored
from relay.storage.database import Database

PAGE_CASES: Final = 1000


class LogUnsound(RelayError):
    """The log does not end where its case says."""

    code = "log-unsound"


async def write_checkpoint(
    database: Database, settings: Settings, signer: Signer, file: IO[bytes]
) -> Checkpoint:
    """Write where every log ends, and what the roots have said, as of one moment."""
    writer = CheckpointWriter(file, signer, settings.public_url)
    async with database.snapshot() as connection:
        at = dt.datetime.now(dt.UTC)
        after = uuid.UUID(int=0)
        while heads := await stored.list_case_heads(connection, after=after, limit=PAGE_CASES):
            for head in heads:
                if (head.last_hash or GENESIS) != head.event_hash:
                    raise LogUnsound(f"case {head.case_id}")
                writer.add(
                    CaseHead(
                        case=uuid.UUID(str(head.case_id)),
                        seq=head.event_seq,
                        head=b64u_encode(head.event_hash),
                    )
                )
            after = heads[-1].case_id
        said = {
            b64u_encode(digest)
            async for record in stored.list_credentials(connection)
            for digest in (record.statement_hash, record.revocation_hash)
            if digest is not None
        }
        said |= {
            b64u_encode(record.statement_hash)
            for record in await stored.list_successions(connection)
        }
        for digest in sorted(said):
            writer.add(RootStatement(statement=digest))
    return writer.finish(at)


class Comparison:
    """A checkpoint beside the cases of a relay, which come in the same order."""

    def __init__(self, checkpoint: VerifiedCheckpoint, settings: Settings) -> None:
        """CheckpointUnusable for the checkpoint of another relay."""
        if checkpoint.said.relay != settings.public_url:
            raise CheckpointUnusable(
                f"it is of {checkpoint.said.relay}, and RELAY_PUBLIC_URL is {settings.public_url}"
            )
        self._entries: Iterator[Entry] = checkpoint.entries()
        self._next = next(self._entries, None)

    def head_of(self, case_id: uuid.UUID, report: Report) -> CaseHead | None:
        """Where the log of this case ended; the cases before it that are not there any more are reported."""
        while isinstance(self._next, CaseHead) and self._next.case < case_id:
            self._report_vanished(self._next, report)
        found = self._next
        if not isinstance(found, CaseHead) or found.case != case_id:
            return None
        self._next = next(self._entries, None)
        return found

    def check_rest(self, kept: set[bytes], report: Report) -> None:
        """Report the cases after the last one, and what the roots said that is not there any more."""
        while isinstance(self._next, CaseHead):
            self._report_vanished(self._next, report)
        while isinstance(self._next, RootStatement):
            if b64u_decode(self._next.statement) not in kept:
                report.add(
                    Code.TRUST_VANISHED,
                    f"what a root said, {self._next.statement}, is not there any more",
                )
            self._next = next(self._entries, None)

    def _report_vanished(self, head: CaseHead, report: Report) -> None:
        report.add(Code.CASE_VANISHED, f"case {head.case} is not there any more")
        self._next = next(self._entries, None)
