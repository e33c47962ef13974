"""Where an audit finds what it verifies: in a database, or whatever else has the same rows."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from relay.storage import audit as stored
from relay.storage.database import Connection


class Records(Protocol):
    """The rows of the log, the statements behind them and the tables that follow from them."""

    async def list_successions(self) -> Sequence[stored.SuccessionRecord]:
        """Every succession of roots."""

    def list_credentials(self) -> AsyncIterator[stored.CredentialRecord]:
        """Every credential."""

    async def list_case_heads(
        self, *, after: uuid.UUID, limit: int, only: uuid.UUID | None
    ) -> Sequence[stored.CaseHead]:
        """A page of cases in the order of their identifiers; of `only` this one."""

    async def list_charters(self, case_id: uuid.UUID) -> stored.CharterTexts:
        """The charters that the log of a case names, and the registration before them."""

    def list_log(self, case_id: uuid.UUID) -> AsyncIterator[stored.LoggedAct]:
        """The log of a case from its first row."""

    def list_table(self, table: str, case_id: uuid.UUID) -> AsyncIterator[stored.Row]:
        """The rows of a case in a table that follows from its log."""

    def list_grants(self, case_id: uuid.UUID) -> AsyncIterator[stored.GrantRecord]:
        """Every grant of a case."""

    async def list_caseless(self) -> Sequence[uuid.UUID]:
        """Cases that have a log and nothing else."""

    def list_unlogged(self) -> AsyncIterator[stored.Unlogged]:
        """Every statement that nothing names."""


class DatabaseRecords:
    """What a transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_successions(self) -> Sequence[stored.SuccessionRecord]:
        """Every succession of roots."""
        return await stored.list_successions(self._connection)

    def list_credentials(self) -> AsyncIterator[stored.CredentialRecord]:
        """Every credential."""
        return stored.list_credentials(self._connection)

    async def list_case_heads(
        self, *, after: uuid.UUID, limit: int, only: uuid.UUID | None
    ) -> Sequence[stored.CaseHead]:
        """A page of cases."""
        return await stored.list_case_heads(self._connection, after=after, limit=limit, only=only)

    async def list_charters(self, case_id: uuid.UUID) -> stored.CharterTexts:
        """The charters of a case."""
        return await stored.list_charters(self._connection, case_id)

    def list_log(self, case_id: uuid.UUID) -> AsyncIterator[stored.LoggedAct]:
        """The log of a case."""
        return stored.list_log(self._connection, case_id)

    def list_table(self, table: str, case_id: uuid.UUID) -> AsyncIterator[stored.Row]:
        """The rows of a table."""
        return stored.list_table(self._connection, table, case_id)

    def list_grants(self, case_id: uuid.UUID) -> AsyncIterator[stored.GrantRecord]:
        """Every grant of a case."""
        return stored.list_grants(self._connection, case_id)

    async def list_caseless(self) -> Sequence[uuid.UUID]:
        """Logs without a case."""
        return await stored.list_caseless(self._connection)

    def list_unlogged(self) -> AsyncIterator[stored.Unlogged]:
        """Statements that nothing names."""
        return stored.list_unlogged(self._connection)
