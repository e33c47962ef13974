"""Challenges and sessions."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.domain.actors import Mediator, Participant
from relay.storage.database import Connection, one
from relay.storage.queries import named_queries

_SQL = named_queries("sessions")


class SignerRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs with a key."""

    role: str
    subject_id: uuid.UUID
    case_id: uuid.UUID | None
    signer: bytes


class SessionRow(SignerRow, frozen=True, kw_only=True):
    """An open session."""

    kid: str
    link_id: uuid.UUID | None
    is_verified: bool = False

    @property
    def actor(self) -> Mediator | Participant:
        """Whose session this is."""
        if self.case_id is None:
            return Mediator(credential_id=self.subject_id, kid=self.kid, signer=self.signer)
        return Participant(
            participant_id=self.subject_id,
            case_id=self.case_id,
            kid=self.kid,
            signer=self.signer,
            link_id=self.link_id,
            is_verified=self.is_verified,
        )


async def insert_challenge(connection: Connection, challenge_hash: bytes, seconds: int) -> None:
    """Keep a challenge for `seconds`."""
    await connection.execute(_SQL["insert_challenge"], challenge_hash, seconds)


async def take_challenge(connection: Connection, challenge_hash: bytes) -> bool:
    """Use a challenge up; False where there is none, or it was used, or it is too old."""
    return bool(await connection.fetchval(_SQL["take_challenge"], challenge_hash))


async def find_signer(connection: Connection, kid: str) -> SignerRow | None:
    """Who signs with the key of this identifier now."""
    return one(await connection.fetchrow(_SQL["find_signer"], kid), SignerRow)


async def insert_session(
    connection: Connection, *, token_hash: bytes, session: SessionRow, seconds: int
) -> datetime:
    """Open a session for `seconds` and return when it ends."""
    ends: datetime = await connection.fetchval(
        _SQL["insert_session"],
        token_hash,
        session.role,
        session.subject_id,
        session.case_id,
        session.kid,
        session.signer,
        session.link_id,
        seconds,
    )
    return ends


async def find_session(connection: Connection, token_hash: bytes) -> SessionRow | None:
    """The open session of a token."""
    return one(await connection.fetchrow(_SQL["find_session"], token_hash), SessionRow)


async def delete_session(connection: Connection, token_hash: bytes) -> None:
    """End a session."""
    await connection.execute(_SQL["delete_session"], token_hash)


async def delete_expired(connection: Connection) -> None:
    """Forget the sessions and challenges whose time is over."""
    await connection.execute(_SQL["delete_expired_sessions"])
    await connection.execute(_SQL["delete_expired_challenges"])
