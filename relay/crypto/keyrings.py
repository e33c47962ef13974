"""Seals private keys so that the relay can store them and not use them: for a passphrase, or for people."""

from __future__ import annotations

import dataclasses
import hashlib
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
from relay.crypto.passphrases import check_new_passphrase, normal
from relay.crypto.scrypt import stretch
from relay.crypto.signing import Signer
from relay.decoding import NotDecodable, decode_json

MEDIATOR_WORK_FACTOR_LOG2 = 17
PARTICIPANT_WORK_FACTOR_LOG2 = 15
"""Lower: old phones must stretch it, and without the link's secret and the relay's data nobody can guess."""
RING_WORK_FACTOR_LOG2 = 1
"""Of the file itself, whose key is 256 bits that were stretched before."""
PROOF_BYTES = 32
_RING_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """What one person holds: an identity to read with and a signer to act with."""

    identity: HybridIdentity
    signer: Signer


@dataclasses.dataclass(frozen=True, slots=True)
class Stretched:
    """What a participant's passphrase comes to, in two halves of which neither tells of the other."""

    proof: bytes = dataclasses.field(repr=False)
    """32 bytes: shown to the relay, which hands the keyring out for it and stores its SHA-256 alone."""
    ring_key: bytes = dataclasses.field(repr=False)
    """32 bytes: opens the keyring; never sent."""

    @property
    def ring_passphrase(self) -> str:
        """What the keyring is sealed with: the ring key as base64url."""
        return b64u_encode(self.ring_key)

    @property
    def proof_hash(self) -> bytes:
        """SHA-256 of the proof: what the relay stores and compares."""
        return hashlib.sha256(self.proof).digest()


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    identity: str
    signer: str


def generate_keyring() -> Keyring:
    """New keys for one person."""
    return Keyring(identity=HybridIdentity.generate(), signer=Signer.generate())


def seal_keyring(keyring: Keyring, passphrase: str, work_factor_log2: int) -> bytes:
    """An age file that a mediator's passphrase opens; about 0.3 s and 128 MiB at a work factor of 17.

    WeakPassphrase for one below the floor.
    """
    check_new_passphrase(passphrase)
    return _seal(keyring, normal(passphrase), work_factor_log2)


def open_keyring(sealed: bytes, passphrase: str) -> Keyring:
    """The keyring; NoMatchError for a wrong passphrase, HeaderError if it asks for more work than 2^20."""
    return _open(sealed, normal(passphrase))


def stretch_passphrase(passphrase: str, unlock: bytes, work_factor_log2: int) -> Stretched:
    """A participant's passphrase, stretched with the `unlock` (32 bytes) of their link's secret.

    About 0.1 s and 32 MiB at the work factor of the protocol, 15.
    """
    stretched = stretch(normal(passphrase), unlock, work_factor_log2, PROOF_BYTES + _RING_KEY_BYTES)
    return Stretched(proof=stretched[:PROOF_BYTES], ring_key=stretched[PROOF_BYTES:])


def seal_participant_keyring(
    keyring: Keyring, passphrase: str, unlock: bytes, *, link: str, work_factor_log2: int
) -> tuple[bytes, Stretched]:
    """A participant's keyring as an age file, and what opens it; `link` is the address it goes with.

    WeakPassphrase for a passphrase below the floor, or one that is a piece of the address.
    """
    check_new_passphrase(passphrase, link)
    stretched = stretch_passphrase(passphrase, unlock, work_factor_log2)
    return _seal(keyring, stretched.ring_passphrase, RING_WORK_FACTOR_LOG2), stretched


def open_participant_keyring(sealed: bytes, stretched: Stretched) -> Keyring:
    """The keyring; NoMatchError if it is not the one that was sealed with this passphrase and link."""
    return _open(sealed, stretched.ring_passphrase)


def _seal(keyring: Keyring, passphrase: str, work_factor_log2: int) -> bytes:
    content = _Sealed(identity=str(keyring.identity), signer=b64u_encode(keyring.signer.seed))
    recipient = ScryptRecipient(passphrase, work_factor_log2)
    return seal_file(msgspec.json.encode(content), [recipient])


def _open(sealed: bytes, passphrase: str) -> Keyring:
    plain = open_file(sealed, [ScryptIdentity(passphrase)])
    try:
        content = decode_json(plain, _Sealed)
    except NotDecodable:
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
