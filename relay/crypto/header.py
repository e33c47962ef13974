"""Reads and writes age headers: who may open a file, and a MAC under the file key that binds it all.

In relay a header without its body is a grant: it makes one audience able to open a body that lies elsewhere.
"""

from __future__ import annotations

import dataclasses
import hmac
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Protocol

from relay.crypto.encoding import b64_decode, b64_encode
from relay.crypto.errors import EncodingError, HeaderError, HeaderMacError, NoMatchError
from relay.crypto.filekeys import FILE_KEY_BYTES, FileKey, hkdf
from relay.crypto.stanzas import COLUMNS, Stanza

HEADER_MAX_BYTES = 256 * 1024
"""Longer headers are refused: room for more than 150 post-quantum recipients."""

_VERSION_LINE = b"age-encryption.org/v1\n"
_STANZA_MARK = b"-> "
_END_MARK = b"---"
_MAC_BYTES = 32
_VISIBLE = re.compile(rb"[ -~]*")
_ALONE = "passphrase"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A parsed header. Its MAC is checked by `unwrap_header`, which alone has the key to it."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    encoded: bytes
    """The bytes it was parsed from, which are also the only encoding of it."""

    @property
    def size(self) -> int:
        """Bytes of the header: where the body starts in an age file."""
        return len(self.encoded)


class Recipient(Protocol):
    """Somebody a file key can be wrapped for. `str()` gives the public text form."""

    family: ClassVar[str]
    """Recipients of one header are all of one family; `passphrase` is used alone."""

    def wrap(self, file_key: FileKey) -> Stanza:
        """A fresh stanza that only this recipient's identity can open."""


class Identity(Protocol):
    """The secret that belongs to a recipient."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """The file key, or None if no stanza is for this identity.

        HeaderError if a stanza of this type breaks its rules, even if it is for somebody else.
        """


def wrap_header(file_key: FileKey, recipients: Sequence[Recipient]) -> bytes:
    """A complete header that lets `recipients` open what is sealed under `file_key`.

    ValueError for no recipients, for a passphrase beside anything else (it would no longer say that the
    writer knew it), and for post-quantum beside classic ones (the file would be no safer than its weakest).
    """
    families = {recipient.family for recipient in recipients}
    if len(file_key) != FILE_KEY_BYTES or len(families) != 1:
        raise ValueError("a header needs a 16-byte file key and recipients of one family")
    if families == {_ALONE} and len(recipients) > 1:
        raise ValueError("a passphrase must be the only recipient")
    stanzas = b"".join(recipient.wrap(file_key).encode() for recipient in recipients)
    start = _VERSION_LINE + stanzas + _END_MARK
    return start + b" " + b64_encode(_mac(file_key, start)).encode("ascii") + b"\n"


def parse_header(encoded: bytes) -> Header:
    """The header that `encoded` is, from its first to its last byte; HeaderError otherwise."""
    source = io.BytesIO(encoded)
    header = read_header(source.readline)
    if header.size != len(encoded):
        raise HeaderError("bytes follow the header")
    return header


def read_header(readline: Callable[[int], bytes]) -> Header:
    """Read one header from the front of a file and leave the reader at the body.

    `readline(limit)` gives the next line with its line feed, at most `limit` bytes, as binary files have it.
    HeaderError for anything that age v1 does not allow.
    """
    lines = _Lines(readline)
    if lines.next() != _VERSION_LINE:
        raise HeaderError("not an age v1 file")
    stanzas: list[Stanza] = []
    while (line := lines.next()).startswith(_STANZA_MARK):
        stanzas.append(_read_stanza(line, lines))
    if not stanzas:
        raise HeaderError("the header has no stanza")
    if len(stanzas) > 1 and any(stanza.type == "scrypt" for stanza in stanzas):
        raise HeaderError("an scrypt stanza is not alone")
    mac = _read_mac(line)
    return Header(stanzas=tuple(stanzas), mac=mac, encoded=lines.taken())


def unwrap_header(header: Header | bytes, identities: Iterable[Identity]) -> FileKey:
    """The file key, opened by the first identity that can, after the MAC of the header was checked with it.

    HeaderError for a malformed header or stanza, NoMatchError where no identity fits, HeaderMacError for
    a header that was altered.
    """
    if not isinstance(header, Header):
        header = parse_header(header)
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            start = header.encoded[: header.encoded.rindex(b" ")]
            if not hmac.compare_digest(_mac(file_key, start), header.mac):
                raise HeaderMacError("the header was altered")
            return file_key
    raise NoMatchError("no identity opens this header")


class _Lines:
    """Hands out lines, keeps what was read, and stops at the longest header that is read at all."""

    __slots__ = ("_readline", "_room", "_taken")

    def __init__(self, readline: Callable[[int], bytes]) -> None:
        self._readline = readline
        self._taken: list[bytes] = []
        self._room = HEADER_MAX_BYTES

    def next(self) -> bytes:
        line = self._readline(self._room)
        if not line.endswith(b"\n"):
            raise HeaderError("the header is cut short or too long")
        self._room -= len(line)
        self._taken.append(line)
        return line

    def taken(self) -> bytes:
        return b"".join(self._taken)


def _read_stanza(line: bytes, lines: _Lines) -> Stanza:
    arguments = _visible(line[len(_STANZA_MARK) : -1]).split(" ")
    if not all(arguments):
        raise HeaderError("a stanza has an empty argument")
    body = ""
    while True:
        text = _visible(lines.next()[:-1])
        if len(text) > COLUMNS:
            raise HeaderError("a line of a stanza is too long")
        body += text
        if len(text) < COLUMNS:
            break
    return Stanza(type=arguments[0], arguments=tuple(arguments[1:]), body=_base64(body))


def _read_mac(line: bytes) -> bytes:
    mark, _, text = _visible(line[:-1]).partition(" ")
    mac = _base64(text)
    if mark != _END_MARK.decode() or len(mac) != _MAC_BYTES:
        raise HeaderError("the header does not end in a MAC")
    return mac


def _visible(line: bytes) -> str:
    if not _VISIBLE.fullmatch(line):
        raise HeaderError("the header holds something else than visible ASCII")
    return line.decode("ascii")


def _base64(text: str) -> bytes:
    try:
        return b64_decode(text)
    except EncodingError as error:
        raise HeaderError(error.detail) from None


def _mac(file_key: FileKey, start: bytes) -> bytes:
    """The MAC covers everything up to and including the `---`."""
    return hmac.digest(hkdf(file_key, salt=b"", info=b"header"), start, "sha256")
