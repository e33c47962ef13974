"""Signed notes of C2SP (c2sp.org/signed-note): a text, and below it who signed it, with Ed25519 alone.

    relay pages of release 0.1.0
    …

    — relay.example/releases NnugSzTj…

Anybody can verify one with other people's tools. A reader gives the keys that it believes; signatures of
other keys are passed over, and one of a believed key that does not hold makes the whole note unusable.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import re
from collections.abc import Iterable
from typing import Final, Self

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from relay.crypto.errors import KeyInvalidError
from relay.crypto.signing import PUBLIC_KEY_BYTES, Signer, check_public_key
from relay.errors import RelayError

NOTE_MAX_BYTES: Final = 1024 * 1024
SIGNATURES_MAX: Final = 64
_ED25519: Final = b"\x01"
_ID_BYTES: Final = 4
_LINE: Final = re.compile(r"— (?P<name>[^ ]+) (?P<signature>[A-Za-z0-9+/=]+)")
_KEY: Final = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteUnusable(RelayError):
    """A signed note, or the key to verify it with, is malformed, or its signature does not hold."""

    code = "note-unusable"


@dataclasses.dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key of Ed25519 with the name that it signs under."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise NoteUnusable("the name of a key is not empty and has neither spaces nor a plus")
        try:
            check_public_key(self.public_key)
        except KeyInvalidError:
            raise NoteUnusable("the key is no public key of Ed25519") from None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key in `name+id+base64`, as C2SP writes it; NoteUnusable for any other text."""
        found = _KEY.fullmatch(text)
        if found is None:
            raise NoteUnusable("a key is written as name+8 hexadecimal digits+base64")
        try:
            typed = _decode(found["key"])
        except ValueError:
            raise NoteUnusable("the last part of the key is not base64") from None
        if typed[:1] != _ED25519 or len(typed) != 1 + PUBLIC_KEY_BYTES:
            raise NoteUnusable("the key is of another kind than Ed25519")
        key = cls(found["name"], typed[1:])
        if key.id.hex() != found["id"]:
            raise NoteUnusable("the digits in the key are not those of its name and key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encode(_ED25519 + self.public_key)}"

    @property
    def id(self) -> bytes:
        """4 bytes, which signatures begin with."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_ID_BYTES]


@dataclasses.dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which a believed key signed the text."""

    text: str
    """With its last newline."""
    signed_by: tuple[str, ...]
    """The names of the believed keys whose signature holds, in their order."""


def is_key_name(name: str) -> bool:
    """Whether a key may be called that."""
    is_word = bool(name) and "+" not in name and not any(letter.isspace() for letter in name)
    return is_word and _is_utf8(name)


def _is_utf8(text: str) -> bool:
    """Whether it can be written: not where an argument of a command was bytes of another coding."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def sign_note(text: str, name: str, signer: Signer) -> str:
    """The note of a text that ends with a newline, signed under a name; NoteUnusable for another text."""
    if not text.endswith("\n") or text == "\n":
        raise NoteUnusable("the text of a note ends with a newline")
    if _CONTROL.search(text) or not _is_utf8(text):
        raise NoteUnusable("the text of a note is UTF-8 and has no control characters")
    return f"{text}\n{_signature(text, name, signer)}"


def sign_note_again(note: str, name: str, signer: Signer) -> str:
    """The same note with one more signature; whoever calls this has looked at its text."""
    text, _signatures = _parts(note)
    return note + _signature(text, name, signer)


def open_note(content: bytes, keys: Iterable[NoteKey]) -> OpenedNote:
    """The text, if one of `keys` signed it and none of them signed something else; NoteUnusable otherwise."""
    if len(content) > NOTE_MAX_BYTES:
        raise NoteUnusable(f"a note has {NOTE_MAX_BYTES:,} bytes at most")
    try:
        note = content.decode()
    except UnicodeDecodeError:
        raise NoteUnusable("a note is a text in UTF-8") from None
    text, signatures = _parts(note)
    believed = {(key.name, key.id): key for key in keys}
    signed_by = list[str]()
    for name, signature in signatures:
        key = believed.get((name, signature[:_ID_BYTES]))
        if key is None:
            continue
        _verify(text, key, signature[_ID_BYTES:])
        signed_by.append(name)
    if not signed_by:
        raise NoteUnusable("the note is signed by none of the keys given")
    return OpenedNote(text, tuple(dict.fromkeys(signed_by)))


def _verify(text: str, key: NoteKey, signature: bytes) -> None:
    try:
        VerifyKey(key.public_key).verify(text.encode(), signature)
    except (BadSignatureError, ValueError):
        raise NoteUnusable(f"the signature of {key.name} does not hold for this text") from None


def _signature(text: str, name: str, signer: Signer) -> str:
    key = NoteKey(name, signer.public_key)
    return f"— {name} {_encode(key.id + signer.sign(text.encode()))}\n"


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and the name and signature of each line below it."""
    if _CONTROL.search(note) or not _is_utf8(note):
        raise NoteUnusable("a note is UTF-8 and has no control characters but newlines")
    text, blank, below = note.rpartition("\n\n")
    if not blank or not text:
        raise NoteUnusable("a note has a text, an empty line and its signatures")
    if not below.endswith("\n"):
        raise NoteUnusable("the note is cut short: its last line does not end")
    lines = below[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteUnusable(f"a note has {SIGNATURES_MAX} signatures at most")
    return f"{text}\n", [_read(line) for line in lines]


def _read(line: str) -> tuple[str, bytes]:
    found = _LINE.fullmatch(line)
    if found is None or not is_key_name(found["name"]):
        raise NoteUnusable("below a note stand lines of — name signature, and no others")
    try:
        signature = _decode(found["signature"])
    except ValueError:
        raise NoteUnusable(f"the signature of {found['name']} is not base64") from None
    if len(signature) <= _ID_BYTES:
        raise NoteUnusable(f"the signature of {found['name']} is too short")
    return found["name"], signature


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    """Bytes of padded base64 (RFC 4648, section 4) in its one spelling; ValueError otherwise."""
    data = base64.b64decode(text, validate=True)
    if _encode(data) != text:
        raise binascii.Error("bits behind the end")
    return data
