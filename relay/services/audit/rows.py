"""A row of the log with what is behind it, checked as far as the row alone allows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import TypeVar

from relay.crypto.statements import Statement
from relay.services.audit.keys import Actor
from relay.services.audit.kinds import Kind
from relay.storage.audit import LoggedAct

_StatementT = TypeVar("_StatementT", bound=Statement)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, what its kind must have, and what was said behind it."""

    log: LoggedAct
    kind: Kind
    actor: Actor | None
    """None where the row names somebody who cannot have done this."""
    said: Statement | None
    """None where nobody signs anything, or where what was signed is not there or cannot be read."""

    @property
    def seq(self) -> int:
        """Its number."""
        return self.log.seq

    @property
    def at(self) -> dt.datetime:
        """When relay wrote it."""
        return self.log.at

    @property
    def digest(self) -> bytes:
        """The hash of the statement that it names; nothing where it names none."""
        return self.log.statement_hash or b""

    @property
    def actor_id(self) -> uuid.UUID | None:
        """The identifier of whom it names."""
        return None if self.actor is None else self.actor.id

    def statement(self, kind: type[_StatementT]) -> _StatementT | None:
        """What was said, if it is of that kind."""
        return self.said if isinstance(self.said, kind) else None
