"""The values that statements are made of, each in one spelling only, and the description of a sealed part."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal, TypeAlias

import msgspec

from relay.crypto.errors import PayloadError
from relay.crypto.segments import segment_count
from relay.crypto.stream import opened_size

# `\Z` and not `$`, which in Python also stands before a line feed at the end, and in the pages does not.
_32_BYTES = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z"
_LARGEST_WHOLE = 2**53 - 1
"""The largest whole number that JavaScript reads back exactly."""

Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern=_32_BYTES, max_length=43)]
"""32 bytes as base64url: a SHA-256, an HMAC, a commitment or a challenge."""

Nonce: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]\Z", max_length=22)
]
"""16 random bytes as base64url."""

PublicKey: TypeAlias = Annotated[str, msgspec.Meta(pattern=_32_BYTES, max_length=43)]
"""An Ed25519 public key as base64url."""

RecipientText: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^age1pq1[02-9ac-hj-np-z]{1952}\Z", max_length=1959)
]
"""A post-quantum age recipient; the only kind that statements name."""

ReasonCode: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]*\Z", max_length=64)]
"""A stable word for a reason, such as `identifies-a-third-person`; its sentence is in the catalogues."""

MediaType: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]*\Z", max_length=127)
]
"""Type and subtype in lower case, without parameters."""

Audience: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+\Z", max_length=2048)]
"""The public URL of a relay."""

Ordinal: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""Counts revisions and versions from 1."""

Pixels: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST_WHOLE)]
Time: TypeAlias = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""UTC and whole seconds: `2030-01-31T23:59:59Z`. What a struct is given is brought to that form."""

Language: TypeAlias = Literal["en", "fr"]
PartRole: TypeAlias = Literal["body", "original", "rendition", "poster", "captions", "note"]
Identifier: TypeAlias = uuid.UUID


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value with a single JSON text: all members, in the order of the class, and no others."""

    def __post_init__(self) -> None:
        """Bring every time to UTC and whole seconds; ValueError for one without an offset."""
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if isinstance(value, dt.datetime):
                msgspec.structs.force_setattr(self, field, _whole_seconds(value))


class Part(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sealed body, described by the person who sealed it."""

    role: PartRole
    type: MediaType
    """Media type of the plaintext."""
    size: Whole
    """Bytes of the sealed body."""
    segments: list[Digest]
    """SHA-256 of each 8 MiB of the sealed body."""
    commit: Digest
    """What `filekeys.commit` makes of the file key."""

    def __post_init__(self) -> None:
        """ValueError where the size is that of no body, or the segments do not add up to it."""
        super().__post_init__()
        try:
            opened_size(self.size)
        except PayloadError as error:
            raise ValueError(error.detail) from None
        if len(self.segments) != segment_count(self.size):
            raise ValueError("one digest per segment")


def _whole_seconds(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("a time without an offset from UTC")
    try:
        return at.astimezone(dt.UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("a time out of range") from None
