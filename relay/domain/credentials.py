"""Credentials, as they are said to and by relay."""

from __future__ import annotations

import uuid

import msgspec

from relay.domain.cases import Charters
from relay.domain.links import CredentialPair
from relay.errors import Conflict, Forbidden


class UnknownSigner(Forbidden):
    """Whoever signed this has no credential for it, or it has ended. Ask your administrator for a new one."""

    code = "unknown-signer"
    french = (
        "La personne qui a signé ceci n'a pas d'accréditation valable. "
        "Demandez-en une nouvelle à votre administrateur."
    )


class CredentialExists(Conflict):
    """There is already a different credential with this identifier or key. Make a new one."""

    code = "credential-exists"
    french = "Une accréditation différente porte déjà cet identifiant ou cette clé. Créez-en une nouvelle."


class ServiceTooEarly(Conflict):
    """Mediators opened cases after this credential begins. Have the root sign one that begins later."""

    code = "service-too-early"
    french = (
        "Des médiateurs ont ouvert des dossiers après le début de cette accréditation. "
        "Faites-en signer une qui commence plus tard."
    )


class NewKeyring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mediator's identity and signer in an age file with a passphrase; opaque to relay."""

    keyring: bytes


class Roots(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys of the organization roots (base64url); check them against a fingerprint you hold."""

    roots: list[str]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Every credential of the organization, to be verified by whoever reads them."""

    roots: list[str]
    successions: list[str]
    credentials: list[CredentialPair]


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """All that a recovery key needs to give a case to another mediator; nothing in it is in the clear."""

    case: uuid.UUID
    credentials: Credentials
    charters: Charters
