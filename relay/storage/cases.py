"""Cases, participants, pairs, mediators and charters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from relay.domain.cases import (
    CaseFacts,
    CaseFigures,
    CasePlace,
    CaseState,
    Consent,
    Correspondent,
    ListedFacts,
    PairView,
    ParticipantRole,
    ParticipantView,
)
from relay.storage.database import Connection, many, one, rows_of
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
    kid: str | None
    """The key that signed it."""
    by_participant: bool
    """They signed it themself, with a claim that a mediator verified."""
    holds: bool
    """False where a key signed it that nobody verified, or that somebody misused."""


async def insert_case(connection: Connection, case_id: uuid.UUID, reference: str) -> bool:
    """Register a case; False where the identifier or the reference is taken."""
    return bool(await connection.fetchval(_SQL["insert_case"], case_id, reference))


async def insert_participant(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID, role: str
) -> bool:
    """Add a participant; False for one that exists, who is left as they are."""
    status = await connection.execute(_SQL["insert_participant"], participant_id, case_id, role)
    return rows_of(status) > 0


async def insert_pair(
    connection: Connection, case_id: uuid.UUID, one_id: uuid.UUID, other_id: uuid.UUID
) -> bool:
    """Let two participants write to each other; False where they may already."""
    return rows_of(await connection.execute(_SQL["insert_pair"], case_id, one_id, other_id)) > 0


async def assign_mediators(
    connection: Connection, case_id: uuid.UUID, mediators: list[uuid.UUID]
) -> bool:
    """Add mediators to a case; False where all of them are its mediators."""
    return rows_of(await connection.execute(_SQL["assign_mediators"], case_id, mediators)) > 0


async def list_unknown_mediators(
    connection: Connection, mediators: list[uuid.UUID]
) -> list[uuid.UUID]:
    """Those of whom there is no credential of a mediator that is in force or will be."""
    rows = await connection.fetch(_SQL["list_unknown_mediators"], mediators)
    return [row["credential_id"] for row in rows]


async def dismiss_mediators(
    connection: Connection, case_id: uuid.UUID, keep: list[uuid.UUID]
) -> None:
    """Remove the mediators who are not among `keep`."""
    await connection.execute(_SQL["dismiss_mediators"], case_id, keep)


async def find_case(connection: Connection, case_id: uuid.UUID) -> CaseFacts | None:
    """One case."""
    return one(await connection.fetchrow(_SQL["find_case"], case_id), CaseFacts)


async def find_registration(connection: Connection, case_id: uuid.UUID) -> str | None:
    """Who may open a case, as it was signed."""
    found: str | None = await connection.fetchval(_SQL["find_registration"], case_id)
    return found


async def set_registration(
    connection: Connection,
    case_id: uuid.UUID,
    statement_hash: bytes,
    *,
    by_mediator_at: datetime | None,
) -> None:
    """Keep who may open a case; `by_mediator_at`: when, where a mediator said so."""
    await connection.execute(_SQL["set_registration"], case_id, statement_hash, by_mediator_at)


async def last_registered_by_mediator(connection: Connection) -> datetime | None:
    """The latest time of a registration that a mediator signed."""
    found: datetime | None = await connection.fetchval(_SQL["last_registered_by_mediator"])
    return found


async def propose_mediators(
    connection: Connection, case_id: uuid.UUID, mediators: list[uuid.UUID]
) -> None:
    """Keep whom the case system asks for; the next charter ends the proposal."""
    await connection.execute(_SQL["propose_mediators"], case_id, mediators)


async def lock_case(connection: Connection, case_id: uuid.UUID) -> int | None:
    """The charter version of a case, which nobody else changes until this transaction ends."""
    version: int | None = await connection.fetchval(_SQL["lock_case"], case_id)
    return version


async def search_cases(
    connection: Connection,
    *,
    mediators: Sequence[uuid.UUID],
    reference: str | None,
    states: Sequence[CaseState],
    after: CasePlace,
    limit: int,
) -> list[CasePlace]:
    """Where cases stand in a list that begins after a place: those of at most two mediators, or of all."""
    by_change = after.changed_at is not None
    place = (after.changed_at, after.case) if by_change else (after.case,)
    asked: tuple[object, ...]
    if reference is not None:
        query = _SQL["find_referenced"]
        asked = (reference, mediators, states, after.changed_at, after.case)
    elif mediators:
        query = _SQL["mediated_by_change"] if by_change else _SQL["mediated_by_identifier"]
        asked = (mediators[0], mediators[-1], states, *place, limit)
    else:
        query = _SQL["cases_by_change"] if by_change else _SQL["cases_by_identifier"]
        asked = (states, *place, limit)
    return [
        CasePlace(case=row["case_id"], changed_at=row["changed_at"] if by_change else None)
        for row in await connection.fetch(query, *asked)
    ]


async def list_cases(connection: Connection, cases: list[uuid.UUID]) -> list[ListedFacts]:
    """These cases, in this order."""
    return many(await connection.fetch(_SQL["list_cases"], cases), ListedFacts)


async def list_participants(
    connection: Connection, cases: list[uuid.UUID]
) -> dict[uuid.UUID, list[ParticipantView]]:
    """Who takes part in each of these cases."""
    found: dict[uuid.UUID, list[ParticipantView]] = {case_id: [] for case_id in cases}
    for row in await connection.fetch(_SQL["list_participants"], cases):
        found[row["case"]].append(msgspec.convert(dict(row), ParticipantView))
    return found


async def count_figures(
    connection: Connection, cases: list[uuid.UUID], mediator_id: uuid.UUID | None
) -> dict[uuid.UUID, CaseFigures]:
    """What there is to do in each of these cases, as a mediator or (None) the case system sees it."""
    none = dict.fromkeys(CaseFigures.__struct_fields__, 0)
    counted = {case_id: dict(none) for case_id in cases}
    waiting = (
        await connection.fetch(_SQL["count_all_waiting"], cases)
        if mediator_id is None
        else await connection.fetch(_SQL["count_waiting"], cases, mediator_id)
    )
    for row in waiting:
        counted[row["case"]][row["waits_for"]] = row["messages"]
    for row in await connection.fetch(_SQL["count_links"], cases):
        counted[row["case"]].update(claims=row["claims"], unused_links=row["unused_links"])
    return {case_id: CaseFigures(**figures) for case_id, figures in counted.items()}


async def find_role(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> ParticipantRole | None:
    """In which part somebody takes part in a case; None where they do not."""
    found = await connection.fetchval(_SQL["find_role"], case_id, participant_id)
    return None if found is None else ParticipantRole(found)


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


async def read_consent(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> ConsentRow | None:
    """What a participant said last."""
    row = await connection.fetchrow(_SQL["read_consent"], case_id, participant_id)
    return one(row, ConsentRow)


async def set_consent(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    consent: str,
    statement_hash: bytes,
    at: datetime,
    earlier_holds: bool,
) -> bool:
    """Keep what a participant said last; False where something newer that holds is known."""
    return bool(
        await connection.fetchval(
            _SQL["set_consent"],
            case_id,
            participant_id,
            consent,
            statement_hash,
            at,
            earlier_holds,
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


async def set_closed(connection: Connection, case_id: uuid.UUID, *, closed: bool) -> bool:
    """Close a case or open it again; False where it is so already."""
    return bool(await connection.fetchval(_SQL["set_closed"], case_id, closed))


async def is_closed(connection: Connection, case_id: uuid.UUID) -> bool:
    """Whether a case is closed; it stays so until this transaction ends where the case is locked."""
    return bool(await connection.fetchval(_SQL["is_closed"], case_id))


async def insert_charter(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    version: int,
    statement_hash: bytes,
    recipient: str,
    mediators: list[uuid.UUID],
    media: list[uuid.UUID],
    recovery: list[uuid.UUID],
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
        recovery,
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
    retention_days: int,
) -> None:
    """Make a charter's policy that of the case."""
    await connection.execute(
        _SQL["adopt_charter"],
        case_id,
        version,
        approvals,
        captions_required,
        server_processing,
        retention_days,
    )


async def list_media(connection: Connection, case_id: uuid.UUID) -> list[uuid.UUID]:
    """The media workers whom the charter in force names."""
    found: list[uuid.UUID] | None = await connection.fetchval(_SQL["list_media"], case_id)
    return found or []


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
