"""Seals private keys so that the relay may keep them but cannot use them: for a passphrase, or for people."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from relay.crypto.age import (
    HybridIdentity,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    open_file,
    seal_file,
)
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import KeyInvalidError
from relay.crypto.signing import Signer

MEDIATOR_WORK_FACTOR_LOG2 = 17
PARTICIPANT_WORK_FACTOR_LOG2 = 15
"""Lower, because 256 bits of the passphrase come from the link and old phones must open it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """What one person holds: an identity to read with and a signer to act with."""

    identity: HybridIdentity
    signer: Signer


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    identity: str
    signer: str


def generate_keyring() -> Keyring:
    """New keys for one person."""
    return Keyring(identity=HybridIdentity.generate(), signer=Signer.generate())


def seal_keyring(keyring: Keyring, passphrase: str, work_factor_log2: int) -> bytes:
    """An age file that `passphrase`, in NFKC, opens; about 0.3 s and 128 MiB at a work factor of 17."""
    content = _Sealed(identity=str(keyring.identity), signer=b64u_encode(keyring.signer.seed))
    recipient = ScryptRecipient(_normal(passphrase), work_factor_log2)
    return seal_file(msgspec.json.encode(content), [recipient])


def open_keyring(sealed: bytes, passphrase: str) -> Keyring:
    """The keyring; NoMatchError for a wrong passphrase, HeaderError if it asks for more work than 2^20."""
    plain = open_file(sealed, [ScryptIdentity(_normal(passphrase))])
    try:
        content = msgspec.json.decode(plain, type=_Sealed)
    except msgspec.DecodeError:
        raise KeyInvalidError("not a keyring") from None
    return Keyring(
        identity=HybridIdentity.parse(content.identity),
        signer=Signer.from_seed(b64u_decode(content.signer)),
    )


def seal_identities(identities: Sequence[HybridIdentity], recipients: Sequence[Recipient]) -> bytes:
    """All identities that a case has had, the latest first, for its mediators and for recovery.

    An age file with an identity file in it: one identity a line.
    """
    text = "".join(f"{identity}\n" for identity in identities)
    return seal_file(text.encode("ascii"), recipients)


def open_identities(sealed: bytes, identities: Iterable[Identity]) -> tuple[HybridIdentity, ...]:
    """The identities that seal_identities was given; KeyInvalidError if something else is inside."""
    text = open_file(sealed, identities).decode("ascii", errors="replace")
    return tuple(HybridIdentity.parse(line) for line in text.removesuffix("\n").split("\n"))


def _normal(passphrase: str) -> str:
    """The same words typed on another keyboard are the same passphrase."""
    return unicodedata.normalize("NFKC", passphrase)
