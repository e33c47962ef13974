"""The work on one video: its stages, and why it may end without a rendition."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from relay.domain.places import POSTERS, RENDITIONS
from relay.errors import ConfigurationError, RelayError


class JobState(StrEnum):
    """The state of a job; a running one has a lease."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What a media worker is doing; shown to the sender and to mediators."""

    FETCHING = "fetching"
    PROBING = "probing"
    MEASURING = "measuring"
    ENCODING = "encoding"
    CHECKING = "checking"
    STORING = "storing"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job that a worker holds; whatever it writes is refused once the lease is another's."""

    job_id: uuid.UUID
    message_id: uuid.UUID
    revision: int
    attempts: int
    """Counting this one."""
    lease_token: uuid.UUID
    traceparent: str | None = None
    """The span of the request that made the job; None where nobody records them."""
    age_seconds: float = 0
    """How long ago that was when this attempt began."""


class VideoFailed(RelayError):
    """A video could not be prepared."""

    code = "video-not-prepared"


class VideoAltered(VideoFailed):
    """The upload is not what its sender sealed and signed."""

    code = "video-altered"


class LeaseLost(RelayError):
    """The job's lease has passed to another worker."""

    code = "lease-lost"


class WorkerRefused(ConfigurationError):
    """The worker's credential is unknown, has ended, or is for other keys."""

    code = "worker-refused"


def rendition_prefix(work_id: uuid.UUID) -> str:
    """Where the segments of a rendition lie in the bucket; each attempt has an id of its own."""
    return f"{RENDITIONS}/{work_id}"


def poster_prefix(work_id: uuid.UUID) -> str:
    """Where the segments of its poster lie."""
    return f"{POSTERS}/{work_id}"
