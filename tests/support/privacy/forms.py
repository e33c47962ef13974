"""How a secret may be spelled where it does not belong, and one search for all of them at once.

A search compares without regard to case and to the two alphabets of base64, so that a secret has five
spellings: as it is, in hexadecimal, and in base64 at each of the three places where its bytes may begin in a
longer text. What is percent-encoded or escaped, as JSON and Python write it, is decoded first.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ahocorasick_rs import BytesAhoCorasick

LEAST_BYTES: Final = 8
LEAST_DIFFERENT: Final = 5
PIECE_BYTES: Final = 16
PIECES: Final = 12

_ONE_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_ESCAPE: Final = re.compile(rb'\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbf"\'\\/]))', re.IGNORECASE)
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def is_distinct(secret: bytes) -> bool:
    """Whether it is long and varied enough that, where it is found, it was not written by chance."""
    return len(secret) >= LEAST_BYTES and len(set(secret)) >= LEAST_DIFFERENT


def pieces(content: bytes) -> list[bytes]:
    """A content that may be quoted in part: pieces all over it, one of which is in any longer quotation."""
    if len(content) <= 2 * PIECE_BYTES:
        return [content]
    count = min(PIECES, len(content) // PIECE_BYTES)
    step = max(PIECE_BYTES, (len(content) - PIECE_BYTES) // max(1, count - 1))
    return [content[at : at + PIECE_BYTES] for at in range(0, len(content) - PIECE_BYTES + 1, step)]


def base64_inside(secret: bytes, shift: int) -> bytes:
    """What of a base64 text depends on the secret alone, where `shift` bytes of three are in front of it."""
    encoded = base64.b64encode(bytes(shift) + secret)
    return encoded[-(-8 * shift // 6) : 8 * (shift + len(secret)) // 6]


FORMS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "as it is": bytes,
    "hexadecimal": lambda secret: secret.hex().encode(),
    "capital hexadecimal": lambda secret: secret.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 behind one byte": lambda secret: base64.b64encode(b"a" + secret + b"b"),
    "base64 behind two bytes": lambda secret: base64.b64encode(b"ab" + secret + b"cd"),
    "base64url": base64.urlsafe_b64encode,
    "base64url behind one byte": lambda secret: base64.urlsafe_b64encode(b"a" + secret + b"b"),
    "base64url behind two bytes": lambda secret: base64.urlsafe_b64encode(b"ab" + secret + b"c"),
    "percent-encoded": lambda secret: quote_from_bytes(secret, safe="").encode(),
    "JSON": lambda secret: "".join(f"\\u{ord(c):04x}" for c in _text(secret)).encode(),
    "Python": lambda secret: repr(secret).encode(),
}
"""Every spelling that is looked for, as somebody might write it."""


def _text(secret: bytes) -> str:
    """As JSON would hold it."""
    try:
        return secret.decode()
    except UnicodeDecodeError:
        return secret.decode("latin-1")


def needles(secret: bytes) -> Iterator[bytes]:
    """All that is searched for, of one secret."""
    spelled = [secret, secret.hex().encode(), *(base64_inside(secret, at) for at in range(3))]
    yield from {normal(one) for one in spelled if len(one) >= LEAST_BYTES}


def normal(content: bytes) -> bytes:
    """In one case and one alphabet."""
    return content.lower().translate(_ONE_ALPHABET)


def views(content: bytes) -> Iterator[bytes]:
    """What left, as it is searched: as it was, and decoded where something in it is encoded."""
    yield normal(content)
    if b"%" in content:
        yield normal(unquote_to_bytes(content.replace(b"+", b" ")))
        yield normal(unquote_to_bytes(content))
    # Twice: a text that was quoted may stand in a line that is quoted again.
    for _ in range(2):
        if b"\\" not in content:
            return
        content = _ESCAPE.sub(_unescaped, content)
        yield normal(content)
        # Bytes may have been written as if each were a character.
        yield normal(content.decode(errors="replace").encode("latin-1", "replace"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    code, byte, letter = found.groups()
    if code is not None:
        return chr(int(code, 16)).encode("utf-8", "surrogatepass")
    if byte is not None:
        return bytes([int(byte, 16)])
    return _LETTERS.get(letter, letter)


class Search:
    """Looks for all of these secrets at once."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._of: dict[bytes, bytes] = {}
        for secret in secrets:
            for needle in needles(secret):
                self._of.setdefault(needle, secret)
        self._needles = list(self._of)
        self._all = BytesAhoCorasick(self._needles) if self._needles else None

    def find(self, content: bytes) -> set[bytes]:
        """The secrets that are in it, in whatever spelling."""
        if self._all is None:
            return set()
        return {
            self._of[self._needles[found]]
            for view in views(content)
            for found, _start, _end in self._all.find_matches_as_indexes(view)
        }
