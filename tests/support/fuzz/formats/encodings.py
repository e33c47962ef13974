"""Base64, base64url, Bech32 with what is written in it, and padding: one text for the same bytes."""

from __future__ import annotations

from functools import partial
from typing import Final

from relay.crypto.encoding import (
    b64_decode,
    b64_encode,
    b64u_decode,
    b64u_encode,
    bech32_decode,
    bech32_encode,
)
from relay.crypto.errors import EncodingError, KeyInvalidError, PaddingError
from relay.crypto.mlkem768x25519 import HybridIdentity, HybridRecipient
from relay.crypto.padding import is_padded_size, pad, unpad
from relay.crypto.recipients import parse_identity, parse_recipient
from relay.crypto.x25519 import X25519Identity, X25519Recipient
from tests.support.fuzz.mutation import choose, mutate_bytes
from tests.support.fuzz.reading import as_text, attempt
from tests.support.fuzz.target import Target


def _base64(given: bytes) -> str | None:
    text = as_text(given)
    data = attempt(lambda: b64_decode(text), EncodingError)
    assert data is None or b64_encode(data) == text
    return None if data is None else data.hex()


def _base64url(given: bytes) -> str | None:
    text = as_text(given)
    data = attempt(lambda: b64u_decode(text), EncodingError)
    assert data is None or b64u_encode(data) == text
    return None if data is None else data.hex()


def _bech32(given: bytes) -> str | None:
    text = as_text(given)
    found = attempt(lambda: bech32_decode(text), EncodingError)
    if found is None:
        return None
    prefix, data = found
    assert bech32_encode(prefix, data) == text
    return f"{prefix} {data.hex()}"


def _padding(given: bytes) -> str | None:
    plain = attempt(lambda: unpad(given), PaddingError)
    if plain is None:
        return None
    assert pad(plain) == given
    assert is_padded_size(len(given))
    return plain.hex()


def _recipient(given: bytes) -> str | None:
    text = as_text(given)
    refusals = (EncodingError, KeyInvalidError)
    found = attempt(lambda: parse_recipient(text), *refusals)
    for kind in (HybridRecipient, X25519Recipient):
        one = attempt(partial(kind.parse, text), *refusals)
        assert (one == found) == (one is not None or found is None)
    assert found is None or str(found) == text
    return None if found is None else found.family


def _identity(given: bytes) -> str | None:
    text = as_text(given)
    refusals = (EncodingError, KeyInvalidError)
    found = attempt(lambda: parse_identity(text), *refusals)
    kinds = (HybridIdentity, X25519Identity)
    read = [attempt(partial(kind.parse, text), *refusals) for kind in kinds]
    assert [str(one) for one in read if one is not None] == ([] if found is None else [text])
    return None if found is None else type(found).__name__


def _checksummed(given: bytes, chance: object) -> bytes:
    """Another content under the same prefix, with a checksum that holds."""
    prefix, one, _letters = given.decode("latin-1").rpartition("1")
    if not one or not prefix.isascii() or not prefix:
        return given
    size = chance.choice((0, 31, 32, 33, 1215, 1216, 1217))  # type: ignore[attr-defined]
    return bech32_encode(prefix, chance.randbytes(size)).encode()  # type: ignore[attr-defined]


_BECH32: Final = choose([mutate_bytes, mutate_bytes, _checksummed])
_CRYPTO: Final = "relay.crypto."

TARGETS: Final = (
    Target(
        name="base64",
        reads=(f"{_CRYPTO}encoding.b64_decode",),
        check=_base64,
        in_browser=True,
    ),
    Target(
        name="base64url",
        reads=(f"{_CRYPTO}encoding.b64u_decode",),
        check=_base64url,
        in_browser=True,
    ),
    Target(
        name="bech32",
        reads=(f"{_CRYPTO}encoding.bech32_decode",),
        check=_bech32,
        mutate=_BECH32,
        in_browser=True,
    ),
    Target(
        name="padding",
        reads=(f"{_CRYPTO}padding.unpad",),
        check=_padding,
        in_browser=True,
    ),
    Target(
        name="recipients",
        reads=(
            f"{_CRYPTO}recipients.parse_recipient",
            f"{_CRYPTO}mlkem768x25519.HybridRecipient.parse",
            f"{_CRYPTO}x25519.X25519Recipient.parse",
        ),
        check=_recipient,
        mutate=_BECH32,
        in_browser=True,
    ),
    Target(
        name="identities",
        reads=(
            f"{_CRYPTO}recipients.parse_identity",
            f"{_CRYPTO}mlkem768x25519.HybridIdentity.parse",
            f"{_CRYPTO}x25519.X25519Identity.parse",
        ),
        check=_identity,
        mutate=_BECH32,
        in_browser=True,
    ),
)
