"""Links and claims, as they are said to and by relay."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec

from relay.domain.cases import Consent, Correspondent, ParticipantRole
from relay.errors import Conflict


class Purpose(StrEnum):
    """What a link is for."""

    PARTICIPATE = "participate"
    """Claimed once with a passphrase, then the participant's way in for good."""
    UPLOAD = "upload"
    """One message, no passphrase, no claim."""


class LinkClaimed(Conflict):
    """This link has already been used to choose a passphrase. If that was not you, tell your mediator now."""

    code = "link-claimed"
    french = (
        "Ce lien a déjà servi à choisir une phrase secrète. "
        "Si ce n'était pas vous, avisez votre médiateur maintenant."
    )


class LinkSpent(Conflict):
    """This link has already carried its one message. Ask your mediator for a new link to send another."""

    code = "link-spent"
    french = (
        "Ce lien a déjà servi pour son unique message. "
        "Demandez un nouveau lien à votre médiateur pour en envoyer un autre."
    )


class LinkExists(Conflict):
    """There is already a link with this identifier. Make a new one."""

    code = "link-exists"
    french = "Un lien porte déjà cet identifiant. Créez-en un nouveau."


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed link with its secret sealed to the case (an age file)."""

    statement: str
    sealed: bytes


class NewClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed claim with the participant's keyring (an age file with a passphrase)."""

    statement: str
    keyring: bytes


class LinkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A link of a case, as its mediators see it: enough to verify who came through it."""

    link: uuid.UUID
    participant: uuid.UUID
    purpose: Purpose
    statement: str
    sealed: bytes
    expires_at: datetime | None
    revoked: bool
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
    credentials: list[CredentialPair]
    charters: list[str]


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a link is told. `keyring` is there once the link was claimed."""

    link: uuid.UUID
    case: uuid.UUID
    participant: uuid.UUID
    role: ParticipantRole
    purpose: Purpose
    expires_at: datetime | None
    spent: bool
    statement: str
    """The link as a mediator or the case system signed it: to be held against its secret."""
    audience: str
    """What a session statement is addressed to."""
    trust: Trust
    correspondents: list[Correspondent]
    consent: Consent | None
    claim: str | None
    keyring: bytes | None
