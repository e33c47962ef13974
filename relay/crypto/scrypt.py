"""The passphrase recipient of age: scrypt. Keyrings are sealed with it.

Anyone who writes a file chooses how much work and memory reading it takes: 1 KiB for each of 2 to the
work factor, so 17 takes 128 MiB and 20 takes 1 GiB. Readers say how much they are willing to spend.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import ClassVar

from relay.crypto.encoding import b64_encode
from relay.crypto.errors import HeaderError
from relay.crypto.filekeys import FileKey
from relay.crypto.stanzas import Stanza, binary_argument, stanzas_of, unwrap_under, wrap_under

MAX_WORK_FACTOR_LOG2 = 20
"""The most that relay asks of a reader, and the most that it does for a writer."""

_STANZA_TYPE = "scrypt"
_LABEL = b"age-encryption.org/v1/scrypt"
_SALT_BYTES = 16
_KEY_BYTES = 32
_BLOCK_SIZE = 8
_WORK_FACTOR = re.compile(r"[1-9][0-9]?")
"""No leading zero, and at most two digits: more is too much for anybody."""


@dataclasses.dataclass(frozen=True, slots=True)
class ScryptRecipient:
    """Anybody who knows the passphrase."""

    family: ClassVar[str] = "passphrase"
    passphrase: str = dataclasses.field(repr=False)
    work_factor_log2: int

    def __post_init__(self) -> None:
        if not 1 <= self.work_factor_log2 <= MAX_WORK_FACTOR_LOG2:
            raise ValueError(f"the work factor must be 1 to {MAX_WORK_FACTOR_LOG2}")

    def wrap(self, file_key: FileKey) -> Stanza:
        """A fresh stanza. Takes as long and as much memory as its work factor says."""
        salt = secrets.token_bytes(_SALT_BYTES)
        body = wrap_under(_wrapping_key(self.passphrase, salt, self.work_factor_log2), file_key)
        arguments = (b64_encode(salt), str(self.work_factor_log2))
        return Stanza(type=_STANZA_TYPE, arguments=arguments, body=body)


@dataclasses.dataclass(frozen=True, slots=True)
class ScryptIdentity:
    """A passphrase to try, and the most work to do for it."""

    passphrase: str = dataclasses.field(repr=False)
    max_work_factor_log2: int = MAX_WORK_FACTOR_LOG2

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """The file key; HeaderError for a malformed stanza or one that asks for too much work."""
        for stanza in stanzas_of(stanzas, _STANZA_TYPE, arguments=2):
            if len(stanzas) > 1:
                raise HeaderError("an scrypt stanza is not alone")
            salt = binary_argument(stanza, 0, _SALT_BYTES)
            factor = stanza.arguments[1]
            if not _WORK_FACTOR.fullmatch(factor):
                raise HeaderError("a work factor is not a plain number")
            if int(factor) > min(self.max_work_factor_log2, MAX_WORK_FACTOR_LOG2):
                raise HeaderError("a work factor is higher than allowed")
            return unwrap_under(_wrapping_key(self.passphrase, salt, int(factor)), stanza.body)
        return None


def stretch(passphrase: str, salt: bytes, work_factor_log2: int, size: int) -> bytes:
    """`size` bytes of scrypt with N = 2^`work_factor_log2`, r = 8, p = 1; takes N KiB of memory."""
    rounds = 1 << work_factor_log2
    return hashlib.scrypt(
        passphrase.encode("utf-8"),
        salt=salt,
        n=rounds,
        r=_BLOCK_SIZE,
        p=1,
        dklen=size,
        maxmem=128 * _BLOCK_SIZE * (rounds + 8),
    )


def _wrapping_key(passphrase: str, salt: bytes, work_factor_log2: int) -> bytes:
    return stretch(passphrase, _LABEL + salt, work_factor_log2, _KEY_BYTES)
