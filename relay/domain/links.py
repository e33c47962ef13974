"""Links and claims, as they are said to and by relay."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from relay.domain.cases import Correspondent, ParticipantRole
from relay.domain.limits import Limit, LimitReached
from relay.errors import Conflict, Forbidden

FREE_TRIES: Final = 5
"""So many wrong passphrases are answered at once; each one from then on closes the link for a while."""
FIRST_WAIT_SECONDS: Final = 30
LONGEST_WAIT_SECONDS: Final = 60 * 60


class Purpose(StrEnum):
    """What a link is for."""

    PARTICIPATE = "participate"
    """Claimed once with a passphrase, then the participant's way in for good."""
    UPLOAD = "upload"
    """One message, no passphrase, no claim."""


class LinkClaimed(Conflict):
    """The link was claimed before."""

    code = "link-claimed"


class LinkSpent(Conflict):
    """A link for one message that has carried it."""

    code = "link-spent"


class LinkExists(Conflict):
    """Another link has this identifier."""

    code = "link-exists"


class LinkEnded(Conflict):
    """The link has ended, so its claim cannot be verified."""

    code = "link-ended"


class EarlierLinkOpen(Conflict):
    """A claim is verified while an earlier link of the same person is open."""

    code = "earlier-link-open"


class ClaimUnverified(Forbidden):
    """The claim of the caller's link is not verified yet."""

    code = "claim-unverified"


class WrongPassphrase(Forbidden):
    """The proof was not made with the passphrase of the link."""

    code = "wrong-passphrase"


WRONG_PASSPHRASES: Final = Limit(name="wrong-passphrases", quota=FREE_TRIES)


class TooManyTries(LimitReached):
    """Too many wrong passphrases in a row; `wait_seconds` says how long the link is closed."""

    code = "too-many-tries"


def wait_after(wrong: int) -> int:
    """Seconds for which a link is closed after so many wrong passphrases in a row; 0 for the first few.

    30 after the fifth, twice as long after each further one, an hour at most, and never for good.
    """
    if wrong < FREE_TRIES:
        return 0
    doublings = min(wrong - FREE_TRIES, LONGEST_WAIT_SECONDS.bit_length())
    return min(FIRST_WAIT_SECONDS << doublings, LONGEST_WAIT_SECONDS)


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed link. For a link to claim: with what its claim is checked with, sealed to the case."""

    statement: str
    sealed: bytes | None = None
    """An age file with the claim key; none for an upload link."""
    again: bytes | None = None
    """An age file with the secret, for the mediator who makes the link alone, until it is claimed."""


class NewVerification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed verification of a claim, with the ends of every other link that this person claimed."""

    statement: str
    endings: list[str] = []


class NewClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed claim with the participant's keyring (an age file), and what the keyring is handed out for."""

    statement: str
    keyring: bytes
    proof_hash: bytes
    """SHA-256 of the proof, 32 bytes: relay does not see the proof before somebody comes back."""


class KeyringRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows that somebody knows the passphrase of a link."""

    proof: bytes
    """32 bytes."""


class ClaimedKeyring(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's identity and signer in an age file; only the other half of the passphrase opens it."""

    keyring: bytes


class LinkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A link of a case, as its mediators see it: enough to verify who came through it."""

    link: uuid.UUID
    participant: uuid.UUID
    purpose: Purpose
    statement: str
    sealed: bytes | None
    again: bytes | None
    """The secret, sealed to the mediator who made the link and asks, until it was claimed."""
    expires_at: datetime | None
    ended: bool
    endings: list[str]
    spent: bool
    created_at: datetime
    claim: str | None
    verification: str | None


class CredentialPair(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as the root signed it, and the root's revocation of it if there is one."""

    credential: str
    revocation: str | None


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What anyone needs to verify a case up to the root whose fingerprint they hold."""

    roots: list[str]
    successions: list[str]
    credentials: list[CredentialPair]
    registration: str
    charters: list[str]


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a link is told. `claim` is there once the link was claimed."""

    link: uuid.UUID
    case: uuid.UUID
    participant: uuid.UUID
    role: ParticipantRole
    purpose: Purpose
    expires_at: datetime | None
    spent: bool
    statement: str
    """The link as a mediator or the case system signed it: to be checked against its secret."""
    audience: str
    """What a session statement is addressed to."""
    trust: Trust
    correspondents: list[Correspondent]
    claim: str | None
