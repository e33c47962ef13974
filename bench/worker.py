"""What a media worker costs beside bare ffmpeg: fetching, opening, the jail, checking, sealing, storing.

A worker process as it always runs, from the lease of the job until the message waits for review, against
the same ffmpeg arguments on a plain file without a jail. In turns; the ratio is that of the fastest rounds,
which is what a noisy neighbour disturbs least.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import asyncpg

from bench.rows import Row
from bench.service import service
from bench.transcode_recipe import bare_seconds, make_recording
from relay.media.tools import MediaTools
from relay.testing.people import Case, open_case

FILM_SECONDS: Final = 60
ROUNDS: Final = 3
BAR: Final = 1.15
LONGEST_SECONDS: Final = 600
LOOK_SECONDS: Final = 0.02


async def rows(film_seconds: int = FILM_SECONDS, rounds: int = ROUNDS) -> AsyncIterator[Row]:
    """One row: a 1080p video with sound through the whole worker."""
    tools = MediaTools.find(ffmpeg="", bubblewrap="bwrap")
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as name:
        folder = Path(name)
        film = folder / "film.mp4"
        await asyncio.to_thread(make_recording, tools.ffmpeg, film, film_seconds)
        async with service(worker=True) as (running, people):
            database = await asyncpg.connect(running.owner["RELAY_DATABASE_URL"])
            case = await open_case(people)
            whole, bare = [], []
            for _ in range(rounds):
                whole.append(await _whole_seconds(database, case, film))
                bare.append(await asyncio.to_thread(bare_seconds, tools, film, folder))
            await database.close()
    yield Row(
        name=f"worker, {film_seconds} s of 1080p",
        value=min(whole),
        unit="s",
        peer=f"bare ffmpeg, {min(bare):.1f} s",
        ratio=min(whole) / min(bare),
        bar=BAR,
        better="lower",
    )


async def _whole_seconds(
    database: asyncpg.Connection[asyncpg.Record], case: Case, film: Path
) -> float:
    with film.open("rb") as source:
        sent = await case.harmed.send_video(case.responsible.participant_id, source, "video/mp4")
    jobs = "select true from jobs where message_id = $1 and state <> 'waiting'"
    messages = "select true from messages where message_id = $1 and state <> 'processing'"
    async with asyncio.timeout(LONGEST_SECONDS):
        while not await database.fetchval(jobs, sent.message):  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(LOOK_SECONDS)
        began = time.perf_counter()
        while not await database.fetchval(messages, sent.message):  # noqa: ASYNC110 - the same
            await asyncio.sleep(LOOK_SECONDS)
    ended = time.perf_counter()
    found = await database.fetchval(
        "select state from messages where message_id = $1", sent.message
    )
    if found != "queued":
        raise RuntimeError(f"the video is {found}")
    return ended - began
