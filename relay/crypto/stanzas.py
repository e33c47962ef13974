"""The stanzas of an age header, and the rules that every recipient type shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from relay.crypto.encoding import b64_decode, b64_encode
from relay.crypto.errors import EncodingError, HeaderError
from relay.crypto.filekeys import FileKey

COLUMNS = 64
"""A body is wrapped at this many letters, and its last line is always shorter."""

_WRAPPED_BYTES = 32
_ZERO_NONCE = bytes(12)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """One recipient's wrapping of the file key: a type, arguments of that type, and a body."""

    type: str
    arguments: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """The lines of this stanza; the last is shorter than 64 columns, if need be empty."""
        text = b64_encode(self.body)
        lines = [" ".join(("->", self.type, *self.arguments))]
        lines += [text[at : at + COLUMNS] for at in range(0, len(text) + 1, COLUMNS)]
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def stanzas_of(stanzas: Sequence[Stanza], kind: str, arguments: int) -> Iterator[Stanza]:
    """The stanzas of one type; HeaderError if one has another number of arguments or a body not of 32 bytes.

    The body's size is checked before any key touches it: a stanza that opens to another size could be made
    to open under many keys, and tell its maker which one was tried (a partitioning oracle).
    """
    for stanza in stanzas:
        if stanza.type == kind:
            if len(stanza.arguments) != arguments or len(stanza.body) != _WRAPPED_BYTES:
                raise HeaderError(f"a stanza of type {kind} is malformed")
            yield stanza


def binary_argument(stanza: Stanza, place: int, size: int) -> bytes:
    """An argument that is the Base64 of exactly `size` bytes; HeaderError otherwise."""
    try:
        value = b64_decode(stanza.arguments[place])
    except EncodingError as error:
        raise HeaderError(error.detail) from None
    if len(value) != size:
        raise HeaderError(f"an argument of a stanza of type {stanza.type} has the wrong size")
    return value


def wrap_under(key: bytes, file_key: FileKey) -> bytes:
    """ChaCha20-Poly1305 with the zero nonce: `key` must be fresh, which a fresh salt or share makes it."""
    return ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None)


def unwrap_under(key: bytes, body: bytes) -> FileKey | None:
    """The opposite of wrap_under; None if `body` was not wrapped under `key`."""
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, body, None)
    except InvalidTag:
        return None
