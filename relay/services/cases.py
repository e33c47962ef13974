"""Cases: registering them, opening them with a charter, consent and no-contact facts."""

from __future__ import annotations

import uuid

from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Participant, Service
from relay.domain.cases import (
    ApprovalsLowered,
    CaseExists,
    CasePage,
    CaseRegistration,
    CaseSummary,
    CaseView,
    CharterFiling,
    CharterOutOfOrder,
    CharterView,
)
from relay.domain.credentials import UnknownSigner
from relay.errors import Conflict, InvalidRequest, NotFound
from relay.services.credentials import require_recent, require_standing
from relay.settings import Settings
from relay.storage import cases as stored
from relay.storage import credentials as stored_credentials
from relay.storage.database import Connection, Database
from relay.storage.events import append_event, find_statement, insert_statement


async def register(
    database: Database,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    registration: CaseRegistration,
) -> CaseView:
    """Make a case known, or add participants, pairs and (before its charter) mediators to it.

    A mediator who registers one is its mediator; to change one that exists they must be, too.
    """
    pairs = registration.all_pairs()
    async with database.transaction() as connection:
        is_new = await stored.insert_case(connection, case_id, registration.reference)
        await stored.lock_case(connection, case_id)
        case = await stored.find_case(connection, case_id)
        if case is None or case.reference != registration.reference:
            raise CaseExists
        mediators = list(registration.mediators)
        if isinstance(actor, Mediator):
            if is_new:
                mediators.append(actor.credential_id)
            elif not await stored.is_mediator(connection, case_id, actor.credential_id):
                raise CaseExists
        for entry in registration.participants:
            await stored.insert_participant(connection, case_id, entry.participant, entry.role)
            known = await stored.find_participant(connection, case_id, entry.participant)
            if known is None or known.role is not entry.role:
                raise CaseExists("participant")
        for one, other in pairs:
            await stored.insert_pair(connection, case_id, one, other)
        if case.charter_version == 0:
            await stored.assign_mediators(connection, case_id, mediators)
        await append_event(
            connection,
            case_id=case_id,
            kind="case-registered" if is_new else "case-changed",
            actor=str(actor),
        )
        return await _view(connection, case)


async def read(database: Database, actor: Mediator | Service, case_id: uuid.UUID) -> CaseView:
    """One case, for its mediators and the case system."""
    async with database.transaction() as connection:
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        return await _view(connection, await require_case(connection, case_id))


async def list_cases(
    database: Database, actor: Mediator | Service, *, after: uuid.UUID, limit: int
) -> CasePage:
    """A page of the cases of a mediator, or of all for the case system."""
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    async with database.connection() as connection:
        found = await stored.list_cases(
            connection, mediator_id=mediator_id, after=after, limit=limit + 1
        )
    page = found[:limit]
    return CasePage(cases=page, next=page[-1].case if len(found) > limit else None)


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
    said = statements.verify(filing.statement, statements.Charter, mediator.signer)
    require_recent(said.at, settings)
    if said.case != case_id:
        raise InvalidRequest("the charter is for another case")
    async with database.transaction() as connection:
        version = await stored.lock_case(connection, case_id)
        await require_mediator(connection, case_id, mediator)
        charters = await stored.list_charters(connection, case_id)
        statement_hash = signing.statement_hash(filing.statement)
        if charters and charters[-1].statement_hash == statement_hash:
            return await _view(connection, await require_case(connection, case_id))
        previous = b64u_encode(charters[-1].statement_hash) if charters else None
        if said.version != (version or 0) + 1 or said.previous != previous:
            raise CharterOutOfOrder
        case = await require_case(connection, case_id)
        if version and said.policy.approvals < case.approvals:
            raise ApprovalsLowered
        mediators = [entry.credential for entry in said.mediators]
        if mediator.credential_id not in mediators and version == 0:
            raise InvalidRequest("the first charter must name its signer")
        for role, entries in (("mediator", said.mediators), ("media", said.media)):
            for entry in entries:
                row = await require_standing(connection, entry.credential, role)
                if b64u_encode(row.statement_hash) != entry.statement:
                    raise UnknownSigner("a charter names another credential than the root's")
        await insert_statement(connection, filing.statement)
        await stored.insert_charter(
            connection,
            case_id=case_id,
            version=said.version,
            statement_hash=statement_hash,
            recipient=said.recipient,
            mediators=mediators,
            media=[entry.credential for entry in said.media],
            key_file=filing.key_file,
        )
        await stored.adopt_charter(
            connection,
            case_id=case_id,
            version=said.version,
            approvals=said.policy.approvals,
            captions_required=said.policy.captions == "required",
            server_processing=said.policy.server_processing,
        )
        await stored.assign_mediators(connection, case_id, mediators)
        await stored.dismiss_mediators(connection, case_id, mediators)
        await append_event(
            connection,
            case_id=case_id,
            kind="charter-filed",
            actor=str(mediator),
            statement_hash=statement_hash,
        )
        return await _view(connection, await require_case(connection, case_id))


async def list_charters(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID
) -> list[CharterView]:
    """The charters of a case, oldest first, with its sealed identity.

    The case system needs them to seal the secrets of the links that it makes.
    """
    async with database.transaction() as connection:
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        rows = await stored.list_charters(connection, case_id)
    return [
        CharterView(version=row.version, statement=row.compact, key_file=row.key_file)
        for row in rows
    ]


async def record_consent(
    database: Database,
    settings: Settings,
    actor: Participant | Mediator | Service,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    compact: str,
) -> None:
    """Keep what a participant said about taking part: signed by them, a mediator, or the case system.

    What was said last counts, and nothing counts twice. To stop is always possible, whatever the clocks of
    those who spoke before say; to go on needs a statement that is not older than the one that stopped.
    """
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        if isinstance(actor, Participant):
            if (actor.case_id, actor.participant_id) != (case_id, participant_id):
                raise NotFound("another participant")
            signer = actor.signer
        elif isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
            signer = actor.signer
        else:
            signer = await require_service_signer(connection, compact)
        said = statements.verify(compact, statements.Consent, signer)
        require_recent(said.at, settings)
        if (said.case, said.participant) != (case_id, participant_id):
            raise InvalidRequest("the statement is for somebody else")
        participant = await stored.find_consent(connection, case_id, participant_id)
        if participant is None:
            raise NotFound("no such participant")
        statement_hash = signing.statement_hash(compact)
        if participant.consent_hash == statement_hash:
            return
        if await find_statement(connection, statement_hash) is not None:
            raise Conflict("said before, and something else since")
        await insert_statement(connection, compact)
        if not await stored.set_consent(
            connection,
            case_id=case_id,
            participant_id=participant_id,
            consent=said.status,
            statement_hash=statement_hash,
            at=said.at,
        ):
            raise Conflict("something newer was said")
        await append_event(
            connection,
            case_id=case_id,
            kind=f"consent-{said.status}",
            actor=str(actor),
            statement_hash=statement_hash,
        )


async def set_no_contact(
    database: Database,
    service: Service,
    case_id: uuid.UUID,
    pair: tuple[uuid.UUID, uuid.UUID],
    *,
    no_contact: bool,
) -> None:
    """Set or lift a no-contact fact: a fact of the case system's, which nobody else may change."""
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        if not await stored.set_no_contact(connection, case_id, pair, no_contact=no_contact):
            raise NotFound("no such pair")
        await append_event(
            connection,
            case_id=case_id,
            kind="no-contact-set" if no_contact else "no-contact-lifted",
            actor=str(service),
        )


async def require_mediator(connection: Connection, case_id: uuid.UUID, mediator: Mediator) -> None:
    """Go on only for a mediator of this case; for any other, the case does not exist."""
    if not await stored.is_mediator(connection, case_id, mediator.credential_id):
        raise NotFound("not a mediator of this case")


async def require_case(connection: Connection, case_id: uuid.UUID) -> CaseSummary:
    """The case, or NotFound."""
    case = await stored.find_case(connection, case_id)
    if case is None:
        raise NotFound("no such case")
    return case


async def require_service_signer(connection: Connection, compact: str) -> bytes:
    """The public key with which the case system signed; UnknownSigner where it has none."""
    _typ, kid, _payload = signing.read_unverified(compact)
    signer = await stored_credentials.find_service_signer(connection, kid)
    if signer is None:
        raise UnknownSigner
    return signer


async def _view(connection: Connection, case: CaseSummary) -> CaseView:
    return CaseView(
        case=case.case,
        reference=case.reference,
        charter_version=case.charter_version,
        approvals=case.approvals,
        captions_required=case.captions_required,
        server_processing=case.server_processing,
        created_at=case.created_at,
        participants=await stored.list_participants(connection, case.case),
        pairs=await stored.list_pairs(connection, case.case),
        mediators=await stored.list_mediators(connection, case.case),
    )
