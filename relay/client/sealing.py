"""Sealing parts on this side, opening them on the other: what a browser does, in Python.

A sealed file is on disk as ciphertext while it is sent, so that a broken upload can be resumed.
"""

from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Literal, Self

from relay.crypto import age
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import NoMatchError, OpaqueError, PayloadError
from relay.crypto.fields import Part
from relay.crypto.padding import pad, unpad
from relay.domain.captions import readable_captions
from relay.domain.messages import Audience, Body, Grant, PartRole, PartView
from relay.domain.parts import is_type_of
from relay.domain.texts import readable

TEXT = "text/plain"
READ_BYTES = 1024 * 1024

Role = Literal["body", "original", "rendition", "poster", "captions", "note"]


class WrongTypeError(OpaqueError):
    """A part is of a media type that does not belong to its role."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A part as its statement describes it, and the file key that its grants wrap."""

    part: Part
    file_key: age.FileKey = dataclasses.field(repr=False)

    def grant(self, audience: Audience, audience_id: uuid.UUID, recipient: str) -> Grant:
        """A header that opens this part for one recipient (`age1pq1…`)."""
        return grant_key(self.part.commit, self.file_key, audience, audience_id, recipient)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SealedText(Sealed):
    """A sealed text with its body."""

    body: bytes

    def as_body(self) -> Body:
        """The body, as it is sent with its statement."""
        return Body(commitment=self.part.commit, body=self.body)


def seal_text(case_id: uuid.UUID, role: Role, text: str, *, media_type: str = TEXT) -> SealedText:
    """A text, padded so that its length says little, sealed under a key of its own."""
    file_key = age.new_file_key()
    body = age.seal_body(file_key, pad(text.encode()))
    part = Part(
        role=role,
        type=media_type,
        size=len(body),
        segments=_digests([body]),
        commit=b64u_encode(age.commit(file_key, case_id)),
    )
    return SealedText(part=part, file_key=file_key, body=body)


def seal_file(
    case_id: uuid.UUID, role: Role, source: BinaryIO, media_type: str, target: BinaryIO
) -> Sealed:
    """Seal what `source` holds into `target`, piece by piece."""
    file_key = age.new_file_key()
    sealer = age.Sealer(file_key)
    hasher = age.SegmentHasher()
    size = 0

    def write(sealed: bytes) -> None:
        nonlocal size
        target.write(sealed)
        hasher.update(sealed)
        size += len(sealed)

    while plain := source.read(READ_BYTES):
        write(sealer.update(plain))
    write(sealer.finish())
    part = Part(
        role=role,
        type=media_type,
        size=size,
        segments=[b64u_encode(digest) for digest in hasher.finish()],
        commit=b64u_encode(age.commit(file_key, case_id)),
    )
    return Sealed(part=part, file_key=file_key)


def grant_key(
    commitment: str,
    file_key: age.FileKey,
    audience: Audience,
    audience_id: uuid.UUID,
    recipient: str,
) -> Grant:
    """A header that opens a part for one recipient (`age1pq1…`)."""
    return Grant(
        commitment=commitment,
        audience=audience,
        audience_id=audience_id,
        header=age.wrap_header(file_key, [_recipient(recipient)]),
    )


@functools.lru_cache(maxsize=256)
def _recipient(text: str) -> age.Recipient:
    """A recipient's 2 kB of Bech32 take longer to read than to seal for."""
    return age.parse_recipient(text)


def unwrap(
    case_id: uuid.UUID, part: Part, header: bytes | None, identities: Iterable[age.Identity]
) -> age.FileKey:
    """The file key of a part, checked against what its author or worker committed to for this case."""
    if not is_type_of(PartRole(part.role), part.type):
        raise WrongTypeError(f"{part.role} of type {part.type}")
    if header is None:
        raise NoMatchError("no grant")
    file_key = age.unwrap_header(header, identities)
    age.check_commitment(file_key, b64u_decode(part.commit), case_id)
    return file_key


def open_text(
    case_id: uuid.UUID, part: Part, view: PartView, identities: Iterable[age.Identity]
) -> str:
    """The text of a part whose body and header came with the message, as it is shown to everybody.

    Captions are reduced to their words and times. CryptoError, UnicodeDecodeError or NotCaptions where it
    is not text that was signed and sealed for one of `identities`.
    """
    file_key = unwrap(case_id, part, view.header, identities)
    body = view.body
    if body is None or len(body) != part.size or _digests([body]) != part.segments:
        raise PayloadError("not the body that was signed")
    text = readable(unpad(age.open_body(file_key, body)).decode())
    return readable_captions(text) if part.role == "captions" else text


def _digests(body: Iterable[bytes]) -> list[str]:
    return [b64u_encode(digest) for digest in age.segment_digests(body)]


def view_of(parts: Iterable[PartView], part: Part) -> PartView:
    """The part of an answer that a signed part is about."""
    for view in parts:
        if view.commitment == part.commit:
            return view
    raise PayloadError("the answer holds no such part")


class FileOpener:
    """Writes what a sealed body holds to a file, which appears only when all of it has verified."""

    def __init__(self, part: Part, file_key: age.FileKey, target: Path) -> None:
        self._part = part
        self._opener = age.Opener(file_key)
        self._hasher = age.SegmentHasher()
        self._target = target
        self._partial = target.with_name(f".{target.name}.partial")

    def __enter__(self) -> Self:
        self._file = self._partial.open("wb")
        return self

    def write(self, sealed: bytes) -> None:
        """Take the next piece of the sealed body."""
        self._hasher.update(sealed)
        self._file.write(self._opener.update(sealed))

    def finish(self) -> None:
        """Verify the end of the body and let the file appear; CryptoError where it does not verify."""
        self._file.write(self._opener.finish())
        digests = [b64u_encode(digest) for digest in self._hasher.finish()]
        if digests != self._part.segments:
            raise PayloadError("not the body that was signed")
        self._file.close()
        self._partial.replace(self._target)

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)
