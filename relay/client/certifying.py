"""Files between those who make keys and the administrator who vouches for them: requests and root keys."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.crypto.fields import PublicKey, RecipientText
from relay.crypto.keyrings import Keyring
from relay.crypto.passphrases import check_new_passphrase, normal
from relay.crypto.signing import Signer
from relay.crypto.trust import Role
from relay.decoding import NotDecodable, decode_json
from relay.errors import InvalidRequest

ROOT_WORK_FACTOR_LOG2: Final = 18


class BadRequestFile(InvalidRequest):
    """A file that is not a request for a credential."""

    code = "bad-request-file"


class CredentialRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public half of new keys, for the root to sign; nothing in it is secret."""

    credential: uuid.UUID
    person: uuid.UUID
    """The same for every credential of one person."""
    role: Role
    recipient: RecipientText | None
    signer: PublicKey


def request_for(
    credential_id: uuid.UUID, role: Role, keyring: Keyring, *, person: uuid.UUID | None = None
) -> CredentialRequest:
    """What the root is asked to sign; `person`: whose earlier credential this renews, a new one otherwise."""
    return CredentialRequest(
        credential=credential_id,
        person=person or uuid.uuid4(),
        role=role,
        recipient=None if role == "service" else str(keyring.identity.recipient),
        signer=b64u_encode(keyring.signer.public_key),
    )


def read_request(path: Path) -> CredentialRequest:
    """The request in a file."""
    try:
        return decode_json(path.read_bytes(), CredentialRequest)
    except NotDecodable:
        raise BadRequestFile(path.name) from None


def write_new(path: Path, content: bytes, *, secret: bool) -> None:
    """Write a file that must not exist yet; a secret one is its owner's alone."""
    mode = 0o600 if secret else 0o644
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def seal_root(
    root: Signer, passphrase: str, work_factor_log2: int = ROOT_WORK_FACTOR_LOG2
) -> bytes:
    """The root's seed as an age file with a passphrase; WeakPassphrase for one below the floor."""
    check_new_passphrase(passphrase)
    recipient = age.ScryptRecipient(normal(passphrase), work_factor_log2)
    return age.seal_file(root.seed, [recipient])


def open_root(sealed: bytes, passphrase: str) -> Signer:
    """The root that `seal_root` was given; NoMatchError for a wrong passphrase."""
    return Signer.from_seed(age.open_file(sealed, [age.ScryptIdentity(normal(passphrase))]))


def key_set(key: Ed25519PrivateKey, kid: str) -> str:
    """The JSON Web Key Set that relay verifies the tokens of `key` with."""
    public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {**public, "kid": kid, "use": "sig", "alg": "EdDSA"}
    return json.dumps({"keys": [members]})
