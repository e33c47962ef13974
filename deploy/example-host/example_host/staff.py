"""Those who work here: passwords, sessions, and who may see which case."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import secrets
import uuid
from typing import Final

import asyncpg
import nacl.exceptions
import nacl.pwhash

from example_host.database import Pool

FAILURES: Final = 5
"""So many wrong passwords in a row, and a login rests for PAUSE."""
PAUSE: Final = "1 minute"
IDLE: Final = "30 minutes"
LONGEST: Final = "10 hours"
PASSWORD_BYTES: Final = range(12, 1025)


class PasswordUnfit(ValueError):
    """Shorter or longer than a password may be."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who works here."""

    staff: uuid.UUID
    name: str
    role: str
    """`clerk` or `mediator`."""
    credential: uuid.UUID | None
    language: str

    @property
    def is_clerk(self) -> bool:
        """A clerk keeps all cases and opens no console; a mediator has theirs."""
        return self.role == "clerk"


def hashed(password: str) -> str:
    """A password as it is kept, by Argon2id; PasswordUnfit."""
    raw = password.encode()
    if len(raw) not in PASSWORD_BYTES:
        raise PasswordUnfit(f"a password has {PASSWORD_BYTES[0]} to {PASSWORD_BYTES[-1]} bytes")
    return nacl.pwhash.argon2id.str(raw).decode("ascii")


_NOBODYS: Final = hashed(secrets.token_hex())


def _is_password(kept: str, password: str) -> bool:
    raw = password.encode()
    if len(raw) not in PASSWORD_BYTES:
        return False
    try:
        return nacl.pwhash.verify(kept.encode("ascii"), raw)
    except nacl.exceptions.InvalidkeyError:
        return False


async def log_in(pool: Pool, login: str, password: str) -> str | None:
    """A new session's token; None for a wrong login or password, or where there were too many of these.

    It takes as long for somebody who does not exist.
    """
    row = await pool.fetchrow(
        "update staff set failed_at = now(), failures ="
        " case when failed_at > now() - $2::text::interval then failures + 1 else 1 end"
        " where login = $1 returning staff, password, failures",
        *(login, PAUSE),
    )
    kept = _NOBODYS if row is None else str(row["password"])
    is_right = await asyncio.to_thread(_is_password, kept, password)
    if row is None or not is_right or row["failures"] > FAILURES:
        return None
    token = secrets.token_urlsafe(32)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "update staff set failures = 0, failed_at = null where staff = $1", row["staff"]
        )
        await connection.execute(
            "delete from session where began_at < now() - $1::text::interval", LONGEST
        )
        await connection.execute(
            "insert into session (token_hash, staff) values ($1, $2)", _hash(token), row["staff"]
        )
    return token


async def log_out(pool: Pool, token: str) -> None:
    """End a session, everywhere."""
    await pool.execute("delete from session where token_hash = $1", _hash(token))


async def member_of(pool: Pool, token: str) -> Member | None:
    """Whose session this is; None where it has ended. They have visited now, and know what waits."""
    row = await pool.fetchrow(
        "with found as (update session set used_at = now() where token_hash = $1"
        " and used_at > now() - $2::text::interval and began_at > now() - $3::text::interval"
        " returning staff)"
        " update staff set visited_at = now(), waiting_since = null from found"
        " where staff.staff = found.staff"
        " returning staff.staff, name, role, credential, language",
        *(_hash(token), IDLE, LONGEST),
    )
    return None if row is None else _member(row)


async def mediators(pool: Pool) -> list[Member]:
    """All mediators, by name."""
    rows = await pool.fetch(
        "select staff, name, role, credential, language from staff where role = 'mediator'"
        " order by name, staff"
    )
    return [_member(row) for row in rows]


def form_token(cookie: str) -> str:
    """What each form has with it: another site can neither read the cookie nor this."""
    return hmac.digest(cookie.encode(), b"form", hashlib.sha256).hex()


def is_form_token(cookie: str, given: str) -> bool:
    """Whether a form was made for whoever has this cookie."""
    return bool(cookie) and hmac.compare_digest(form_token(cookie).encode(), given.encode())


def _member(row: asyncpg.Record) -> Member:
    return Member(
        staff=row["staff"],
        name=row["name"],
        role=row["role"],
        credential=row["credential"],
        language=row["language"],
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
