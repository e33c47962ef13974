"""Disposal: what was written in a closed case is destroyed once its time has come, and a certificate says so.

What goes is every sealed body in the database and in the store, every grant and every key. What stays is
the log, what was signed, and the certificate. Holds keep a case from it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum

from relay.crypto import statements
from relay.crypto.disposals import verify_disposal
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.domain.actors import Mediator, Service
from relay.domain.cases import (
    CaseHolds,
    Certificate,
    HoldExists,
    HoldOfAnother,
    NewHold,
    retention,
)
from relay.domain.places import CERTIFICATES
from relay.errors import NotFound
from relay.services import trust
from relay.services.cases import require_case, require_mediator
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import disposal as stored
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.objects import Objects
from relay.storage.statements import insert_statement

# Holds.


async def list_holds(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID
) -> CaseHolds:
    """Every hold on a case, the oldest first."""
    async with database.transaction() as connection:
        await _require_own(connection, actor, case_id)
        return CaseHolds(holds=await stored.list_holds(connection, case_id))


async def place_hold(
    database: Database,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    hold_id: uuid.UUID,
    new: NewHold,
) -> None:
    """Hold a case; HoldExists where the hold is there with another text.

    Said again it changes nothing, and is not logged.
    """
    async with database.transaction() as connection:
        await stored_cases.lock_case(connection, case_id)
        await _require_own(connection, actor, case_id)
        known = await stored.find_hold(connection, case_id, hold_id)
        if known is not None:
            if (known.name, known.reason) != (new.name, new.reason):
                raise HoldExists
            return
        await stored.insert_hold(connection, case_id, hold_id, new, placed_by=str(actor))
        await append_event(connection, case_id=case_id, kind="hold-placed", actor=str(actor))


async def lift_hold(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID, hold_id: uuid.UUID
) -> None:
    """End a hold; HoldOfAnother where a mediator would end one of the case system."""
    async with database.transaction() as connection:
        await stored_cases.lock_case(connection, case_id)
        await _require_own(connection, actor, case_id)
        known = await stored.find_hold(connection, case_id, hold_id)
        if known is None:
            raise NotFound("no such hold")
        if isinstance(actor, Mediator) and not known.placed_by.startswith("mediator:"):
            raise HoldOfAnother
        await stored.delete_hold(connection, case_id, hold_id)
        await append_event(connection, case_id=case_id, kind="hold-lifted", actor=str(actor))


async def read_certificate(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID
) -> Certificate:
    """The certificate of a case that was disposed of; NotFound before."""
    async with database.transaction() as connection:
        await _require_own(connection, actor, case_id)
        found = await stored.find_certificate(connection, case_id)
    if found is None:
        raise NotFound("not disposed of")
    return Certificate(statement=found)


async def _require_own(
    connection: Connection, actor: Mediator | Service, case_id: uuid.UUID
) -> None:
    if isinstance(actor, Mediator):
        await require_mediator(connection, case_id, actor)
    await require_case(connection, case_id)


# Disposal.


async def dispose(
    database: Database, settings: Settings, worker: MediaWorker, case_id: uuid.UUID
) -> bool:
    """Dispose of a case and certify it, all or nothing; False where it may not be, or was.

    The worker believes the charter for how long, and the log for since when: what the web service can write
    into the row of the case makes no case due. ChainError where the charter does not verify.

    It waits for whatever is under way in the case, and nothing can begin in it meanwhile. What lies in the
    store is noted in the same transaction, and the sweep removes it.
    """
    async with database.transaction() as connection:
        facts = await stored.lock_for_disposal(connection, case_id)
        if facts is None or facts.closed_at is None:
            return False
        days = None
        if facts.charter_hash is not None:
            charter = await trust.charter(connection, settings, case_id)
            days = charter.policy.retention_days
        if datetime.now(UTC) < facts.closed_at + retention(days):
            return False
        return await _dispose(
            connection, worker, case_id, facts, kind="case-disposed", closed_at=facts.closed_at
        )


async def _dispose(
    connection: Connection,
    worker: MediaWorker,
    case_id: uuid.UUID,
    facts: stored.DisposalFacts,
    *,
    kind: str,
    closed_at: datetime,
) -> bool:
    certificate = statements.Disposal(
        case=case_id,
        charter=None if facts.charter_hash is None else b64u_encode(facts.charter_hash),
        closed=closed_at.replace(microsecond=0),
        rows=facts.event_seq,
        head=b64u_encode(facts.event_hash),
        messages=facts.messages,
        parts=facts.parts,
        size=facts.sealed_bytes,
        at=datetime.now(UTC).replace(microsecond=0),
    )
    signer = worker.keyring.signer
    compact = statements.sign(signer, certificate)
    made = statements.verified(compact, statements.Disposal, signer.public_key)
    await insert_statement(connection, made)
    return await stored.dispose(
        connection, case_id, kind=kind, actor=str(worker), statement_hash=made.hash
    )


async def store_certificates(database: Database, objects: Objects, most: int) -> int:
    """Write certificates to the bucket too, where they outlive a backup of the database; how many."""
    async with database.connection() as connection:
        waiting = await stored.list_unstored(connection, most)
    for case_id, compact in waiting:
        await objects.put(f"{CERTIFICATES}/{case_id}", compact.encode())
        async with database.connection() as connection:
            await stored.mark_stored(connection, case_id)
    return len(waiting)


class Repeated(StrEnum):
    """What became of a certificate that was read again."""

    DISPOSED = "disposed of again"
    DONE = "disposed of"
    UNKNOWN = "not in this database"


async def repeat(
    database: Database, settings: Settings, worker: MediaWorker, compact: str
) -> tuple[uuid.UUID, Repeated]:
    """Dispose again of a case that a backup brought back, whatever its state, as the owner of the database.

    `compact` is the certificate from before; ChainError unless a media worker of the organization signed it.
    The log that the backup has gets a certificate of its own.
    """
    async with database.transaction() as connection:
        organization = await trust.organization(connection, settings)
        said = verify_disposal(organization, compact)
        if await stored_cases.find_case(connection, said.case) is None:
            return said.case, Repeated.UNKNOWN
        facts = await stored.lock_for_disposal(connection, said.case)
        if facts is None:
            return said.case, Repeated.DONE
        await _dispose(
            connection,
            worker,
            said.case,
            facts,
            kind="case-disposed-again",
            closed_at=facts.closed_at or said.closed,
        )
        return said.case, Repeated.DISPOSED


async def read_certificates(objects: Objects) -> dict[str, str]:
    """Every certificate in the bucket, by its name; ChainError for one that is none."""
    found = {}
    for key in await objects.keys(CERTIFICATES):
        try:
            found[key] = (await objects.get(key)).decode("ascii")
        except UnicodeDecodeError:
            raise ChainError(f"{key} is no certificate") from None
    return found
