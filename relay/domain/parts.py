"""Who may read the sealed bytes of a part, and which of them were asked for."""

from __future__ import annotations

import dataclasses
import re
from enum import StrEnum
from typing import Final

from relay.domain.messages import PartRole
from relay.domain.transitions import RELEASED, State
from relay.domain.uploads import RangeNotSatisfiable

_RANGE: Final = re.compile(
    r"bytes=[ \t]*(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))[ \t]*", re.ASCII | re.IGNORECASE
)
"""As the pages read it: no more digits than JavaScript reads exactly."""
_OWN: Final = frozenset({PartRole.BODY, PartRole.ORIGINAL})
_TYPES: Final = {
    PartRole.BODY: frozenset({"text/plain"}),
    PartRole.NOTE: frozenset({"text/plain"}),
    PartRole.CAPTIONS: frozenset({"text/vtt"}),
    PartRole.RENDITION: frozenset({"video/mp4", "audio/mp4"}),
    PartRole.POSTER: frozenset({"image/jpeg"}),
}


class Reader(StrEnum):
    """What a caller is to the message that a part belongs to."""

    MEDIATOR = "mediator"
    """Of this very case."""
    SENDER = "sender"
    RECIPIENT = "recipient"
    STRANGER = "stranger"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadFacts:
    """What decides whether a caller may read a part, as it is now."""

    reader: Reader
    role: PartRole
    state: State
    is_current: bool
    """Whether the part belongs to a statement that the message rests on now."""
    has_grant: bool
    """Whether a header of this part was written for this very caller, in this capacity."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """The bytes `start` to `stop` (not included)."""

    start: int
    stop: int


def is_type_of(role: PartRole, media_type: str) -> bool:
    """Whether a part of this role may be of this type; an original, which is shown to nobody, of any."""
    return role not in _TYPES or media_type in _TYPES[role]


def may_read(facts: ReadFacts) -> bool:
    """Whether the sealed bytes are served: they open nothing by themselves, and still are not for all.

    A mediator reads every part of their cases. A sender reads what they sent in the current revision,
    and what was sealed for them, such as a note. A recipient reads what was granted to them, of the
    current revision, once it is released, and never the original of a video.
    """
    match facts.reader:
        case Reader.MEDIATOR:
            return True
        case Reader.SENDER:
            return facts.has_grant or (facts.is_current and facts.role in _OWN)
        case Reader.RECIPIENT:
            return (
                facts.has_grant
                and facts.is_current
                and facts.state in RELEASED
                and facts.role is not PartRole.ORIGINAL
            )
        case Reader.STRANGER:
            return False


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The range that a `Range` header asks for (RFC 9110), or None for the whole part.

    Anything but a single well-formed range of bytes is passed over, as the RFC wants it; a range that
    begins behind the end is RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise RangeNotSatisfiable(f"{header} of {size}")
    return ByteRange(start=start, stop=stop)
