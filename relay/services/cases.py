"""Cases: registering them, and what is told of them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec

from relay.crypto import chain, signing, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.domain.actors import Actor, LinkHolder, Mediator, Participant, Service
from relay.domain.cases import (
    CaseExists,
    CaseFacts,
    CaseFigures,
    CasePage,
    CaseRegistration,
    CasesQuery,
    CaseSummary,
    CaseView,
    CharterChanged,
    ParticipantDropped,
    ParticipantView,
    RegistrationMissing,
    RoleChanged,
    UnknownMediator,
)
from relay.domain.credentials import UnknownSigner
from relay.domain.paging import write_place
from relay.domain.preconditions import Preconditions
from relay.errors import InvalidRequest, NotFound
from relay.services import trust
from relay.services.statements import is_new, verify_by
from relay.settings import Settings
from relay.storage import cases as stored
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement


async def register(
    database: Database,
    settings: Settings,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    registration: CaseRegistration,
    preconditions: Preconditions,
) -> tuple[CaseView, bool]:
    """Make a case known, or add participants, pairs and (before its charter) mediators; whether it is new.

    A mediator who registers one is its mediator; to change one that exists they must be, too. Once a
    charter is in force, other mediators than its own are stored as a proposal of the case system's. What
    changes nothing is not logged. NotAsExpected where the preconditions do not hold of the case as it is.
    """
    async with database.transaction() as connection:
        is_new = await stored.insert_case(connection, case_id, registration.reference)
        version = await stored.lock_case(connection, case_id)
        case = await stored.find_case(connection, case_id)
        if case is None:
            raise CaseExists
        if isinstance(actor, Mediator) and not is_new:
            await _require_own(connection, actor, case_id)
        preconditions.require(None if is_new else await view_of(connection, actor, case))
        if case.reference != registration.reference:
            raise CaseExists
        mediators = await _named_mediators(connection, actor, case_id, registration, is_new=is_new)
        is_changed = await _add_participants(connection, case_id, registration)
        if not version and await stored.assign_mediators(connection, case_id, mediators):
            is_changed = True
            if registration.statement is None:
                await _require_no_case_system(connection, settings)
        if is_new or is_changed:
            await append_event(
                connection,
                case_id=case_id,
                kind="case-registered" if is_new else "case-changed",
                actor=str(actor),
            )
        if not version and registration.statement is not None:
            await _keep_registration(connection, settings, actor, case_id, registration.statement)
        elif version and mediators:
            await _propose(connection, actor, case_id, mediators)
        return await view_of(connection, actor, await require_case(connection, case_id)), is_new


async def _require_own(connection: Connection, mediator: Mediator, case_id: uuid.UUID) -> None:
    """To somebody who is not its mediator a case is one that another has taken the identifier for."""
    if not await stored.is_mediator(connection, case_id, mediator.credential_id):
        raise CaseExists


async def _named_mediators(
    connection: Connection,
    actor: Mediator | Service,
    case_id: uuid.UUID,
    registration: CaseRegistration,
    *,
    is_new: bool,
) -> list[uuid.UUID]:
    """The mediators that are named, with the one who registers a case; UnknownMediator where one is none."""
    named = set(registration.mediators)
    if is_new and isinstance(actor, Mediator):
        named.add(actor.credential_id)
    new = named - set(await stored.list_mediators(connection, case_id))
    if unknown := await stored.list_unknown_mediators(connection, sorted(new)):
        raise UnknownMediator(mediators=unknown)
    return sorted(named)


async def _add_participants(
    connection: Connection, case_id: uuid.UUID, registration: CaseRegistration
) -> bool:
    """Add who is new; whether somebody is. RoleChanged, ParticipantDropped for whoever was there before."""
    roles = {entry.participant: entry.role for entry in registration.participants}
    found = (await stored.list_participants(connection, [case_id]))[case_id]
    for known in found:
        if roles.get(known.participant, known.role) is not known.role:
            raise RoleChanged(participant=known.participant)
    if dropped := [known.participant for known in found if known.participant not in roles]:
        raise ParticipantDropped(participants=dropped)
    added = [
        await stored.insert_participant(connection, case_id, participant, role)
        for participant, role in roles.items()
        if participant not in {known.participant for known in found}
    ]
    if not all(added):
        raise CaseExists("a participant of another case")
    paired = [
        await stored.insert_pair(connection, case_id, one, other)
        for one, other in registration.all_pairs()
    ]
    return any([*added, *paired])


async def _require_no_case_system(connection: Connection, settings: Settings) -> None:
    """Nobody could open the case for whom a case system has to sign; RegistrationMissing."""
    if (await trust.organization(connection, settings)).has_case_system(datetime.now(UTC)):
        raise RegistrationMissing


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
        return await view_of(connection, actor, await require_case(connection, case_id))


async def list_cases(database: Database, actor: Mediator | Service, query: CasesQuery) -> CasePage:
    """A page of the cases of a mediator, or of all for the case system, that fit what is asked for."""
    own = actor.credential_id if isinstance(actor, Mediator) else None
    mediators = [named for named in (own, query.mediator) if named is not None]
    async with database.snapshot() as connection:
        found = await stored.search_cases(
            connection,
            mediators=mediators,
            reference=query.reference,
            states=query.states,
            after=query.place,
            limit=query.limit + 1,
        )
        page = found[: query.limit]
        facts = await stored.list_cases(connection, [place.case for place in page])
        people, figures = await _of_lists(connection, actor, [case.case for case in facts])
    return CasePage(
        cases=[
            CaseSummary(
                **msgspec.structs.asdict(case),
                participants=people[case.case],
                figures=figures[case.case],
            )
            for case in facts
        ],
        next=write_place(page[-1]) if len(found) > query.limit else None,
    )


async def require_mediator(connection: Connection, case_id: uuid.UUID, mediator: Mediator) -> None:
    """Require a mediator of this case; for any other, the case does not exist."""
    if not await stored.is_mediator(connection, case_id, mediator.credential_id):
        raise NotFound("not a mediator of this case")


async def is_known_to(database: Database, actor: Actor, case_id: uuid.UUID) -> bool:
    """Whether somebody may be told that there is this case, or was."""
    match actor:
        case Service():
            return True
        case Mediator(credential_id=mediator):
            async with database.connection() as connection:
                return await stored.is_mediator(connection, case_id, mediator)
        case Participant(case_id=own) | LinkHolder(case_id=own):
            return own == case_id
        case _:
            return False


async def require_latest_charter(connection: Connection, case_id: uuid.UUID, named: str) -> None:
    """Require the charter in force (`named`: its hash, base64url); CharterChanged otherwise."""
    charters = await stored.list_charter_statements(connection, case_id)
    if not charters or b64u_encode(signing.statement_hash(charters[-1])) != named:
        raise CharterChanged


async def require_case(connection: Connection, case_id: uuid.UUID) -> CaseFacts:
    """The case, or NotFound."""
    case = await stored.find_case(connection, case_id)
    if case is None:
        raise NotFound("no such case")
    return case


async def view_of(connection: Connection, actor: Mediator | Service, case: CaseFacts) -> CaseView:
    """A case as a mediator sees it, or the case system."""
    people, figures = await _of_lists(connection, actor, [case.case])
    return CaseView(
        **msgspec.structs.asdict(case),
        participants=people[case.case],
        figures=figures[case.case],
        pairs=await stored.list_pairs(connection, case.case),
        mediators=await stored.list_mediators(connection, case.case),
    )


async def _of_lists(
    connection: Connection, actor: Mediator | Service, cases: list[uuid.UUID]
) -> tuple[dict[uuid.UUID, list[ParticipantView]], dict[uuid.UUID, CaseFigures]]:
    """The people of some cases, and what there is to do in them."""
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    return (
        await stored.list_participants(connection, cases),
        await stored.count_figures(connection, cases, mediator_id),
    )
