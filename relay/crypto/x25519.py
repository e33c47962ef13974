"""The classic recipient of age: X25519. relay reads and writes it so that ordinary age files work."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from relay.crypto.encoding import b64_encode, bech32_decode, bech32_encode
from relay.crypto.errors import HeaderError, KeyInvalidError
from relay.crypto.filekeys import FileKey, hkdf
from relay.crypto.stanzas import Stanza, binary_argument, stanzas_of, unwrap_under, wrap_under

RECIPIENT_PREFIX = "age"
IDENTITY_PREFIX = "AGE-SECRET-KEY-"

_STANZA_TYPE = "X25519"
_INFO = b"age-encryption.org/v1/X25519"
_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class X25519Recipient:
    """A public key of 32 bytes."""

    family: ClassVar[str] = "classic"
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != _KEY_BYTES:
            raise KeyInvalidError("an X25519 public key has 32 bytes")

    def __str__(self) -> str:
        return bech32_encode(RECIPIENT_PREFIX, self.public_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `age1…`; EncodingError or KeyInvalidError."""
        prefix, public_key = bech32_decode(text)
        if prefix != RECIPIENT_PREFIX:
            raise KeyInvalidError("not an X25519 recipient")
        return cls(public_key)

    def wrap(self, file_key: FileKey) -> Stanza:
        """A fresh stanza; KeyInvalidError if the public key is of low order."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        try:
            shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public_key))
        except ValueError:
            raise KeyInvalidError("a recipient of low order") from None
        key = hkdf(shared, salt=share + self.public_key, info=_INFO)
        body = wrap_under(key, file_key)
        return Stanza(type=_STANZA_TYPE, arguments=(b64_encode(share),), body=body)


class X25519Identity:
    """The secret scalar, 32 bytes."""

    __slots__ = ("_private_key", "recipient", "secret")

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 random bytes; KeyInvalidError for another size."""
        if len(secret) != _KEY_BYTES:
            raise KeyInvalidError("an X25519 secret has 32 bytes")
        self.secret = secret
        self._private_key = X25519PrivateKey.from_private_bytes(secret)
        self.recipient = X25519Recipient(self._private_key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Self:
        """A new identity."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AGE-SECRET-KEY-1…`; EncodingError or KeyInvalidError."""
        prefix, secret = bech32_decode(text)
        if prefix != IDENTITY_PREFIX:
            raise KeyInvalidError("not an X25519 identity")
        return cls(secret)

    def __str__(self) -> str:
        return bech32_encode(IDENTITY_PREFIX, self.secret)

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """The file key from the first stanza that is for this identity; HeaderError for a malformed one."""
        found: FileKey | None = None
        for stanza in stanzas_of(stanzas, _STANZA_TYPE, arguments=1):
            share = binary_argument(stanza, 0, _KEY_BYTES)
            try:
                shared = self._private_key.exchange(X25519PublicKey.from_public_bytes(share))
            except ValueError:
                raise HeaderError("a share of low order") from None
            if found is None:
                key = hkdf(shared, salt=share + self.recipient.public_key, info=_INFO)
                found = unwrap_under(key, stanza.body)
        return found
