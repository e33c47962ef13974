"""Credentials, as they are said to and by relay."""

from __future__ import annotations

import uuid

import msgspec

from relay.domain.cases import Charters
from relay.domain.links import CredentialPair
from relay.errors import Conflict, Forbidden


class UnknownSigner(Forbidden):
    """Signed by a key that has no credential now."""

    code = "unknown-signer"


class CredentialExists(Conflict):
    """Another credential has this identifier or key."""

    code = "credential-exists"


class ServiceTooEarly(Conflict):
    """A service credential that begins before cases that mediators opened."""

    code = "service-too-early"


class NewKeyring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mediator's identity and signer in an age file with a passphrase; opaque to relay."""

    keyring: bytes


class Roots(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys of the organization roots (base64url); check them against a fingerprint you hold."""

    roots: list[str]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Every credential of the organization, to be verified by those who read them."""

    roots: list[str]
    successions: list[str]
    credentials: list[CredentialPair]


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """All that a recovery key needs to give a case to another mediator; nothing in it is in the clear."""

    case: uuid.UUID
    credentials: Credentials
    charters: Charters
