"""What can go wrong when sealing and verifying: different errors in here and in the log, one outside.

An answer must not tell which check failed, so every class below has the code of CryptoError, and with it
its sentences; only name and `detail` differ, and they go to the log alone.
"""

from __future__ import annotations

from relay.errors import CryptoError


class OpaqueError(CryptoError):
    """A failure whose kind is for the log alone: code and sentences are those of CryptoError."""


class EncodingError(OpaqueError):
    """Text is not the one canonical Base64, base64url or Bech32 form of any bytes."""


class KeyInvalidError(OpaqueError):
    """A key, recipient or identity is malformed or of a kind that relay does not use."""


class HeaderError(OpaqueError):
    """An age header is malformed, or a stanza in it breaks the rules of its type."""


class NoMatchError(OpaqueError):
    """None of the identities opens any stanza of the header."""


class HeaderMacError(OpaqueError):
    """The header's MAC does not match: the header was altered after it was written."""


class PayloadError(OpaqueError):
    """A payload is altered, cut short, too long, or sealed under another file key."""


class CommitmentError(OpaqueError):
    """A file key is not the one that the author of the part committed to."""


class PaddingError(OpaqueError):
    """Padding is not what `pad` writes."""


class StatementError(OpaqueError):
    """A statement is malformed, of another type, or its signature does not hold."""


class ChainError(OpaqueError):
    """A statement is well signed, but not by a key that the organization root vouches for here."""


class LinkError(OpaqueError):
    """A link is malformed, or does not belong to what it was used for."""
