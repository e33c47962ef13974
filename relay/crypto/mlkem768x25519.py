"""The post-quantum hybrid recipient of age, the only one that relay itself wraps for: ML-KEM-768 with X25519.

Wrapping is HPKE (RFC 9180, base mode) with the KEM MLKEM768-X25519, also known as X-Wing. It holds while
either half does, so a letter recorded today stays closed to a quantum computer of tomorrow.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import secrets
from collections.abc import Sequence
from typing import ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from relay.crypto.encoding import b64_encode, bech32_decode, bech32_encode
from relay.crypto.errors import HeaderError, KeyInvalidError
from relay.crypto.filekeys import FileKey
from relay.crypto.stanzas import Stanza, binary_argument, stanzas_of

RECIPIENT_PREFIX = "age1pq"
IDENTITY_PREFIX = "AGE-SECRET-KEY-PQ-"
SEED_BYTES = 32

_STANZA_TYPE = "mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32
_EXPANDED_SEED_BYTES = _MLKEM_SEED_BYTES + _X25519_BYTES
_PUBLIC_BYTES = _MLKEM_PUBLIC_BYTES + _X25519_BYTES
_ENCAPSULATED_BYTES = 1088 + _X25519_BYTES


@dataclasses.dataclass(frozen=True, slots=True)
class HybridRecipient:
    """A public key: ML-KEM-768 encapsulation key, then X25519 public key, 1216 bytes together."""

    family: ClassVar[str] = "post-quantum"
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != _PUBLIC_BYTES:
            raise KeyInvalidError("a hybrid public key has 1216 bytes")
        _load_public(self.public_key)

    def __str__(self) -> str:
        return bech32_encode(RECIPIENT_PREFIX, self.public_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `age1pq1…`; EncodingError or KeyInvalidError."""
        prefix, public_key = bech32_decode(text)
        if prefix != RECIPIENT_PREFIX:
            raise KeyInvalidError("not a hybrid recipient")
        return cls(public_key)

    def wrap(self, file_key: FileKey) -> Stanza:
        """A fresh stanza; KeyInvalidError if the X25519 half is of low order."""
        try:
            sealed = _SUITE.encrypt(file_key, _load_public(self.public_key), _INFO)
        except ValueError:
            raise KeyInvalidError("the X25519 half of a recipient is of low order") from None
        encapsulated, body = sealed[:_ENCAPSULATED_BYTES], sealed[_ENCAPSULATED_BYTES:]
        return Stanza(type=_STANZA_TYPE, arguments=(b64_encode(encapsulated),), body=body)


class HybridIdentity:
    """The secret: a 32-byte seed, from which both private keys are made."""

    __slots__ = ("_private_key", "_x25519", "recipient", "seed")

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 random bytes; KeyInvalidError for another size."""
        if len(seed) != SEED_BYTES:
            raise KeyInvalidError("a hybrid seed has 32 bytes")
        expanded = hashlib.shake_256(seed).digest(_EXPANDED_SEED_BYTES)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        self._private_key = MLKEM768X25519PrivateKey(mlkem, self._x25519)
        self.seed = seed
        self.recipient = HybridRecipient(
            mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> Self:
        """A new identity."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AGE-SECRET-KEY-PQ-1…`; EncodingError or KeyInvalidError."""
        prefix, seed = bech32_decode(text)
        if prefix != IDENTITY_PREFIX:
            raise KeyInvalidError("not a hybrid identity")
        return cls(seed)

    def __str__(self) -> str:
        return bech32_encode(IDENTITY_PREFIX, self.seed)

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """The file key from the first stanza that is for this identity; HeaderError for a malformed one."""
        found: FileKey | None = None
        for stanza in stanzas_of(stanzas, _STANZA_TYPE, arguments=1):
            encapsulated = binary_argument(stanza, 0, _ENCAPSULATED_BYTES)
            self._refuse_low_order(encapsulated[-_X25519_BYTES:])
            if found is None:
                found = self._open(encapsulated + stanza.body)
        return found

    def _open(self, sealed: bytes) -> FileKey | None:
        try:
            return _SUITE.decrypt(sealed, self._private_key, _INFO)
        except InvalidTag:
            return None

    def _refuse_low_order(self, share: bytes) -> None:
        """HPKE hides this case behind a failed tag; age wants the file refused, not passed over."""
        try:
            self._x25519.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise HeaderError("a share of low order") from None


@functools.lru_cache(maxsize=1024)
def _load_public(public_key: bytes) -> MLKEM768X25519PublicKey:
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public_key[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public_key[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError:
        raise KeyInvalidError("not an ML-KEM-768 public key") from None
