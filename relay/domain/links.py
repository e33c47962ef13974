"""Links and claims, as they are said to and by relay."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from relay.domain.cases import Correspondent, ParticipantRole
from relay.errors import Conflict, Forbidden, RelayError

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


class LinkEnded(Conflict):
    """This link has ended, so nobody can verify its claim. Make a new link for this person."""

    code = "link-ended"
    french = (
        "Ce lien a pris fin : sa prise en main ne peut plus être vérifiée. "
        "Créez un nouveau lien pour cette personne."
    )


class EarlierLinkOpen(Conflict):
    """This person has another link in use. Sign its end together with the verification, then send both."""

    code = "earlier-link-open"
    french = (
        "Cette personne utilise un autre lien. "
        "Signez sa fin en même temps que la vérification, puis envoyez les deux."
    )


class ClaimUnverified(Forbidden):
    """Your mediator has not checked your new link yet. Until then you can write, and see what you wrote."""

    code = "claim-unverified"
    french = (
        "Votre médiateur n'a pas encore vérifié votre nouveau lien. "
        "D'ici là, vous pouvez écrire et voir ce que vous avez écrit."
    )


class WrongPassphrase(Forbidden):
    """This passphrase does not fit the link. Check capital letters and the keyboard, and try again."""

    code = "wrong-passphrase"
    french = (
        "Cette phrase secrète ne convient pas à ce lien. "
        "Vérifiez les majuscules et le clavier, puis réessayez."
    )


class TooManyTries(RelayError):
    """Several passphrases in a row did not fit. Wait a while and try again; nothing is lost."""

    code = "too-many-tries"
    french = (
        "Plusieurs phrases secrètes de suite n'ont pas convenu. "
        "Attendez un peu, puis réessayez; rien n'est perdu."
    )


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
