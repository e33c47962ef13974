"""The one way in for what somebody signed: verified, known or new, of a time that counts, and stored."""

from __future__ import annotations

from datetime import UTC, datetime

from relay.crypto import signing, statements
from relay.crypto.statements import StatementT, Verified
from relay.domain.actors import Mediator, Participant, Service
from relay.domain.credentials import UnknownSigner
from relay.errors import Forbidden
from relay.settings import Settings
from relay.storage import credentials as stored_credentials
from relay.storage import statements as stored
from relay.storage.database import Connection


async def verify_by(
    connection: Connection,
    actor: Mediator | Participant | Service,
    compact: str,
    kind: type[StatementT],
) -> Verified[StatementT]:
    """The statement, if the actor signed it; UnknownSigner where it is no key of the case system's."""
    if not isinstance(actor, Service):
        return statements.verified(compact, kind, actor.signer)
    kid = signing.read_unverified(compact).kid
    signer = await stored_credentials.find_service_signer(connection, kid)
    if signer is None:
        raise UnknownSigner
    return statements.verified(compact, kind, signer)


async def is_new(
    connection: Connection, settings: Settings, statement: Verified[StatementT]
) -> bool:
    """Whether a statement was never stored: then it is carried out, otherwise answered as the first time.

    A new one is refused where its time is far from ours: a clock is wrong, or it was kept back. Readers go by
    the time in the statement, so one at which its signer had no valid credential is refused as well.
    """
    admission = await stored.find_admission(
        connection, statement.hash, statement.kid, statement.said.at
    )
    return is_admitted(settings, statement.said.at, admission)


def is_admitted(settings: Settings, at: datetime, admission: stored.Admission) -> bool:
    """As `is_new`, by what is known of the statement."""
    if admission.is_stored:
        return False
    age = datetime.now(UTC) - at
    if abs(age.total_seconds()) > settings.statement_skew_seconds:
        raise Forbidden("the time in the statement", problem="statement-time")
    if not admission.counts:
        raise Forbidden("a time at which the credential is not valid", problem="statement-time")
    return True
