"""What people of a case say about taking part, and no-contact facts."""

from __future__ import annotations

import uuid

from relay.crypto import statements
from relay.domain.actors import Mediator, Participant, Service
from relay.domain.cases import (
    Consent,
    OwnWordNeeded,
)
from relay.domain.links import ClaimUnverified
from relay.errors import Conflict, InvalidRequest, NotFound
from relay.services.cases import require_mediator
from relay.services.statements import is_new, verify_by
from relay.settings import Settings
from relay.storage import cases as stored
from relay.storage.database import Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement


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
    """Require somebody who may change what was said before."""
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
