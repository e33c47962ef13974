"""Resumable uploads: what one is, what its sender may be told, and how the tails of breaks are kept."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

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
    """This upload was left for too long and has ended. Start it again from the beginning."""

    code = "upload-expired"
    french = "Ce téléversement a été laissé trop longtemps et a pris fin. Reprenez-le du début."


class PreconditionFailed(RelayError):
    """This version of the upload protocol is not spoken here. Use tus 1.0.0."""

    code = "tus-version"
    french = (
        "Cette version du protocole de téléversement n'est pas prise en charge. Utilisez tus 1.0.0."
    )


class UnsupportedMedia(RelayError):
    """Uploads are sent as application/offset+octet-stream. Set that content type and send it again."""

    code = "unsupported-media"
    french = (
        "Les téléversements sont envoyés comme application/offset+octet-stream. "
        "Indiquez ce type de contenu et renvoyez."
    )


class RangeNotSatisfiable(RelayError):
    """The part ends before the range that was asked for. Ask for a range inside it."""

    code = "range-not-satisfiable"
    french = "La partie se termine avant la plage demandée. Demandez une plage qui s'y trouve."


class ChecksumMismatch(RelayError):
    """What arrived is not what was sent, so none of it was kept. Send it again."""

    code = "checksum-mismatch"
    french = "Ce qui est arrivé n'est pas ce qui a été envoyé; rien n'a été gardé. Renvoyez-le."


class OffsetMismatch(Conflict):
    """The upload is at another offset. Fetch the current offset and resume from there."""

    code = "offset-mismatch"
    french = (
        "Le téléversement n'en est pas là où vous le reprenez. "
        "Demandez où il en est et continuez de là."
    )


class TakenOver(Conflict):
    """Another connection continues this upload. If that was not you, ask where it stands and go on."""

    code = "upload-taken-over"
    french = (
        "Une autre connexion continue ce téléversement. Si ce n'était pas vous, "
        "demandez où il en est et continuez."
    )


class UploadNotExpected(Conflict):
    """No video is expected for this message now. Load the message again and look where it stands."""

    code = "upload-not-expected"
    french = (
        "Aucune vidéo n'est attendue pour ce message à présent. "
        "Rechargez le message et voyez où il en est."
    )


class UploadTooLarge(TooLarge):
    """The video is larger than relay accepts. Shorten it, or record it at a lower quality."""

    code = "upload-too-large"
    french = "La vidéo dépasse la taille que relay accepte. Raccourcissez-la ou baissez sa qualité."


class UploadTooLong(TooLarge):
    """More was sent than the upload was said to hold. Start it again with its right length."""

    code = "upload-too-long"
    french = "L'envoi dépasse la longueur annoncée. Reprenez-le avec la bonne longueur."


class CheckedTooLarge(TooLarge):
    """With a checksum at most 8 MiB are taken at once. Send less at once, or without a checksum."""

    code = "checked-too-large"
    french = (
        "Avec une somme de contrôle, au plus 8 Mio sont acceptés à la fois. "
        "Envoyez-en moins à la fois, ou sans somme de contrôle."
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A sealed body on its way: bytes 0 to `offset_bytes` are kept for good."""

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
    """Part of a segment that is not yet whole, kept as an object of its own."""

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
    """SHA-256 of all of them; nothing is kept before it is verified."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an upload stands after a connection ended."""

    upload_id: uuid.UUID
    offset_bytes: int
    expires_at: datetime
    is_body_read: bool
    """Whether all of the request was read; otherwise its connection is of no more use."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UploadTarget:
    """The message that an upload is for, as it stands."""

    kind: str
    state: State
    revision: int


def object_prefix(upload_id: uuid.UUID) -> str:
    """Where the segments of an upload lie in the bucket."""
    return f"uploads/{upload_id}"


def require_target(target: UploadTarget, revision: int) -> None:
    """Raise UploadNotExpected unless the message waits for the video of this revision."""
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
