"""Credentials, revocations, and the keyrings of mediators."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries

_SQL = named_queries("credentials")


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True):
    """A credential and whether it is valid now."""

    credential_id: uuid.UUID
    person_id: uuid.UUID
    role: str
    statement_hash: bytes
    signer: bytes
    recipient: str | None
    in_good_standing: bool


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential to be kept."""

    credential_id: uuid.UUID
    person_id: uuid.UUID
    role: str
    statement_hash: bytes
    kid: str
    signer: bytes
    recipient: str | None
    not_before: datetime
    not_after: datetime


class CredentialStatements(msgspec.Struct, frozen=True, kw_only=True):
    """What the root said of one credential; whoever reads it verifies it."""

    credential: str
    revocation: str | None


async def insert_credential(connection: Connection, credential: NewCredential) -> None:
    """Keep a credential; one that exists is left as it is."""
    await connection.execute(
        _SQL["insert_credential"],
        credential.credential_id,
        credential.person_id,
        credential.role,
        credential.statement_hash,
        credential.kid,
        credential.signer,
        credential.recipient,
        credential.not_before,
        credential.not_after,
    )


async def revoke_credential(
    connection: Connection, credential_id: uuid.UUID, revocation_hash: bytes
) -> bool:
    """End a credential; False where it is unknown or was ended by another statement."""
    return bool(
        await connection.fetchval(_SQL["revoke_credential"], credential_id, revocation_hash)
    )


async def find_credential(connection: Connection, credential_id: uuid.UUID) -> CredentialRow | None:
    """One credential."""
    return one(await connection.fetchrow(_SQL["find_credential"], credential_id), CredentialRow)


async def find_service_signer(connection: Connection, kid: str) -> bytes | None:
    """The public key of the case system with this identifier."""
    found: bytes | None = await connection.fetchval(_SQL["find_service_signer"], kid)
    return found


async def find_recovery_signer(connection: Connection, kid: str) -> tuple[uuid.UUID, bytes] | None:
    """The credential and public key of the recovery key with this identifier."""
    row = await connection.fetchrow(_SQL["find_recovery_signer"], kid)
    return None if row is None else (row["credential_id"], row["signer"])


async def list_statements(connection: Connection) -> list[CredentialStatements]:
    """Every credential of the organization."""
    return many(await connection.fetch(_SQL["list_credential_statements"]), CredentialStatements)


async def list_case_statements(
    connection: Connection, case_id: uuid.UUID
) -> list[CredentialStatements]:
    """The credentials that matter to one case."""
    rows = await connection.fetch(_SQL["list_case_credential_statements"], case_id)
    return many(rows, CredentialStatements)


async def store_keyring(connection: Connection, credential_id: uuid.UUID, keyring: bytes) -> None:
    """Keep a mediator's keyring: an opaque, passphrase-protected file."""
    await connection.fetchval(_SQL["store_keyring"], credential_id, keyring)


async def find_keyring(connection: Connection, credential_id: uuid.UUID) -> bytes | None:
    """A mediator's keyring."""
    found: bytes | None = await connection.fetchval(_SQL["find_keyring"], credential_id)
    return found


async def insert_succession(
    connection: Connection, statement_hash: bytes, old_root: bytes, new_root: bytes
) -> None:
    """Keep that a root took the place of another."""
    await connection.execute(_SQL["insert_succession"], statement_hash, old_root, new_root)


async def list_successions(connection: Connection) -> list[str]:
    """Every succession of roots, as it was signed."""
    rows = await connection.fetch(_SQL["list_successions"])
    return [row["compact"] for row in rows]
