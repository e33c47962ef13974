"""What is said to open a session, and what comes back."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.domain.actors import Role


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """32 random bytes (base64url) to sign within a minute, once."""

    challenge: str
    expires_at: datetime


class SignedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is one statement."""

    statement: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer to keep in memory until it ends."""

    token: str
    expires_at: datetime
    role: Role
    subject: uuid.UUID
    case: uuid.UUID | None
