"""Cases, participants, pairs, mediators and charters."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.domain.cases import CaseSummary, Consent, Correspondent, PairView, ParticipantView
from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries

_SQL = named_queries("cases")


class CharterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A charter as it was signed, with the sealed identity of the case."""

    version: int
    recipient: str
    statement_hash: bytes
    key_file: bytes
    compact: str


class ConsentRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant said last, and in which statement."""

    consent: Consent | None
    consent_hash: bytes | None


async def insert_case(connection: Connection, case_id: uuid.UUID, reference: str) -> bool:
    """Register a case; False where the identifier or the reference is taken."""
    return bool(await connection.fetchval(_SQL["insert_case"], case_id, reference))


async def insert_participant(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID, role: str
) -> None:
    """Add a participant; one that exists is left as they are."""
    await connection.execute(_SQL["insert_participant"], participant_id, case_id, role)


async def insert_pair(
    connection: Connection, case_id: uuid.UUID, one_id: uuid.UUID, other_id: uuid.UUID
) -> None:
    """Let two participants write to each other."""
    await connection.execute(_SQL["insert_pair"], case_id, one_id, other_id)


async def assign_mediators(
    connection: Connection, case_id: uuid.UUID, mediators: list[uuid.UUID]
) -> None:
    """Add mediators to a case."""
    await connection.execute(_SQL["assign_mediators"], case_id, mediators)


async def dismiss_mediators(
    connection: Connection, case_id: uuid.UUID, keep: list[uuid.UUID]
) -> None:
    """Remove the mediators who are not among `keep`."""
    await connection.execute(_SQL["dismiss_mediators"], case_id, keep)


async def find_case(connection: Connection, case_id: uuid.UUID) -> CaseSummary | None:
    """One case."""
    return one(await connection.fetchrow(_SQL["find_case"], case_id), CaseSummary)


async def lock_case(connection: Connection, case_id: uuid.UUID) -> int | None:
    """The charter version of a case, which nobody else changes until this transaction ends."""
    version: int | None = await connection.fetchval(_SQL["lock_case"], case_id)
    return version


async def list_cases(
    connection: Connection, *, mediator_id: uuid.UUID | None, after: uuid.UUID, limit: int
) -> list[CaseSummary]:
    """Cases after an identifier: those of one mediator, or all."""
    rows = await connection.fetch(_SQL["list_cases"], mediator_id, after, limit)
    return many(rows, CaseSummary)


async def list_participants(connection: Connection, case_id: uuid.UUID) -> list[ParticipantView]:
    """Who takes part in a case."""
    return many(await connection.fetch(_SQL["list_participants"], case_id), ParticipantView)


async def find_participant(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> ParticipantView | None:
    """One participant of a case."""
    row = await connection.fetchrow(_SQL["find_participant"], case_id, participant_id)
    return one(row, ParticipantView)


async def list_pairs(connection: Connection, case_id: uuid.UUID) -> list[PairView]:
    """Who may write to whom."""
    return many(await connection.fetch(_SQL["list_pairs"], case_id), PairView)


async def list_mediators(connection: Connection, case_id: uuid.UUID) -> list[uuid.UUID]:
    """The credentials of the mediators of a case."""
    rows = await connection.fetch(_SQL["list_mediators"], case_id)
    return [row["credential_id"] for row in rows]


async def is_mediator(connection: Connection, case_id: uuid.UUID, credential_id: uuid.UUID) -> bool:
    """Whether this credential is one of the case's mediators."""
    return bool(await connection.fetchval(_SQL["is_mediator"], case_id, credential_id))


async def find_consent(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> ConsentRow | None:
    """What a participant said last, which nobody else changes until this transaction ends."""
    row = await connection.fetchrow(_SQL["find_consent"], case_id, participant_id)
    return one(row, ConsentRow)


async def set_consent(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    consent: str,
    statement_hash: bytes,
    at: datetime,
) -> bool:
    """Keep what a participant said last; False where something newer is known."""
    return bool(
        await connection.fetchval(
            _SQL["set_consent"], case_id, participant_id, consent, statement_hash, at
        )
    )


async def set_no_contact(
    connection: Connection,
    case_id: uuid.UUID,
    pair: tuple[uuid.UUID, uuid.UUID],
    *,
    no_contact: bool,
) -> bool:
    """Set or lift a no-contact fact; False where the two are not a pair."""
    return bool(await connection.fetchval(_SQL["set_no_contact"], case_id, *pair, no_contact))


async def insert_charter(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    version: int,
    statement_hash: bytes,
    recipient: str,
    mediators: list[uuid.UUID],
    media: list[uuid.UUID],
    key_file: bytes,
) -> None:
    """Keep a charter."""
    await connection.execute(
        _SQL["insert_charter"],
        case_id,
        version,
        statement_hash,
        recipient,
        mediators,
        media,
        key_file,
    )


async def adopt_charter(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    version: int,
    approvals: int,
    captions_required: bool,
    server_processing: bool,
) -> None:
    """Make a charter's policy that of the case."""
    await connection.execute(
        _SQL["adopt_charter"], case_id, version, approvals, captions_required, server_processing
    )


async def list_charters(connection: Connection, case_id: uuid.UUID) -> list[CharterRow]:
    """The charters of a case, oldest first."""
    return many(await connection.fetch(_SQL["list_charters"], case_id), CharterRow)


async def list_charter_statements(connection: Connection, case_id: uuid.UUID) -> list[str]:
    """The charters of a case as they were signed, oldest first."""
    rows = await connection.fetch(_SQL["list_charter_statements"], case_id)
    return [row["compact"] for row in rows]


async def list_correspondents(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> list[Correspondent]:
    """Those with whom a participant is paired."""
    rows = await connection.fetch(_SQL["list_correspondents"], case_id, participant_id)
    return many(rows, Correspondent)
