"""Reads the text forms of recipients and identities, whichever of age's native types they are."""

from __future__ import annotations

from relay.crypto import mlkem768x25519, x25519
from relay.crypto.errors import KeyInvalidError
from relay.crypto.header import Identity, Recipient
from relay.crypto.mlkem768x25519 import HybridIdentity, HybridRecipient
from relay.crypto.x25519 import X25519Identity, X25519Recipient


def parse_recipient(text: str) -> Recipient:
    """The recipient behind `age1pq1…` or `age1…`; EncodingError or KeyInvalidError."""
    match text.rpartition("1")[0]:
        case mlkem768x25519.RECIPIENT_PREFIX:
            return HybridRecipient.parse(text)
        case x25519.RECIPIENT_PREFIX:
            return X25519Recipient.parse(text)
        case _:
            raise KeyInvalidError("not a recipient of a type that relay knows")


def parse_identity(text: str) -> Identity:
    """The identity behind `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`; EncodingError or KeyInvalidError."""
    match text.rpartition("1")[0]:
        case mlkem768x25519.IDENTITY_PREFIX:
            return HybridIdentity.parse(text)
        case x25519.IDENTITY_PREFIX:
            return X25519Identity.parse(text)
        case _:
            raise KeyInvalidError("not an identity of a type that relay knows")
