"""Opening a session: a challenge, its signature, a short-lived bearer of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.domain.actors import LinkHolder, Mediator, Participant, Role
from relay.domain.sessions import Challenge, Session
from relay.errors import CryptoError, Unauthenticated
from relay.settings import Settings
from relay.storage import links as stored_links
from relay.storage import sessions as stored
from relay.storage.database import Connection, Database

_SECRET_BYTES = 32


async def challenge(database: Database, settings: Settings) -> Challenge:
    """A fresh challenge for anyone who asks."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    async with database.connection() as connection:
        await stored.insert_challenge(
            connection, hashlib.sha256(secret).digest(), settings.challenge_seconds
        )
    return Challenge(
        challenge=b64u_encode(secret),
        expires_at=datetime.now(UTC) + timedelta(seconds=settings.challenge_seconds),
    )


async def open_session(database: Database, settings: Settings, statement: str) -> Session:
    """A session for the mediator or participant who signed a challenge of ours.

    The address of this relay is part of what is signed, so that another server cannot pass a challenge
    of ours on and open a session with the answer.
    """
    kid = signing.read_unverified(statement).kid
    async with database.transaction() as connection:
        signer = await stored.find_signer(connection, kid)
        said, refusal = _read(settings, signer, statement)
        # Looked up in any case: how long it takes does not tell whether the key is somebody's.
        if not await stored.take_challenge(connection, hashlib.sha256(said).digest()):
            refusal = refusal or "unknown, used or old challenge"
        if signer is None or refusal is not None:
            # Nothing of this stays: a challenge that was answered wrongly can still be answered.
            raise Unauthenticated(refusal)
        session = stored.SessionRow(
            role=signer.role,
            subject_id=signer.subject_id,
            case_id=signer.case_id,
            signer=signer.signer,
            kid=kid,
            link_id=None,
        )
        return await _open(connection, settings, session)


def _read(
    settings: Settings, signer: stored.SignerRow | None, statement: str
) -> tuple[bytes, str | None]:
    """The challenge that was signed, and why it opens no session as far as is known by now.

    Nobody's signature is verified as somebody's is.
    """
    if signer is None:
        signing.verify_for_nobody(statement)
        return b"", "unknown signer"
    try:
        said = statements.verify(statement, statements.Session, signer.signer)
        secret = b64u_decode(said.challenge)
    except CryptoError as error:
        return b"", f"session statement: {error.code}"
    if said.audience != settings.public_url:
        return b"", "session statement for another relay"
    return secret, None


async def open_upload_session(
    database: Database, settings: Settings, holder: LinkHolder
) -> Session:
    """A session for the holder of an upload link; a spent one still shows the state of its message."""
    async with database.transaction() as connection:
        link = await stored_links.find_link(connection, holder.link_id)
        if link is None or link.signer is None or link.kid is None:
            raise Unauthenticated("not an upload link")
        session = stored.SessionRow(
            role="uploader",
            subject_id=link.participant_id,
            case_id=link.case_id,
            signer=link.signer,
            kid=link.kid,
            link_id=link.link_id,
        )
        return await _open(connection, settings, session)


async def find_actor(database: Database, token: str) -> Mediator | Participant:
    """Whose session this token opens; Unauthenticated where it opens none."""
    async with database.connection() as connection:
        session = await stored.find_session(connection, _hash(token))
    if session is None:
        raise Unauthenticated("no such session")
    return session.actor


async def end_session(database: Database, token: str) -> None:
    """End the session of a token."""
    async with database.connection() as connection:
        await stored.delete_session(connection, _hash(token))


async def _open(connection: Connection, settings: Settings, session: stored.SessionRow) -> Session:
    token = secrets.token_urlsafe(_SECRET_BYTES)
    ends = await stored.insert_session(
        connection, token_hash=_hash(token), session=session, seconds=settings.session_seconds
    )
    return Session(
        token=token,
        expires_at=ends,
        role=Role(session.role),
        subject=session.subject_id,
        case=session.case_id,
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
