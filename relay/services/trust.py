"""What relay hands out for others to verify, and what it verifies itself: roots, credentials and charters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from relay.crypto import chain
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.trust import Trust, establish_trust, trusted_roots
from relay.crypto.verified import VerifiedCharter
from relay.domain.links import CredentialPair
from relay.domain.links import Trust as TrustView
from relay.errors import NotFound
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import credentials as stored
from relay.storage.database import Connection


def configured_roots(settings: Settings) -> list[bytes]:
    """The organization roots of the settings."""
    return [b64u_decode(key.strip()) for key in settings.root_public_keys.split(",") if key.strip()]


async def root_keys(connection: Connection, settings: Settings) -> list[str]:
    """The configured roots and those that took their places, as base64url."""
    successions = await stored.list_successions(connection)
    return [b64u_encode(root) for root in trusted_roots(configured_roots(settings), successions)]


async def view(connection: Connection, settings: Settings, case_id: uuid.UUID) -> TrustView:
    """Everything that a participant needs to verify their case; NotFound before its first charter."""
    registration = await stored_cases.find_registration(connection, case_id)
    if registration is None:
        raise NotFound("no registration")
    rows = await stored.list_case_statements(connection, case_id)
    return TrustView(
        roots=await root_keys(connection, settings),
        successions=await stored.list_successions(connection),
        credentials=[
            CredentialPair(credential=row.credential, revocation=row.revocation) for row in rows
        ],
        registration=registration,
        charters=await stored_cases.list_charter_statements(connection, case_id),
    )


async def organization(
    connection: Connection, settings: Settings, successions: Sequence[str] | None = None
) -> Trust:
    """Everybody whom the configured roots vouch for; `successions`: those that there would be."""
    rows = await stored.list_statements(connection)
    if successions is None:
        successions = await stored.list_successions(connection)
    return _trust(settings, rows, successions)


async def charter(
    connection: Connection, settings: Settings, case_id: uuid.UUID
) -> VerifiedCharter:
    """The charter of a case, verified up to the configured roots; ChainError where it does not hold."""
    rows = await stored.list_case_statements(connection, case_id)
    trust = _trust(settings, rows, await stored.list_successions(connection))
    registration = await stored_cases.find_registration(connection, case_id)
    charters = await stored_cases.list_charter_statements(connection, case_id)
    verified = chain.verify_charters(trust, registration or "", charters)
    if verified.case != case_id:
        raise ChainError("a charter of another case")
    return verified


def _trust(
    settings: Settings, rows: Sequence[stored.CredentialStatements], successions: Sequence[str]
) -> Trust:
    return establish_trust(
        configured_roots(settings),
        [row.credential for row in rows],
        [row.revocation for row in rows if row.revocation is not None],
        successions,
    )
