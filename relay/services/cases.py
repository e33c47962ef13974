"""Cases: registering them, opening them with a charter, consent and no-contact facts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from relay.crypto import chain, signing, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, StatementError
from relay.domain.actors import Mediator, Participant, Service
from relay.domain.cases import (
    ApprovalsLowered,
    CaseExists,
    CaseFacts,
    CasePage,
    CaseRegistration,
    CaseSummary,
    CaseView,
    CharterChanged,
    CharterFiling,
    CharterInvalid,
    CharterOutOfOrder,
    Charters,
    CharterView,
    Consent,
    OwnWordNeeded,
)
from relay.domain.credentials import CaseFile, UnknownSigner
from relay.domain.links import ClaimUnverified
from relay.errors import Conflict, InvalidRequest, NotFound, TooLarge
from relay.services import trust
from relay.services.credentials import list_all
from relay.services.statements import is_new, verify_by
from relay.settings import KIB, Settings
from relay.storage import cases as stored
from relay.storage import credentials as stored_credentials
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement

KEY_FILE_MAX_BYTES: Final = 256 * KIB
"""Room for the identities of many versions, sealed to some forty holders."""


async def register(
    database: Database,
    settings: Settings,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    registration: CaseRegistration,
) -> CaseView:
    """Make a case known, or add participants, pairs and (before its charter) mediators to it.

    A mediator who registers one is its mediator; to change one that exists they must be, too. Once a
    charter is in force, other mediators than its own are stored as a proposal of the case system's.
    """
    async with database.transaction() as connection:
        is_new = await stored.insert_case(connection, case_id, registration.reference)
        version = await stored.lock_case(connection, case_id)
        case = await stored.find_case(connection, case_id)
        if case is None or case.reference != registration.reference:
            raise CaseExists
        mediators = list(registration.mediators)
        if isinstance(actor, Mediator):
            if is_new:
                mediators.append(actor.credential_id)
            elif not await stored.is_mediator(connection, case_id, actor.credential_id):
                raise CaseExists
        await append_event(
            connection,
            case_id=case_id,
            kind="case-registered" if is_new else "case-changed",
            actor=str(actor),
        )
        await _add_participants(connection, case_id, registration)
        if version == 0:
            await stored.assign_mediators(connection, case_id, mediators)
            if registration.statement is not None:
                await _keep_registration(
                    connection, settings, actor, case_id, registration.statement
                )
        elif mediators:
            await _propose(connection, actor, case_id, mediators)
        return await _view(connection, actor, await require_case(connection, case_id))


async def _add_participants(
    connection: Connection, case_id: uuid.UUID, registration: CaseRegistration
) -> None:
    for entry in registration.participants:
        await stored.insert_participant(connection, case_id, entry.participant, entry.role)
        if await stored.find_role(connection, case_id, entry.participant) is not entry.role:
            raise CaseExists("participant")
    for one, other in registration.all_pairs():
        await stored.insert_pair(connection, case_id, one, other)


async def _keep_registration(
    connection: Connection,
    settings: Settings,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    compact: str,
) -> None:
    """Store who may open the case, if readers will believe it; no mediator overrides the case system."""
    registration = await verify_by(connection, actor, compact, statements.Registration)
    said = registration.said
    known = await stored.find_registration(connection, case_id)
    if known == compact:
        return
    if not await is_new(connection, settings, registration):
        raise CaseExists("registered")
    assigned = await stored.list_mediators(connection, case_id)
    if said.case != case_id or not set(said.mediators) <= set(assigned):
        raise InvalidRequest("a registration of another case, or of mediators who are not assigned")
    if isinstance(actor, Mediator) and known is not None:
        raise CaseExists("registered")
    try:
        chain.verify_registration(await trust.organization(connection, settings), compact)
    except ChainError as error:
        raise UnknownSigner(error.detail) from None
    await insert_statement(connection, registration)
    await stored.set_registration(
        connection,
        case_id,
        registration.hash,
        by_mediator_at=said.at if isinstance(actor, Mediator) else None,
    )
    await append_event(
        connection,
        case_id=case_id,
        kind="mediators-registered",
        actor=str(actor),
        statement_hash=registration.hash,
    )


async def _propose(
    connection: Connection,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    mediators: list[uuid.UUID],
) -> None:
    """Store whom the case system wants as mediators, where that is not whom the charter names."""
    if set(mediators) == set(await stored.list_mediators(connection, case_id)):
        return
    if isinstance(actor, Mediator):
        raise InvalidRequest("mediators", problem="Mediators are changed by signing a charter.")
    await stored.propose_mediators(connection, case_id, sorted(set(mediators)))
    await append_event(connection, case_id=case_id, kind="mediators-proposed", actor=str(actor))


async def read(database: Database, actor: Mediator | Service, case_id: uuid.UUID) -> CaseView:
    """One case, for its mediators and the case system."""
    async with database.transaction() as connection:
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        return await _view(connection, actor, await require_case(connection, case_id))


async def list_cases(
    database: Database, actor: Mediator | Service, *, after: uuid.UUID, limit: int
) -> CasePage:
    """A page of the cases of a mediator, or of all for the case system."""
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    async with database.snapshot() as connection:
        found = await stored.list_cases(
            connection, mediator_id=mediator_id, after=after, limit=limit + 1
        )
        page = await _summaries(connection, actor, found[:limit])
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
        return await _view(connection, mediator, await require_case(connection, case_id))


async def file_recovered(
    database: Database, settings: Settings, case_id: uuid.UUID, filing: CharterFiling
) -> None:
    """Put a charter in force that a recovery key signed: the case has lost every mediator it had.

    No matter who brings it: the signature is what admits it.
    """
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        kid = signing.read_unverified(filing.statement).kid
        recovery = await stored_credentials.find_recovery_signer(connection, kid)
        if recovery is None:
            raise UnknownSigner
        credential_id, signer = recovery
        charter = statements.verified(filing.statement, statements.Charter, signer)
        if charter.said.version == 1:
            raise CharterInvalid("a recovery key opens no case")
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
    """Go on only with the version after the one in force; CharterOutOfOrder otherwise."""
    previous = b64u_encode(charters[-1].statement_hash) if charters else None
    if (said.version, said.previous) != (version + 1, previous):
        raise CharterOutOfOrder


def _require_valid_newcomers(charter: chain.VerifiedCharter) -> None:
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
        rows = await stored.list_charters(connection, case_id)
        registration = await stored.find_registration(connection, case_id)
    return Charters(
        registration=registration,
        charters=[
            CharterView(version=row.version, statement=row.compact, key_file=row.key_file)
            for row in rows
        ],
    )


async def export(database: Database, settings: Settings, case_id: uuid.UUID) -> CaseFile:
    """What a recovery key needs of a case; NotFound where there is none with a charter."""
    credentials = await list_all(database, settings)
    async with database.snapshot() as connection:
        rows = await stored.list_charters(connection, case_id)
        registration = await stored.find_registration(connection, case_id)
    if not rows:
        raise NotFound("no such case, or not opened yet")
    views = [
        CharterView(version=row.version, statement=row.compact, key_file=row.key_file)
        for row in rows
    ]
    return CaseFile(
        case=case_id,
        credentials=credentials,
        charters=Charters(registration=registration, charters=views),
    )


async def record_consent(
    database: Database,
    settings: Settings,
    actor: Participant | Mediator | Service,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    compact: str,
) -> None:
    """Store what a participant said about taking part: signed by them, a mediator, or the case system.

    What was said last counts, and nothing counts twice. To stop is always possible, whatever the clocks of
    those who spoke before say; to continue needs a statement that is not older than the one that stopped.
    """
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        if isinstance(actor, Participant):
            if (actor.case_id, actor.participant_id) != (case_id, participant_id):
                raise NotFound("another participant")
        elif isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        consent = await verify_by(connection, actor, compact, statements.Consent)
        said = consent.said
        if (said.case, said.participant) != (case_id, participant_id):
            raise InvalidRequest("the statement is for somebody else")
        participant = await stored.find_consent(connection, case_id, participant_id)
        if participant is None:
            raise NotFound("no such participant")
        if participant.consent_hash == consent.hash:
            return
        _require_may_say(actor, said.status, participant)
        if not await is_new(connection, settings, consent):
            raise Conflict("said before, and something else since")
        await insert_statement(connection, consent)
        if not await stored.set_consent(
            connection,
            case_id=case_id,
            participant_id=participant_id,
            consent=said.status,
            statement_hash=consent.hash,
            at=said.at,
            earlier_holds=participant.holds,
        ):
            raise Conflict("something newer was said")
        await append_event(
            connection,
            case_id=case_id,
            kind=f"consent-{said.status}",
            actor=str(actor),
            statement_hash=consent.hash,
        )


def _require_may_say(
    actor: Participant | Mediator | Service, status: str, before: stored.ConsentRow
) -> None:
    """Go on only for somebody who may change what was said before."""
    if before.consent is None or not before.holds:
        return
    if isinstance(actor, Participant) and not actor.is_verified:
        if before.kid != actor.kid:
            raise ClaimUnverified
        return
    raises = list(Consent).index(Consent(status)) < list(Consent).index(before.consent)
    if raises and before.by_participant and not isinstance(actor, Participant):
        raise OwnWordNeeded


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


async def require_latest_charter(connection: Connection, case_id: uuid.UUID, named: str) -> None:
    """Go on only with what was made under the charter in force (its hash, base64url); CharterChanged."""
    charters = await stored.list_charter_statements(connection, case_id)
    if not charters or b64u_encode(signing.statement_hash(charters[-1])) != named:
        raise CharterChanged


async def require_case(connection: Connection, case_id: uuid.UUID) -> CaseFacts:
    """The case, or NotFound."""
    case = await stored.find_case(connection, case_id)
    if case is None:
        raise NotFound("no such case")
    return case


async def _view(connection: Connection, actor: Mediator | Service, case: CaseFacts) -> CaseView:
    """A case as a mediator sees it, or the case system."""
    [summary] = await _summaries(connection, actor, [case])
    return CaseView(
        **msgspec.structs.asdict(summary),
        pairs=await stored.list_pairs(connection, case.case),
        mediators=await stored.list_mediators(connection, case.case),
    )


async def _summaries(
    connection: Connection, actor: Mediator | Service, cases: list[CaseFacts]
) -> list[CaseSummary]:
    """Cases with their people, and with what there is to do."""
    ids = [case.case for case in cases]
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    people = await stored.list_participants(connection, ids)
    figures = await stored.count_figures(connection, ids, mediator_id)
    return [
        CaseSummary(
            **msgspec.structs.asdict(case),
            participants=people[case.case],
            figures=figures[case.case],
        )
        for case in cases
    ]
