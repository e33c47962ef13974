"""Resumable uploads: what one is, what its sender may be told, and how the tails of breaks are stored."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from relay.domain.cases import CaseClosed
from relay.domain.places import UPLOADS
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.transitions import State
from relay.errors import Conflict, InvalidRequest, RelayError, TooLarge

TUS_VERSION: Final = "1.0.0"
CHECKSUM_ALGORITHM: Final = "sha-256"
CHECKED_BYTES: Final = SEGMENT_BYTES
"""Largest PATCH with a checksum: it is held in memory until the checksum is verified."""
SEALED_MIN_BYTES: Final = 16
"""The nonce of an age payload."""
OPEN_UPLOADS: Final = 3
"""Of one revision of a message; a further one takes the place of the one idle for longest."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class UploadExpired(RelayError):
    """The upload was idle for too long and has ended."""

    code = "upload-expired"


class PreconditionFailed(RelayError):
    """A version of tus other than 1.0.0."""

    code = "tus-version"


class UnsupportedMedia(RelayError):
    """A content type other than that of tus."""

    code = "unsupported-media"


class RangeNotSatisfiable(RelayError):
    """A range that begins after the end of the part."""

    code = "range-not-satisfiable"


class ChecksumMismatch(RelayError):
    """The body does not have the checksum that was sent with it."""

    code = "checksum-mismatch"


class OffsetMismatch(Conflict):
    """The request's offset is not the upload's."""

    code = "offset-mismatch"


class TakenOver(Conflict):
    """A newer connection continues the upload."""

    code = "upload-taken-over"


class UploadNotExpected(Conflict):
    """The message does not wait for a video."""

    code = "upload-not-expected"


class UploadTooLarge(TooLarge):
    """An upload larger than a video may be."""

    code = "upload-too-large"


class UploadTooLong(TooLarge):
    """More bytes than the upload announced."""

    code = "upload-too-long"


class CheckedTooLarge(TooLarge):
    """A request with a checksum and a body of more than 8 MiB."""

    code = "checked-too-large"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A sealed body on its way: bytes 0 to `offset_bytes` are stored for good."""

    upload_id: uuid.UUID
    message_id: uuid.UUID
    revision: int
    size_bytes: int
    offset_bytes: int
    writer: int
    expires_at: datetime
    submitted_at: datetime | None
    is_expected: bool
    """Whether the message is still a draft of this very revision."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Part of a segment that is not yet whole, stored as an object of its own."""

    start_bytes: int
    size_bytes: int

    @property
    def stop_bytes(self) -> int:
        """Where the next byte goes."""
        return self.start_bytes + self.size_bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinishedUpload:
    """A sealed body that arrived whole."""

    upload_id: uuid.UUID
    size_bytes: int
    digests: list[bytes]
    """SHA-256 of each segment of 8 MiB, in order."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """What a sender wants to upload."""

    message_id: uuid.UUID
    revision: int
    size_bytes: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Bytes that a sender adds to an upload."""

    upload_id: uuid.UUID
    offset: int
    size_bytes: int | None
    """How many are to come; None where the sender did not say."""
    checksum: bytes | None
    """SHA-256 of all of them; nothing is stored before it is verified."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload has come after a connection ended."""

    upload_id: uuid.UUID
    offset_bytes: int
    expires_at: datetime
    is_body_read: bool
    """Whether all of the request was read; otherwise its connection is of no more use."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UploadTarget:
    """The message that an upload is for, as it is now."""

    kind: str
    state: State
    revision: int
    is_closed: bool
    """Whether its case is."""


def object_prefix(upload_id: uuid.UUID) -> str:
    """Where the segments of an upload lie in the bucket."""
    return f"{UPLOADS}/{upload_id}"


def require_target(target: UploadTarget, revision: int) -> None:
    """Raise UploadNotExpected unless the message waits for the video of this revision."""
    if target.is_closed:
        raise CaseClosed
    if target.kind != "video":
        raise UploadNotExpected("not a video")
    if target.state is not State.DRAFT or target.revision != revision:
        raise UploadNotExpected(f"{target.state}, revision {target.revision}")


def require_size(size_bytes: int, most_bytes: int) -> None:
    """Raise unless a sealed body may have this size."""
    if size_bytes < SEALED_MIN_BYTES:
        raise InvalidRequest("too short", problem="Upload-Length is less than any sealed file has.")
    if size_bytes > most_bytes:
        raise UploadTooLarge(str(size_bytes), most_bytes=most_bytes)


def require_open(upload: Upload, now: datetime) -> None:
    """Raise UploadExpired where an upload was left until its time was over."""
    if upload.submitted_at is None and upload.expires_at <= now:
        raise UploadExpired(str(upload.expires_at))


def require_writable(upload: Upload, patch: Patch, now: datetime) -> None:
    """Raise unless this upload may be continued by `patch`."""
    if upload.submitted_at is not None or not upload.is_expected:
        raise UploadNotExpected("the message is no draft of this revision any more")
    require_open(upload, now)
    if patch.offset != upload.offset_bytes:
        raise OffsetMismatch(
            f"{patch.offset}, not {upload.offset_bytes}", offset=upload.offset_bytes
        )
    if patch.size_bytes is not None:
        require_room(upload, patch.offset, patch.size_bytes)


def require_room(upload: Upload, offset: int, size_bytes: int) -> None:
    """Raise UploadTooLong where the upload ends before `size_bytes` more."""
    if offset + size_bytes > upload.size_bytes:
        raise UploadTooLong(f"{offset} + {size_bytes} > {upload.size_bytes}")


def require_checkable(size_bytes: int) -> None:
    """Raise CheckedTooLarge where a PATCH with a checksum is longer than is held in memory."""
    if size_bytes > CHECKED_BYTES:
        raise CheckedTooLarge(str(size_bytes), most_bytes=CHECKED_BYTES)


def pieces_to_join(pieces: Sequence[Piece], size_bytes: int) -> Sequence[Piece]:
    """Which of the last pieces of a segment a new tail of `size_bytes` is joined with.

    A piece less than twice as large as all that follows it is joined. So each piece is at least twice
    the size of the next: a segment has 24 at most, and a byte is written again only when its piece
    grows by half, however many small tails arrive.
    """
    first = len(pieces)
    while first and pieces[first - 1].size_bytes < 2 * size_bytes:
        first -= 1
        size_bytes += pieces[first].size_bytes
    return pieces[first:]


def read_metadata(text: str) -> tuple[uuid.UUID, int]:
    """Message and revision from the `Upload-Metadata` of a new upload; InvalidRequest otherwise."""
    given: dict[str, str] = {}
    for pair in text.split(","):
        name, _, value = pair.strip().partition(" ")
        if name in given:
            raise InvalidRequest("metadata", problem="Upload-Metadata names something twice.")
        given[name] = value
    if set(given) == {"message", "revision"}:
        with contextlib.suppress(ValueError):
            message = base64.b64decode(given["message"], validate=True).decode("ascii")
            revision = base64.b64decode(given["revision"], validate=True).decode("ascii")
            if _NUMBER.fullmatch(revision):
                return uuid.UUID(message), int(revision)
    raise InvalidRequest(
        "metadata", problem="Upload-Metadata must hold `message` and `revision`, in Base64."
    )


def write_metadata(message_id: uuid.UUID, revision: int) -> str:
    """The `Upload-Metadata` of an upload, in one form."""
    message, number = (
        base64.b64encode(text.encode("ascii")).decode("ascii")
        for text in (str(message_id), str(revision))
    )
    return f"message {message},revision {number}"


def read_checksum(text: str) -> bytes:
    """The SHA-256 in an `Upload-Checksum`; InvalidRequest for any other algorithm."""
    algorithm, _, value = text.strip().partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if algorithm != CHECKSUM_ALGORITHM or len(digest) != 32:  # noqa: PLR2004 - of SHA-256
        raise InvalidRequest(
            "checksum", problem="Upload-Checksum must be sha-256 and the digest in Base64."
        )
    return digest
