"""Credentials come from the organization root: accepted for their signature, whoever sends them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_decode
from relay.domain.actors import Mediator
from relay.domain.credentials import CredentialExists, Credentials, UnknownSigner
from relay.domain.links import CredentialPair
from relay.errors import Forbidden, NotFound, TooLarge
from relay.settings import KIB, Settings
from relay.storage import credentials as stored
from relay.storage.database import Connection, Database
from relay.storage.events import insert_statement

KEYRING_MAX_BYTES = 4 * KIB


def roots(settings: Settings) -> list[str]:
    """The public keys of the organization roots, base64url."""
    return [key.strip() for key in settings.root_public_keys.split(",") if key.strip()]


def signing_root(settings: Settings, compact: str) -> bytes:
    """The public key of the root whose identifier a statement names; UnknownSigner where it is none."""
    _typ, kid, _payload = signing.read_unverified(compact)
    for text in roots(settings):
        key = b64u_decode(text)
        if signing.key_id(key) == kid:
            return key
    raise UnknownSigner("not a root")


async def add(database: Database, settings: Settings, compact: str) -> uuid.UUID:
    """Keep a credential that a root signed."""
    said = statements.verify(compact, statements.Credential, signing_root(settings, compact))
    signer = b64u_decode(said.signer) if said.signer is not None else None
    async with database.transaction() as connection:
        statement_hash = await insert_statement(connection, compact)
        await stored.insert_credential(
            connection,
            credential_id=said.credential,
            role=said.role,
            statement_hash=statement_hash,
            kid=signing.key_id(signer) if signer is not None else None,
            signer=signer,
            recipient=said.recipient,
            not_before=said.not_before,
            not_after=said.not_after,
        )
        kept = await stored.find_credential(connection, said.credential)
        if kept is None or kept.statement_hash != statement_hash:
            raise CredentialExists
    return said.credential


async def revoke(
    database: Database, settings: Settings, credential_id: uuid.UUID, compact: str
) -> None:
    """End a credential: its sessions end at once, and what it signs from now on is refused."""
    said = statements.verify(compact, statements.Revocation, signing_root(settings, compact))
    if said.credential != credential_id:
        raise Forbidden("the statement ends another credential")
    async with database.transaction() as connection:
        revocation_hash = await insert_statement(connection, compact)
        if not await stored.revoke_credential(connection, credential_id, revocation_hash):
            raise NotFound("no such credential")


async def list_all(database: Database, settings: Settings) -> Credentials:
    """Every credential, with the roots that vouch for them."""
    async with database.connection() as connection:
        rows = await stored.list_statements(connection)
    pairs = [CredentialPair(credential=r.credential, revocation=r.revocation) for r in rows]
    return Credentials(roots=roots(settings), credentials=pairs)


async def store_keyring(database: Database, mediator: Mediator, keyring: bytes) -> None:
    """Keep a mediator's own keyring, so that a lost laptop is not a lost key."""
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


def require_recent(at: datetime, settings: Settings) -> None:
    """Refuse a statement whose time is far from ours: a clock is wrong, or it was kept back."""
    if abs((datetime.now(UTC) - at).total_seconds()) > settings.statement_skew_seconds:
        raise Forbidden("the time in the statement", problem="statement-time")
