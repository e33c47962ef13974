"""Credentials come from the organization root: accepted for their signature, no matter who sends them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.trust import trusted_roots, verify_by_root
from relay.domain.actors import Mediator
from relay.domain.credentials import (
    CredentialExists,
    Credentials,
    ServiceTooEarly,
    UnknownSigner,
)
from relay.domain.links import CredentialPair
from relay.errors import Forbidden, InvalidRequest, NotFound, TooLarge
from relay.services.notifications import tell_of_end, tell_of_revocation
from relay.services.trust import configured_roots, organization, root_keys
from relay.settings import KIB, Settings
from relay.storage import cases as stored_cases
from relay.storage import credentials as stored
from relay.storage.database import Connection, Database
from relay.storage.statements import insert_statement

KEYRING_MAX_BYTES = 4 * KIB


async def roots(database: Database, settings: Settings) -> list[str]:
    """The public keys of the organization roots and of those that took their places, base64url."""
    async with database.connection() as connection:
        return await root_keys(connection, settings)


async def succeed(database: Database, settings: Settings, compact: str) -> None:
    """Record that a new root takes the place of an old one, which said nothing after it: said by either."""
    said = statements.decode_unverified(compact, statements.Succession)
    kid = signing.read_unverified(compact).kid
    signer = next(
        (key for key in map(b64u_decode, (said.old, said.new)) if signing.key_id(key) == kid), None
    )
    if signer is None:
        raise UnknownSigner("a succession of other roots than its signer")
    succession = statements.verified(compact, statements.Succession, signer)
    async with database.transaction() as connection:
        known = await stored.list_successions(connection)
        try:
            trusted = trusted_roots(configured_roots(settings), [*known, compact])
        except ChainError as error:
            raise CredentialExists(error.detail) from None
        if not {b64u_decode(said.old), b64u_decode(said.new)} <= set(trusted):
            raise UnknownSigner("not a succession of a root of ours")
        await _require_nothing_later(connection, settings, [*known, compact])
        await insert_statement(connection, succession)
        await stored.insert_succession(
            connection, succession.hash, b64u_decode(said.old), b64u_decode(said.new)
        )


async def add(database: Database, settings: Settings, compact: str) -> uuid.UUID:
    """Store a credential that a root signed."""
    async with database.transaction() as connection:
        credential = await _by_root(connection, settings, compact, statements.Credential)
        said = credential.said
        signer = b64u_decode(said.signer)
        signing.check_public_key(signer)
        if said.role == "service":
            await _require_after_mediators(connection, said.not_before)
        is_new = await insert_statement(connection, credential)
        await stored.insert_credential(
            connection,
            stored.NewCredential(
                credential_id=said.credential,
                person_id=said.person,
                role=said.role,
                statement_hash=credential.hash,
                kid=signing.key_id(signer),
                signer=signer,
                recipient=said.recipient,
                not_before=said.not_before,
                not_after=said.not_after,
            ),
        )
        kept = await stored.find_credential(connection, said.credential)
        if kept is None or kept.statement_hash != credential.hash:
            raise CredentialExists
        if is_new:
            await tell_of_end(connection, said.credential, said.not_after)
    return said.credential


async def revoke(
    database: Database, settings: Settings, credential_id: uuid.UUID, compact: str
) -> None:
    """End a credential: its sessions end at once, and what it signs from now on is refused."""
    async with database.transaction() as connection:
        revocation = await _by_root(connection, settings, compact, statements.Revocation)
        if revocation.said.credential != credential_id:
            raise Forbidden("the statement ends another credential")
        is_new = await insert_statement(connection, revocation)
        if not await stored.revoke_credential(connection, credential_id, revocation.hash):
            raise NotFound("no such credential")
        if is_new:
            await tell_of_revocation(connection, credential_id)


async def list_all(database: Database, settings: Settings) -> Credentials:
    """Every credential, with the roots that vouch for them."""
    async with database.snapshot() as connection:
        rows = await stored.list_statements(connection)
        return Credentials(
            roots=await root_keys(connection, settings),
            successions=await stored.list_successions(connection),
            credentials=[
                CredentialPair(credential=row.credential, revocation=row.revocation) for row in rows
            ],
        )


async def store_keyring(database: Database, mediator: Mediator, keyring: bytes) -> None:
    """Store a mediator's own keyring, so that a lost laptop is not a lost key."""
    if len(keyring) > KEYRING_MAX_BYTES:
        raise TooLarge("keyring")
    async with database.connection() as connection:
        await stored.store_keyring(connection, mediator.credential_id, keyring)


async def read_keyring(database: Database, credential_id: uuid.UUID) -> bytes:
    """A mediator's keyring, for the case system that embeds the console."""
    async with database.connection() as connection:
        keyring = await stored.find_keyring(connection, credential_id)
    if keyring is None:
        raise NotFound("no keyring")
    return keyring


async def require_standing(
    connection: Connection, credential_id: uuid.UUID, role: str
) -> stored.CredentialRow:
    """The credential, of this role and valid now; UnknownSigner otherwise."""
    row = await stored.find_credential(connection, credential_id)
    if row is None or row.role != role or not row.in_good_standing:
        raise UnknownSigner(f"not a {role} in good standing")
    return row


async def _require_after_mediators(connection: Connection, begins: datetime) -> None:
    """Require that no mediator opened a case since: its registration would not hold any more."""
    latest = await stored_cases.last_registered_by_mediator(connection)
    if latest is not None and latest >= begins:
        raise ServiceTooEarly


async def _require_nothing_later(
    connection: Connection, settings: Settings, successions: Sequence[str]
) -> None:
    """Require that readers believe what is there beside these successions.

    A root that signed something after it was succeeded would have them refuse all that it ever signed.
    """
    try:
        await organization(connection, settings, successions)
    except ChainError as error:
        problem = "The old root signed something later. Sign the succession with a later time."
        raise InvalidRequest(error.detail, problem=problem) from None


async def _by_root(
    connection: Connection, settings: Settings, compact: str, kind: type[statements.StatementT]
) -> statements.Verified[statements.StatementT]:
    try:
        return verify_by_root(
            compact,
            kind,
            configured_roots(settings),
            await stored.list_successions(connection),
            datetime.now(UTC),
        )
    except ChainError as error:
        raise UnknownSigner(error.detail) from None
