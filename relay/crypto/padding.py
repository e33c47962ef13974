"""Hides the length of a text before it is sealed: ISO/IEC 7816-4 padding up to a Padmé size.

Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019)
rounds a size up so that only its highest bits can be told, for at most 12 % more bytes. It hides little of
very short texts, so nothing is padded to less than 256 bytes: "yes" and "no" look the same.
"""

from __future__ import annotations

from relay.crypto.errors import PaddingError

SMALLEST_BYTES = 256
_MARK = b"\x80"


def padded_size(plain: int) -> int:
    """Bytes that `plain` bytes are padded to; always at least one more."""
    size = max(plain + len(_MARK), SMALLEST_BYTES)
    exponent = size.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (size + mask) & ~mask


def is_padded_size(size: int) -> bool:
    """Whether `pad` makes texts of this many bytes."""
    return size >= SMALLEST_BYTES and padded_size(size - 1) == size


def pad(plain: bytes) -> bytes:
    """`plain`, a byte 0x80, and zeros up to the padded size."""
    return (plain + _MARK).ljust(padded_size(len(plain)), b"\0")


def unpad(padded: bytes) -> bytes:
    """What was padded; PaddingError unless `padded` is exactly what `pad` makes of it."""
    plain, mark, zeros = padded.rpartition(_MARK)
    if not mark or zeros.strip(b"\0") or padded_size(len(plain)) != len(padded):
        raise PaddingError("the padding is not what pad writes")
    return plain
