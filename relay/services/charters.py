"""Charters: the first one opens a case, each later one says who serves it from then on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from relay.crypto import chain, signing, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, StatementError
from relay.crypto.verified import VerifiedCharter
from relay.domain.actors import Mediator, Service
from relay.domain.cases import (
    ApprovalsLowered,
    CaseDisposed,
    CaseView,
    CharterFiling,
    CharterInvalid,
    CharterOutOfOrder,
    Charters,
    CharterView,
)
from relay.domain.credentials import CaseFile, UnknownSigner
from relay.errors import InvalidRequest, NotFound, TooLarge
from relay.services import trust
from relay.services.cases import require_case, require_mediator, view_of
from relay.services.credentials import list_all
from relay.services.statements import is_new
from relay.settings import KIB, Settings
from relay.storage import cases as stored
from relay.storage import credentials as stored_credentials
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement

KEY_FILE_MAX_BYTES: Final = 256 * KIB
"""Room for the identities of many versions, sealed to some forty holders."""


async def file_charter(
    database: Database,
    settings: Settings,
    mediator: Mediator,
    case_id: uuid.UUID,
    filing: CharterFiling,
) -> CaseView:
    """Open a case with its first charter, or put the next one in force.

    Each is signed by a mediator of the version before; the first, by one who was assigned to the case.
    """
    charter = statements.verified(filing.statement, statements.Charter, mediator.signer)
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        await require_mediator(connection, case_id, mediator)
        await _put_in_force(
            connection,
            settings,
            case_id,
            filing,
            charter,
            signer=mediator.signer,
            actor=str(mediator),
        )
        return await view_of(connection, mediator, await require_case(connection, case_id))


async def file_recovered(
    database: Database, settings: Settings, case_id: uuid.UUID, filing: CharterFiling
) -> None:
    """Put a charter in force that a recovery key signed: the case has lost every mediator it had.

    No matter who brings it: the signature is what admits it.
    """
    async with database.transaction() as connection:
        # Who signed comes first: nobody else waits for a case, or learns whether there is one.
        kid = signing.read_unverified(filing.statement).kid
        recovery = await stored_credentials.find_recovery_signer(connection, kid)
        if recovery is None:
            raise UnknownSigner
        credential_id, signer = recovery
        charter = statements.verified(filing.statement, statements.Charter, signer)
        if charter.said.version == 1:
            raise CharterInvalid("a recovery key opens no case")
        await stored.lock_case(connection, case_id)
        await _put_in_force(
            connection,
            settings,
            case_id,
            filing,
            charter,
            signer=signer,
            actor=f"recovery:{credential_id}",
        )


async def _put_in_force(
    connection: Connection,
    settings: Settings,
    case_id: uuid.UUID,
    filing: CharterFiling,
    charter: statements.Verified[statements.Charter],
    *,
    signer: bytes,
    actor: str,
) -> None:
    """Store a charter that every reader will accept as the next one of the case."""
    said = charter.said
    if len(filing.key_file) > KEY_FILE_MAX_BYTES:
        raise TooLarge("key file")
    if said.case != case_id:
        raise InvalidRequest("the charter is for another case")
    version = await stored.lock_case(connection, case_id)
    case = await require_case(connection, case_id)
    charters = await stored.list_charters(connection, case_id)
    if not await is_new(connection, settings, charter):
        if charters and charters[-1].statement_hash == charter.hash:
            return
        raise CharterOutOfOrder
    _require_next(said, version or 0, charters)
    if version and said.policy.approvals < case.approvals:
        raise ApprovalsLowered
    known = await stored.find_registration(connection, case_id)
    registration = known or filing.registration
    if registration is None:
        raise CharterInvalid("nobody registered who may open the case")
    try:
        verified = chain.verify_charters(
            await trust.organization(connection, settings),
            registration,
            [*(row.compact for row in charters), filing.statement],
        )
    except (ChainError, StatementError) as error:
        raise CharterInvalid(error.detail) from None
    if verified.case != case_id:
        raise CharterInvalid("a registration of another case")
    _require_valid_newcomers(verified)
    if known is None:
        await _register_with_charter(
            connection, settings, case_id, registration, signer=signer, actor=actor
        )
    await insert_statement(connection, charter)
    mediators = [entry.credential for entry in said.mediators]
    await stored.insert_charter(
        connection,
        case_id=case_id,
        version=said.version,
        statement_hash=charter.hash,
        recipient=said.recipient,
        mediators=mediators,
        media=[entry.credential for entry in said.media],
        recovery=[entry.credential for entry in said.recovery],
        key_file=filing.key_file,
    )
    await stored.adopt_charter(
        connection,
        case_id=case_id,
        version=said.version,
        approvals=said.policy.approvals,
        captions_required=said.policy.captions == "required",
        server_processing=said.policy.server_processing,
        retention_days=said.policy.retention_days,
    )
    await stored.assign_mediators(connection, case_id, mediators)
    await stored.dismiss_mediators(connection, case_id, mediators)
    await append_event(
        connection,
        case_id=case_id,
        kind="charter-filed",
        actor=actor,
        statement_hash=charter.hash,
    )


def _require_next(
    said: statements.Charter, version: int, charters: Sequence[stored.CharterRow]
) -> None:
    """Require the version after the one in force; CharterOutOfOrder otherwise."""
    previous = b64u_encode(charters[-1].statement_hash) if charters else None
    if (said.version, said.previous) != (version + 1, previous):
        raise CharterOutOfOrder


def _require_valid_newcomers(charter: VerifiedCharter) -> None:
    """Refuse a charter that lists somebody new whose credential is not valid now."""
    latest, before = charter.terms[-1], charter.terms[:-1]
    known = {a.credential for term in before[-1:] for a in term.everybody}
    now = datetime.now(UTC)
    if any(a.credential not in known and not a.valid_at(now) for a in latest.everybody):
        raise UnknownSigner("a charter lists somebody whose credential has ended")


async def _register_with_charter(
    connection: Connection,
    settings: Settings,
    case_id: uuid.UUID,
    compact: str,
    *,
    signer: bytes,
    actor: str,
) -> None:
    """Store who may open the case as the mediator says who opens it: where nobody said so before."""
    registration = statements.verified(compact, statements.Registration, signer)
    await is_new(connection, settings, registration)
    await insert_statement(connection, registration)
    await stored.set_registration(
        connection, case_id, registration.hash, by_mediator_at=registration.said.at
    )
    await append_event(
        connection,
        case_id=case_id,
        kind="mediators-registered",
        actor=actor,
        statement_hash=registration.hash,
    )


async def list_charters(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID
) -> Charters:
    """The charters of a case, oldest first, with its sealed identities, and its registration.

    The case system needs them to seal the claim keys of the links that it makes.
    """
    async with database.snapshot() as connection:
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        return await _charters(connection, case_id)


async def export(database: Database, settings: Settings, case_id: uuid.UUID) -> CaseFile:
    """What a recovery key needs of a case; NotFound where there is none with a charter."""
    credentials = await list_all(database, settings)
    async with database.snapshot() as connection:
        charters = await _charters(connection, case_id)
    if not charters.charters:
        raise NotFound("no such case, or not opened yet")
    return CaseFile(case=case_id, credentials=credentials, charters=charters)


async def _charters(connection: Connection, case_id: uuid.UUID) -> Charters:
    rows = await stored.list_charters(connection, case_id)
    if any(not row.key_file for row in rows):
        raise CaseDisposed(case_id)
    return Charters(
        registration=await stored.find_registration(connection, case_id),
        charters=[
            CharterView(version=row.version, statement=row.compact, key_file=row.key_file)
            for row in rows
        ],
    )
