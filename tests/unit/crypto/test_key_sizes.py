"""Keys, secrets and addresses of another size or kind than theirs are refused where they are made."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final

import pytest

from relay.crypto.errors import KeyInvalidError, LinkError
from relay.crypto.filekeys import FileKey
from relay.crypto.links import LinkSecret, link_url
from relay.crypto.mlkem768x25519 import HybridIdentity, HybridRecipient
from relay.crypto.stream import Sealer
from relay.crypto.x25519 import X25519Identity, X25519Recipient

PLAIN: Final = X25519Identity(bytes(range(32)))
HYBRID: Final = HybridIdentity(bytes(range(32)))


@pytest.mark.parametrize("kind", [X25519Recipient, X25519Identity, HybridRecipient, HybridIdentity])
@pytest.mark.parametrize("size", [0, 31, 33, 1215, 1217])
def test_a_key_has_one_size(kind: Callable[[bytes], object], size: int) -> None:
    """Whichever kind of key it is."""
    with pytest.raises(KeyInvalidError):
        kind(bytes(size))


def test_a_key_of_the_other_kind_is_not_taken_for_one() -> None:
    """Each says which kind it is, in the spelling that age gives it."""
    with pytest.raises(KeyInvalidError):
        X25519Recipient.parse(str(HYBRID.recipient))
    with pytest.raises(KeyInvalidError):
        HybridRecipient.parse(str(PLAIN.recipient))
    assert X25519Recipient.parse(str(PLAIN.recipient)) == PLAIN.recipient
    assert HybridRecipient.parse(str(HYBRID.recipient)) == HYBRID.recipient


@pytest.mark.parametrize("size", [0, 15, 17])
def test_what_is_in_a_link_has_sixteen_bytes_each(size: int) -> None:
    """The secret, the fingerprint and the anchor: one address has one reading."""
    with pytest.raises(LinkError):
        LinkSecret(bytes(size))
    secret, link = LinkSecret(bytes(16)), uuid.UUID(int=1)
    with pytest.raises(LinkError):
        link_url("https://relay.example", link, secret, bytes(size), bytes(16))
    with pytest.raises(LinkError):
        link_url("https://relay.example", link, secret, bytes(16), bytes(size))


def test_nothing_is_sealed_after_the_last_chunk() -> None:
    """A second last chunk would be one under a nonce that was used."""
    sealer = Sealer(FileKey(bytes(16)))
    sealer.finish()
    with pytest.raises(ValueError, match="finished"):
        sealer.update(b"more")
    with pytest.raises(ValueError, match="finished"):
        sealer.finish()
