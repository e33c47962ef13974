"""Turns bytes into text and back: base64url and Base64 without padding, and Bech32; canonical forms only.

Every decoder refuses all texts but the one its encoder writes, so that equal bytes always mean equal text.
"""

from __future__ import annotations

import binascii
import functools
import operator

from relay.crypto.errors import EncodingError

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"===", b"==", b"=")
"""What a text of so many characters beyond a multiple of four lacks."""

_BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_VALUES = {letter: value for value, letter in enumerate(_BECH32_ALPHABET)}
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_FEEDBACK = [
    functools.reduce(
        operator.xor, (g for bit, g in enumerate(_BECH32_GENERATOR) if top >> bit & 1), 0
    )
    for top in range(32)
]
"""What each value of the five bits that leave the checksum puts back into it."""
_BECH32_CHECKSUM_LETTERS = 6


def b64u_encode(data: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def b64u_decode(text: str) -> bytes:
    """The bytes behind `text`; EncodingError unless `text` is exactly what b64u_encode writes."""
    try:
        data = binascii.a2b_base64(
            text.encode("ascii").translate(_FROM_URL) + _PADDING[len(text) % 4]
        )
    except ValueError:
        raise EncodingError("not base64url") from None
    if b64u_encode(data) != text:
        raise EncodingError("base64url is not canonical")
    return data


def b64_encode(data: bytes) -> str:
    """RFC 4648 section 4, without padding: the form in age headers."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").decode("ascii")


def b64_decode(text: str) -> bytes:
    """The bytes behind `text`; EncodingError unless `text` is exactly what b64_encode writes."""
    try:
        data = binascii.a2b_base64(text.encode("ascii") + _PADDING[len(text) % 4])
    except ValueError:
        raise EncodingError("not Base64") from None
    if b64_encode(data) != text:
        raise EncodingError("Base64 is not canonical")
    return data


def bech32_encode(prefix: str, data: bytes) -> str:
    """BIP 173 without its length limit, as age uses it; upper case if `prefix` is."""
    lower = prefix.lower()
    values = _regroup(data, 8, 5)
    values += bech32_checksum(lower, values)
    text = lower + "1" + "".join(_BECH32_ALPHABET[value] for value in values)
    return text.upper() if prefix != lower else text


def bech32_checksum(prefix: str, values: list[int]) -> list[int]:
    """The six five-bit groups that end a Bech32 text with this lower-case prefix and these groups."""
    checksum = _polymod(_expand(prefix) + values + [0] * _BECH32_CHECKSUM_LETTERS) ^ 1
    return [checksum >> 5 * (5 - place) & 31 for place in range(_BECH32_CHECKSUM_LETTERS)]


def bech32_decode(text: str) -> tuple[str, bytes]:
    """Prefix (in the case it was written in) and bytes; EncodingError for anything not canonical."""
    lower = text.lower()
    if text not in {lower, text.upper()} or not text.isascii():
        raise EncodingError("Bech32 mixes cases")
    prefix, one, letters = lower.rpartition("1")
    if not one or not prefix or not prefix.isprintable() or " " in prefix:
        raise EncodingError("Bech32 has no prefix")
    try:
        values = [_BECH32_VALUES[letter] for letter in letters]
    except KeyError:
        raise EncodingError("a letter that Bech32 does not use") from None
    if len(values) < _BECH32_CHECKSUM_LETTERS or _polymod(_expand(prefix) + values) != 1:
        raise EncodingError("the Bech32 checksum does not match")
    data = bytes(_regroup(values[:-_BECH32_CHECKSUM_LETTERS], 5, 8, partial=False))
    return text[: len(prefix)], data


def _regroup(
    values: bytes | list[int], source: int, target: int, *, partial: bool = True
) -> list[int]:
    """Cut a run of `source`-bit values into `target`-bit ones.

    With `partial` the last one is filled up with zero bits; without it, leftover bits must be such a
    filling: fewer than `source` of them and all zero.
    """
    held = bits = 0
    out: list[int] = []
    mask = (1 << target) - 1
    for value in values:
        held = held << source | value
        bits += source
        while bits >= target:
            bits -= target
            out.append(held >> bits & mask)
        held &= (1 << bits) - 1
    if partial and bits:
        out.append(held << target - bits & mask)
    elif not partial and (bits >= source or held):
        raise EncodingError("Bech32 does not end on a whole byte")
    return out


def _expand(prefix: str) -> list[int]:
    codes = [ord(letter) for letter in prefix]
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value ^ _BECH32_FEEDBACK[checksum >> 25]
    return checksum
