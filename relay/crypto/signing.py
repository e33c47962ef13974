"""Signs and verifies statements: Ed25519 in JWS compact form (RFC 7515, RFC 8037), in one spelling only.

The protected header is always the bytes `{"alg":"EdDSA","kid":"…","typ":"…"}`. A reader compares it whole, so
there is nothing in it to choose, to add or to repeat, and a statement of one type never passes for another.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from typing import NamedTuple, Self

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import EncodingError, KeyInvalidError, StatementError

STATEMENT_MAX_BYTES = 256 * 1024
"""Longest compact statement that is read: room for the segment digests of a video of 30 GiB."""
PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32
FINGERPRINT_BYTES = 16

_SIGNATURE_BYTES = 64
_HEADER = re.compile(
    rb'\{"alg":"EdDSA","kid":"(?P<kid>[A-Za-z0-9_-]{22})","typ":"(?P<typ>[a-z][a-z+-]{0,63})"\}'
)


_NOBODYS = SigningKey.generate().verify_key


class Signer:
    """An Ed25519 private key."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.public_key: bytes = key.verify_key.encode()
        """32 bytes."""

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(SigningKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key that `seed` (32 bytes) makes; KeyInvalidError for another size."""
        if len(seed) != SEED_BYTES:
            raise KeyInvalidError("an Ed25519 seed has 32 bytes")
        return cls(SigningKey(seed))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes that the key is made from."""
        return self._key.encode()

    @property
    def kid(self) -> str:
        """How statements name the public key."""
        return key_id(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """64 bytes of signature, the same for the same data."""
        return self._key.sign(data).signature


class Unverified(NamedTuple):
    """What a statement claims, before its signature was checked; only good for finding the key."""

    typ: str
    kid: str
    payload: bytes
    signature: bytes


def fingerprint(public_key: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of a public key."""
    return hashlib.sha256(public_key).digest()[:FINGERPRINT_BYTES]


@functools.lru_cache(maxsize=4096)  # of every statement that comes
def key_id(public_key: bytes) -> str:
    """The fingerprint as text: the `kid` of a statement."""
    return b64u_encode(fingerprint(public_key))


@functools.lru_cache(maxsize=4096)  # a key that passes once always does
def check_public_key(public_key: bytes) -> None:
    """KeyInvalidError unless it is a canonical point of the prime-order group: no key that signs for all."""
    if len(public_key) != PUBLIC_KEY_BYTES or not crypto_core_ed25519_is_valid_point(public_key):
        raise KeyInvalidError("not an Ed25519 public key")


def sign_statement(signer: Signer, typ: str, payload: bytes) -> str:
    """The compact JWS of `payload` under a statement type such as `relay-message+jws`."""
    covered = f"{b64u_encode(_header(signer.kid, typ))}.{b64u_encode(payload)}"
    return f"{covered}.{b64u_encode(signer.sign(covered.encode('ascii')))}"


def verify_statement(
    compact: str, typ: str, public_key: bytes, max_bytes: int = STATEMENT_MAX_BYTES
) -> bytes:
    """The payload, if `compact` is a statement of type `typ` signed by `public_key`.

    StatementError for any other header, spelling, key or signature; KeyInvalidError for an unusable key.
    """
    claimed = read_unverified(compact, max_bytes)
    if claimed.typ != typ:
        raise StatementError("a statement of another type")
    if claimed.kid != key_id(public_key):
        raise StatementError("a statement signed by another key")
    check_public_key(public_key)
    covered, _, _ = compact.rpartition(".")
    try:
        VerifyKey(public_key).verify(covered.encode("ascii"), claimed.signature)
    except (BadSignatureError, ValueError):
        raise StatementError("the signature does not hold") from None
    return claimed.payload


def verify_for_nobody(compact: str) -> None:
    """The work of verifying a statement whose signer is not known, so that this takes as long as where it is.

    StatementError where `compact` is not spelled as a statement is.
    """
    claimed = read_unverified(compact)
    covered, _, _ = compact.rpartition(".")
    with contextlib.suppress(BadSignatureError, ValueError):
        _NOBODYS.verify(covered.encode("ascii"), claimed.signature)


def read_unverified(compact: str, max_bytes: int = STATEMENT_MAX_BYTES) -> Unverified:
    """Type, key and payload as claimed; StatementError if `compact` is not spelled as a statement is."""
    if len(compact) > max_bytes:
        raise StatementError("the statement is too long")
    parts = compact.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise StatementError("not a compact JWS")
    header = _HEADER.fullmatch(_decode(parts[0], "header"))
    signature = _decode(parts[2], "signature")
    if header is None or len(signature) != _SIGNATURE_BYTES:
        raise StatementError("not the header or signature of a statement")
    return Unverified(
        typ=header["typ"].decode("ascii"),
        kid=header["kid"].decode("ascii"),
        payload=_utf8(_decode(parts[1], "payload")),
        signature=signature,
    )


def statement_hash(compact: str) -> bytes:
    """SHA-256 of the compact form: how one statement names another. Anyone who hashes has verified it."""
    return hashlib.sha256(compact.encode("ascii")).digest()


def _header(kid: str, typ: str) -> bytes:
    header = f'{{"alg":"EdDSA","kid":"{kid}","typ":"{typ}"}}'.encode("ascii")
    if not _HEADER.fullmatch(header):
        raise ValueError("not a statement type")
    return header


def _utf8(payload: bytes) -> bytes:
    """The payload, if it is UTF-8, as all JSON is."""
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        raise StatementError("the payload is not UTF-8") from None
    return payload


def _decode(part: str, name: str) -> bytes:
    try:
        return b64u_decode(part)
    except EncodingError:
        raise StatementError(f"the {name} is not canonical base64url") from None
