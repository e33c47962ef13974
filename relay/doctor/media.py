"""What a media worker needs besides: its keys, ffmpeg and the jail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from relay.doctor.checks import Check, fail, ok
from relay.domain.jobs import WorkerRefused
from relay.errors import ConfigurationError, RelayError
from relay.media.errors import JailUnavailable
from relay.media.jail_check import check_jail
from relay.media.tools import MediaTools
from relay.services.processing import require_a_worker
from relay.settings import Settings
from relay.storage.database import Database
from workers.process import load_workers

ANSWER_SECONDS: Final = 10


async def check_worker(settings: Settings) -> AsyncIterator[Check]:
    """Everything that a worker has and the web service does not."""
    yield await _keys(settings)
    try:
        tools = MediaTools.from_settings(settings)
    except JailUnavailable as error:
        yield fail("ffmpeg", f"A program is missing: {error.detail}.")
        return
    yield await _ffmpeg(tools)
    try:
        broken = [check.name for check in await check_jail(tools) if not check.holds]
    except JailUnavailable as error:
        yield fail(
            "jail",
            f"There is no jail ({error.detail}): see `relay check-jail`. A worker does not start.",
        )
        return
    yield (
        fail(
            "jail",
            f"It does not hold: {', '.join(broken)}. See `relay check-jail`; a worker does not start.",
        )
        if broken
        else ok("jail", "It holds against every attack.")
    )


async def _keys(settings: Settings) -> Check:
    name = "media-key"
    try:
        workers = load_workers(settings)
    except ConfigurationError as error:
        return fail(name, f"{error.sentence('en')} ({error.detail})")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            database = await Database.connect(settings.database_url, connections=1)
            try:
                await require_a_worker(database, workers)
            finally:
                await database.close()
    except WorkerRefused as error:
        return fail(name, f"{error.sentence('en')} ({error.detail})")
    except (OSError, TimeoutError, RelayError) as error:
        return fail(name, f"Its credential could not be looked up ({type(error).__name__}).")
    return ok(name, "A media credential in good standing is of these keys.")


async def _ffmpeg(tools: MediaTools) -> Check:
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg,
        "-version",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    words = said.decode("utf-8", "replace").split()
    if process.returncode or words[:2] != ["ffmpeg", "version"]:
        return fail(
            "ffmpeg", "It does not run: leave RELAY_FFMPEG empty, and the bundled one is taken."
        )
    return ok("ffmpeg", f"Version {words[2]} runs.")
