"""Signs webhooks after Standard Webhooks: `v1`, HMAC-SHA256, and `v1a`, Ed25519."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

from relay.crypto.errors import KeyInvalidError
from relay.crypto.signing import Signer

SHARED: Final = "whsec_"
PRIVATE: Final = "whsk_"
PUBLIC: Final = "whpk_"
SHARED_BYTES: Final = range(24, 65)
SEED_BYTES: Final = 32


class WebhookKey(Protocol):
    """What signs a webhook."""

    def sign(self, content: bytes) -> str:
        """The signature as it stands in the header, such as `v1,…`."""


class SharedSecret:
    """A secret that the receiver has as well."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, content: bytes) -> str:
        """As `v1,` and 32 bytes in base64."""
        return f"v1,{_base64(hmac.digest(self._secret, content, hashlib.sha256))}"


class PrivateKey:
    """A key whose public half the receiver verifies with."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, content: bytes) -> str:
        """As `v1a,` and 64 bytes in base64."""
        return f"v1a,{_base64(self._signer.sign(content))}"


def read_key(text: str) -> WebhookKey:
    """A key as the settings have it; KeyInvalidError says what it must be."""
    for prefix, lengths in ((SHARED, SHARED_BYTES), (PRIVATE, range(SEED_BYTES, SEED_BYTES + 1))):
        if not text.startswith(prefix):
            continue
        try:
            content = base64.b64decode(text.removeprefix(prefix), validate=True)
        except (ValueError, binascii.Error):
            content = b""
        if len(content) not in lengths:
            raise KeyInvalidError(
                f"{prefix} is followed by {lengths[0]} to {lengths[-1]} bytes in base64"
            )
        return SharedSecret(content) if prefix == SHARED else PrivateKey(Signer.from_seed(content))
    raise KeyInvalidError(f"a secret begins with {SHARED} or {PRIVATE}")


def new_shared_secret() -> str:
    """A secret for `v1`, which relay and the receiver keep."""
    return f"{SHARED}{_base64(secrets.token_bytes(32))}"


def new_key_pair() -> tuple[str, str]:
    """A key for `v1a`, which relay keeps, and its public half for the receiver."""
    signer = Signer.generate()
    return f"{PRIVATE}{_base64(signer.seed)}", f"{PUBLIC}{_base64(signer.public_key)}"


def signed_headers(
    keys: Sequence[WebhookKey], webhook_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a webhook that was sent at this time, in seconds since 1970."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(key.sign(content) for key in keys),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
