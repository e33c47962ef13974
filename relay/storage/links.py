"""Links and claims."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.domain.actors import LinkHolder
from relay.domain.links import LinkRecord, Purpose
from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries

_SQL = named_queries("links")


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A link without its secrets."""

    link_id: uuid.UUID
    case_id: uuid.UUID
    participant_id: uuid.UUID
    purpose: Purpose
    statement_hash: bytes
    signer: bytes | None
    kid: str | None
    expires_at: datetime | None
    ended_at: datetime | None
    message_id: uuid.UUID | None


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, without the keyring that came with it."""

    statement_hash: bytes
    case_id: uuid.UUID
    participant_id: uuid.UUID
    recipient: str
    signer: bytes
    verification_hash: bytes | None
    compact: str


class KeyringRow(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's keyring, what it is handed out for, and how often that was missed."""

    keyring: bytes
    proof_hash: bytes
    wrong_proofs: int
    """In a row."""
    wait_seconds: int
    """Until the next try is looked at."""


async def insert_link(  # noqa: PLR0913 - the columns of one row
    connection: Connection,
    *,
    link_id: uuid.UUID,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    purpose: str,
    statement_hash: bytes,
    auth_hash: bytes,
    signer: bytes | None,
    kid: str | None,
    sealed: bytes | None,
    again: bytes | None,
    made_by: uuid.UUID | None,
    expires_at: datetime | None,
) -> bool:
    """Keep a link; False where the identifier is taken."""
    return bool(
        await connection.fetchval(
            _SQL["insert_link"],
            link_id,
            case_id,
            participant_id,
            purpose,
            statement_hash,
            auth_hash,
            signer,
            kid,
            sealed,
            again,
            made_by,
            expires_at,
        )
    )


async def find_link(connection: Connection, link_id: uuid.UUID) -> LinkRow | None:
    """One link, whatever became of it."""
    return one(await connection.fetchrow(_SQL["find_link"], link_id), LinkRow)


async def find_holder(
    connection: Connection, link_id: uuid.UUID, auth_hash: bytes
) -> LinkHolder | None:
    """Whoever shows the bearer of a link that still holds."""
    return one(await connection.fetchrow(_SQL["find_holder"], link_id, auth_hash), LinkHolder)


async def end_link(connection: Connection, link_id: uuid.UUID, *, is_misused: bool) -> bool:
    """End a link; False where it had ended before, and this says nothing new of it."""
    return bool(await connection.fetchval(_SQL["end_link"], link_id, is_misused))


async def insert_link_ending(
    connection: Connection, statement_hash: bytes, link_id: uuid.UUID
) -> None:
    """Keep the statement that ended a link."""
    await connection.execute(_SQL["insert_link_ending"], statement_hash, link_id)


async def list_earlier_links(
    connection: Connection, participant_id: uuid.UUID, link_id: uuid.UUID
) -> list[uuid.UUID]:
    """The other links of a participant that were claimed and have not ended."""
    rows = await connection.fetch(_SQL["list_earlier_links"], participant_id, link_id)
    return [row["link_id"] for row in rows]


async def list_links(
    connection: Connection, case_id: uuid.UUID, mediator_id: uuid.UUID
) -> list[LinkRecord]:
    """The links of a case, as one of its mediators sees them."""
    return many(await connection.fetch(_SQL["list_links"], case_id, mediator_id), LinkRecord)


async def lock_link(connection: Connection, link_id: uuid.UUID) -> Purpose | None:
    """The purpose of a link that still holds; nobody else claims it until this transaction ends."""
    purpose: str | None = await connection.fetchval(_SQL["lock_link"], link_id)
    return None if purpose is None else Purpose(purpose)


async def spend_link(connection: Connection, link_id: uuid.UUID, message_id: uuid.UUID) -> bool:
    """Use an upload link for a message; False where it carried another one."""
    return bool(await connection.fetchval(_SQL["spend_link"], link_id, message_id))


async def unspend_link(connection: Connection, link_id: uuid.UUID, message_id: uuid.UUID) -> None:
    """Make an upload link as new, after its draft was discarded."""
    await connection.execute(_SQL["unspend_link"], link_id, message_id)


async def insert_claim(  # noqa: PLR0913 - the columns of one row
    connection: Connection,
    *,
    statement_hash: bytes,
    link_id: uuid.UUID,
    case_id: uuid.UUID,
    participant_id: uuid.UUID,
    kid: str,
    signer: bytes,
    recipient: str,
    keyring: bytes,
    proof_hash: bytes,
) -> bool:
    """Keep a claim; False where the link was claimed before or the key is known."""
    return bool(
        await connection.fetchval(
            _SQL["insert_claim"],
            statement_hash,
            link_id,
            case_id,
            participant_id,
            kid,
            signer,
            recipient,
            keyring,
            proof_hash,
        )
    )


async def forget_secret(connection: Connection, link_id: uuid.UUID) -> None:
    """Remove the copy of a link's secret that its maker could show it again with."""
    await connection.execute(_SQL["forget_secret"], link_id)


async def find_claim_of_link(connection: Connection, link_id: uuid.UUID) -> ClaimRow | None:
    """The claim of a link."""
    return one(await connection.fetchrow(_SQL["find_claim_of_link"], link_id), ClaimRow)


async def find_claim(connection: Connection, claim_hash: bytes) -> ClaimRow | None:
    """A claim by the hash of its statement."""
    return one(await connection.fetchrow(_SQL["find_claim"], claim_hash), ClaimRow)


async def current_claim(connection: Connection, participant_id: uuid.UUID) -> ClaimRow | None:
    """The claim whose key a release to this participant is for."""
    return one(await connection.fetchrow(_SQL["current_claim"], participant_id), ClaimRow)


async def lock_claim(connection: Connection, claim_hash: bytes) -> tuple[uuid.UUID, bool] | None:
    """The link of a claim, and whether it has ended; nobody else changes either meanwhile."""
    row = await connection.fetchrow(_SQL["lock_claim"], claim_hash)
    return None if row is None else (row["link_id"], row["ended"])


async def list_way_in(connection: Connection, claim_hash: bytes) -> list[str]:
    """The statements behind a claim: its link, itself, its verification and the link's endings."""
    rows = await connection.fetch(_SQL["list_way_in"], claim_hash)
    return [row["compact"] for row in rows]


async def verify_claim(connection: Connection, claim_hash: bytes, verification_hash: bytes) -> bool:
    """Keep that a mediator verified a claim; False where one did before."""
    return bool(await connection.fetchval(_SQL["verify_claim"], claim_hash, verification_hash))


async def find_wait(connection: Connection, link_id: uuid.UUID) -> int | None:
    """Seconds until the next passphrase is looked at for a link; None for one that nobody claimed."""
    wait: int | None = await connection.fetchval(_SQL["find_wait"], link_id)
    return wait


async def lock_keyring(connection: Connection, link_id: uuid.UUID) -> KeyringRow | None:
    """The keyring of a claimed link that still holds; nobody else tries a passphrase for it meanwhile."""
    return one(await connection.fetchrow(_SQL["lock_keyring"], link_id), KeyringRow)


async def count_wrong_proof(connection: Connection, link_id: uuid.UUID, wait_seconds: int) -> None:
    """One more wrong try; the next one is not looked at for so long."""
    await connection.execute(_SQL["count_wrong_proof"], link_id, wait_seconds)


async def forget_wrong_proofs(connection: Connection, link_id: uuid.UUID) -> None:
    """Start counting anew."""
    await connection.execute(_SQL["forget_wrong_proofs"], link_id)
