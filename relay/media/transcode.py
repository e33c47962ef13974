"""Hostile video in, clean MP4 out: the one function that the media worker calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools

Stage = Literal["probing", "measuring", "encoding", "checking"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a transcode has come."""

    stage: Stage
    fraction: float
    """Of the whole work, 0 to 1; never goes back."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transcoded:
    """What came out of the jail, checked. The caller closes both files."""

    rendition: MemoryFile
    """Faststart MP4, sealed read-only."""
    poster: MemoryFile
    """JPEG, sealed read-only."""
    kind: Literal["video", "audio"]
    profile: Literal["h264-720p", "audio"]
    duration_ms: int
    width: int
    """Pixels; 0 for sound alone."""
    height: int
    size: int
    """Bytes of the rendition."""


async def transcode(
    source: MemoryFile,
    *,
    limits: MediaLimits,
    tools: MediaTools,
    progress: Callable[[Progress], None],
) -> Transcoded:
    """Turn `source` (sealed by this) into a rendition and a poster.

    Raises a MediaRefused that tells the sender what to do, JailUnavailable or JailBroken for the
    operator. Cancelling kills everything in the jail before it returns.
    """
    raise NotImplementedError
