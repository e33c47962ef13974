"""The work on one video: its stages, and why it may end without a rendition."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from relay.errors import ConfigurationError, RelayError


class JobState(StrEnum):
    """Where a job stands; a running one has a lease."""

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


class VideoFailed(RelayError):
    """This video could not be prepared.

    Your mediator can have it tried again, or you can send it once more.
    """

    code = "video-not-prepared"
    french = (
        "Cette vidéo n'a pas pu être préparée. Votre médiateur peut faire reprendre la préparation, "
        "ou vous pouvez l'envoyer de nouveau."
    )


class VideoAltered(VideoFailed):
    """What arrived is not the video that was sealed on your device.

    Send it once more; if this happens again, tell your mediator.
    """

    code = "video-altered"
    french = (
        "Ce qui est arrivé n'est pas la vidéo scellée sur votre appareil. Envoyez-la de nouveau; "
        "si cela se répète, avisez votre médiateur."
    )


class LeaseLost(RelayError):
    """This work is no longer this worker's. Whoever has it now goes on with it."""

    code = "lease-lost"
    french = "Ce travail n'appartient plus à ce processus. Celui qui l'a repris le poursuit."


class WorkerRefused(ConfigurationError):
    """This worker may not work here: its credential is unknown, ended, or of other keys.

    Have the root sign a new one.
    """

    code = "worker-refused"
    french = (
        "Ce processus ne peut pas travailler ici : son accréditation est inconnue, terminée ou liée à "
        "d'autres clés. Faites-en signer une par la racine."
    )


def rendition_prefix(work_id: uuid.UUID) -> str:
    """Where the segments of a rendition lie in the bucket; each attempt has an id of its own."""
    return f"renditions/{work_id}"


def poster_prefix(work_id: uuid.UUID) -> str:
    """Where the segments of its poster lie."""
    return f"posters/{work_id}"
