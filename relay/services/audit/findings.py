"""What an audit may find: a code, where it is, and one plain sentence."""

from __future__ import annotations

import dataclasses
import uuid
from enum import StrEnum

import msgspec


class Code(StrEnum):
    """Kinds of findings. docs/operations.md says what each of them means."""

    # The chain of rows.
    CHAIN_BROKEN = "chain-broken"
    ROWS_MISSING = "rows-missing"
    ROWS_ADDED = "rows-added"
    ROW_TIME = "row-time"
    CASE_MISSING = "case-missing"
    # A row and the statement behind it.
    ROW_UNKNOWN = "row-unknown"
    ROW_ACTOR = "row-actor"
    STATEMENT_MISSING = "statement-missing"
    STATEMENT_UNEXPECTED = "statement-unexpected"
    STATEMENT_ALTERED = "statement-altered"
    STATEMENT_REPEATED = "statement-repeated"
    STATEMENT_SIGNER = "statement-signer"
    STATEMENT_DIFFERS = "statement-differs"
    STATEMENT_TIME = "statement-time"
    STATEMENT_UNLOGGED = "statement-unlogged"
    # What the rows lead to.
    TRANSITION_UNKNOWN = "transition-unknown"
    TRANSITION_BY_ANOTHER = "transition-by-another"
    GATE_CLOSED = "gate-closed"
    KEY_UNKNOWN = "key-unknown"
    # The tables beside the log.
    TABLE_MISSING = "table-missing"
    TABLE_ADDED = "table-added"
    TABLE_DIFFERS = "table-differs"
    GRANT_MISSING = "grant-missing"
    GRANT_ADDED = "grant-added"
    # Keys of the organization.
    CREDENTIAL_INVALID = "credential-invalid"
    CHARTER_INVALID = "charter-invalid"
    # Against a checkpoint.
    CASE_VANISHED = "case-vanished"
    ROWS_CUT_OFF = "rows-cut-off"
    ROWS_REWRITTEN = "rows-rewritten"
    TRUST_VANISHED = "trust-vanished"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not hold."""

    code: Code
    problem: str
    """A sentence, without content and without names of people."""
    case: uuid.UUID | None = None
    seq: int | None = None
    """The number of the row in the log of the case."""
    message: uuid.UUID | None = None

    def __str__(self) -> str:
        """Where it is, what it is, and its code."""
        places = (("case", self.case), ("row", self.seq), ("message", self.message))
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return f"{where or 'organization'}: {self.problem} [{self.code}]"


@dataclasses.dataclass(slots=True)
class Report:
    """Collects what is found in one case."""

    case: uuid.UUID | None
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def add(
        self,
        code: Code,
        problem: str,
        *,
        seq: int | None = None,
        message: uuid.UUID | None = None,
    ) -> None:
        """Note a finding."""
        self.findings.append(
            Finding(code=code, problem=problem, case=self.case, seq=seq, message=message)
        )
