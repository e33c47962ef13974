"""Sends hostile files through a whole relay to a worker process, and looks at what becomes of each."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import io
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from relay.domain.transitions import State
from tests.support.hostile_media.case import PREPARED, Hostile
from tests.support.videos import VideoCase

AT_ONCE: Final = 4
GRACE_SECONDS: Final = 60
"""More than the limit of a job, for the rest of its work on a busy machine."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a file ended."""

    code: str
    """Of its refusal, or PREPARED."""
    seconds: float
    """Since the one before it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run was like."""

    of: int
    """How many files are sent in all."""
    ended: Mapping[str, Ended]
    most_bytes: int
    wrong: Sequence[str]

    def __str__(self) -> str:
        """For whoever ran it."""
        codes = collections.Counter(one.code or "prepared" for one in self.ended.values())
        said = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        slow = sorted(self.ended.items(), key=lambda one: -one[1].seconds)[:5]
        slowest = ", ".join(f"{name} {one.seconds:.0f} s" for name, one in slow)
        return (
            f"{len(self.ended)} of {self.of} hostile files: {said}\nslowest: {slowest}\n"
            f"most in memory: {self.most_bytes / 2**20:.0f} MiB\nwrong: {list(self.wrong)}"
        )


async def send(videos: VideoCase, contents: Sequence[bytes]) -> list[uuid.UUID]:
    """Send these files as a participant does; their messages."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(content: bytes) -> uuid.UUID:
        async with free:
            sent = await videos.case.harmed.send_video(
                videos.case.responsible.participant_id, io.BytesIO(content), "video/mp4"
            )
        return sent.message

    return await asyncio.gather(*(one(content) for content in contents))


async def until_ended(
    videos: VideoCase, messages: Sequence[uuid.UUID], job_seconds: float
) -> dict[uuid.UUID, Ended]:
    """Wait for all of them; TimeoutError where nothing ends for as long as a job may take."""
    query = "select message_id, state::text, failure from messages where message_id = any($1)"
    ended: dict[uuid.UUID, Ended] = {}
    last = time.monotonic()
    while len(ended) < len(messages):
        async with videos.unguarded.connection() as connection:
            rows = await connection.fetch(query, list(messages))
        for row in rows:
            message = row["message_id"]
            if message in ended or row["state"] not in {State.QUEUED, State.FAILED}:
                continue
            code = PREPARED if row["state"] == State.QUEUED else row["failure"]
            ended[message] = Ended(code=code, seconds=time.monotonic() - last)
            last = time.monotonic()
        if time.monotonic() - last > job_seconds + GRACE_SECONDS:
            raise TimeoutError(f"{len(messages) - len(ended)} files did not end")
        await asyncio.sleep(0.05)
    return ended


async def require_clean(videos: VideoCase, message: uuid.UUID, foreign: bytes, most: int) -> None:
    """Assert that a rendition is an MP4 within its bound, and holds nothing of another file."""
    leased = await videos.case.mediator.lease(message)
    path = videos.folder / "rendition.mp4"
    await videos.case.mediator.save(leased, "rendition", path)
    rendition = path.read_bytes()
    assert rendition[4:8] == b"ftyp"
    assert len(rendition) <= most
    assert foreign not in rendition
    path.unlink()


def unexpected(files: Sequence[Hostile], ended: Sequence[Ended]) -> list[str]:
    """The files that ended in another way than they must."""
    return [
        f"{file.name}: {one.code or 'prepared'}, not {' or '.join(sorted(file.ends)) or 'prepared'}"
        for file, one in zip(files, ended, strict=True)
        if one.code not in file.ends or math.isnan(one.seconds)
    ]


def said_of(folder: Path) -> list[str]:
    """What is in a folder, by name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
