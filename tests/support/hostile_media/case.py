"""One hostile file: what it is, and how it must end."""

from __future__ import annotations

import dataclasses
from typing import Final

from relay.media import errors

PREPARED: Final = ""
"""In place of a code: the file is prepared, within its limits."""
REFUSALS: Final = frozenset(kind.code for kind in errors.MediaRefused.__subclasses__())
ANY: Final = REFUSALS | {PREPARED}
"""Of a file that was damaged at random: each ends in some way that the sender is told."""

UNKNOWN: Final = errors.NotARecording.code
PLAYLIST: Final = errors.PlaylistRefused.code
TRUNCATED: Final = errors.TruncatedRecording.code
PROTECTED: Final = errors.ProtectedRecording.code
UNREADABLE: Final = errors.UnreadableRecording.code
UNSUPPORTED: Final = errors.UnsupportedCodec.code
BOMB: Final = errors.DecompressionBomb.code
LARGE: Final = errors.TooManyPixels.code
LONG: Final = errors.TooLong.code
STREAMS: Final = errors.TooManyStreams.code
SLOW: Final = errors.TookTooLong.code
EMPTY: Final = errors.EmptyRecording.code


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A file with the ends that it may have."""

    name: str
    """Its class, a slash, and what is special about it."""
    content: bytes = dataclasses.field(repr=False)
    ends: frozenset[str]
    """Codes of refusals, or PREPARED."""

    @property
    def kind(self) -> str:
        """Its class."""
        return self.name.partition("/")[0]

    @property
    def is_slow(self) -> bool:
        """Whether it is one of those that may take a minute."""
        return SLOW in self.ends and self.ends != ANY


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What hostile files point at."""

    canary: str
    """Path of a file that nobody may open."""
    url: str
    """Of a server that nobody may connect to."""


def hostile(name: str, content: bytes, *ends: str) -> Hostile:
    """A file that must end in one of these ways."""
    return Hostile(name=name, content=content, ends=frozenset(ends))
