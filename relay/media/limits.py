"""What one recording may cost, taken from the settings."""

from __future__ import annotations

import dataclasses
from typing import Self

from relay.settings import MIB, Settings

RENDITION_BYTES_PER_SECOND = 2 * MIB
"""Twice what 720p at this quality takes for noise, so only a broken encoder meets the bound."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """Bounds for one transcode; sizes in bytes, times in seconds."""

    video_max_seconds: int
    video_max_pixels: int
    """Width times height of one picture."""
    video_max_streams: int
    jail_memory_bytes: int
    """Address space of the one process in the jail."""
    jail_processes: int
    """Threads of the one process in the jail; it cannot start others."""
    transcode_seconds: int
    """Wall clock for all steps together."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The bounds that the operator has set."""
        return cls(
            **{field.name: getattr(settings, field.name) for field in dataclasses.fields(cls)}
        )

    @property
    def rendition_max_bytes(self) -> int:
        """The largest MP4 that may come out."""
        return (self.video_max_seconds + 60) * RENDITION_BYTES_PER_SECOND
