"""The relay that is worked with: services as the demo has them, a web service, workers, a deliverer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from bench.load.crowd import Crowd
from relay.embedded import Access
from relay.media.tools import MediaTools
from relay.testing.relays import (
    COMMANDS,
    RunningRelay,
    free_port,
    running_relay,
    start_module,
    start_process,
    stop_processes,
    until_answers,
)

FILM_BITS: Final = "8M"
"""A second of a video: some MiB for each that are fast to prepare."""


@dataclasses.dataclass(slots=True)
class Receiver:
    """The case system, which takes every event that it is sent."""

    taken: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take one."""
        await request.read()
        self.taken += 1
        return web.Response(status=204)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A relay whose processes are measured."""

    running: RunningRelay
    receiver: Receiver
    metrics: Mapping[str, str]
    """Where processes are scraped, by their names."""
    films: list[Path]

    @property
    def pids(self) -> dict[str, int]:
        """Of each process."""
        return {name: process.pid for name, process in self.running.processes.items()}


@contextlib.asynccontextmanager
async def stage(crowd: Crowd, web_module: str = "relay") -> AsyncIterator[Stage]:
    """All of it on a folder that goes away; `web_module` serves in place of `python -m relay`."""
    async with contextlib.AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-load-"))
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240 - one call, before anything is measured
        films = await asyncio.to_thread(_make_films, folder, crowd)
        receiver = Receiver()
        address = await stack.enter_async_context(_receiving(receiver))
        running = await stack.enter_async_context(
            running_relay(folder / "data", worker=False, receiver=address)
        )
        metrics = {
            name: f"127.0.0.1:{free_port()}"
            for name in ("web", *(f"worker {number + 1}" for number in range(crowd.workers)))
        }
        await _start(running, metrics, web_module)
        yield Stage(running=running, receiver=receiver, metrics=metrics, films=films)


async def _start(running: RunningRelay, metrics: Mapping[str, str], web_module: str) -> None:
    """The web service again, now with its metrics; and the workers."""
    processes = running.processes
    await stop_processes({"web": processes["web"]})
    settings = {
        **running.services.accesses[Access.WORKER],
        **{
            name: running.environment[name]
            for name in ("RELAY_ROOT_PUBLIC_KEYS", "RELAY_LOG_FORMAT")
        },
        "RELAY_MEDIA_KEY_FILE": str(running.folder / "organization" / "media.keys"),
    }
    for name, address in metrics.items():
        log = running.folder / f"{name}.log"
        own = {"RELAY_METRICS_LISTEN": address}
        if name == "web":
            processes[name] = await start_module(
                web_module, [COMMANDS["web"]], {**running.environment, **own}, log
            )
            await until_answers(f"{running.url}/readyz", processes[name], name)
        else:
            processes[name] = await start_process(COMMANDS["worker"], {**settings, **own}, log)
        await until_answers(f"http://{address}/metrics", processes[name], name)


@contextlib.asynccontextmanager
async def _receiving(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/events", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}/events"
    finally:
        await runner.cleanup()


def _make_films(folder: Path, crowd: Crowd) -> list[Path]:
    tools = MediaTools.find(ffmpeg="", bubblewrap="bwrap")
    films = []
    for seconds in crowd.film_seconds:
        film = folder / f"{seconds}.mp4"
        picture = f"testsrc2=s=640x360:r=25:d={seconds},noise=alls=60:allf=t"
        subprocess.run(
            [
                *(str(tools.ffmpeg), "-v", "error", "-y"),
                *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=d={seconds}"),
                *("-c:v", "libx264", "-preset", "ultrafast", "-b:v", FILM_BITS),
                *("-pix_fmt", "yuv420p", "-c:a", "aac", str(film)),
            ],
            check=True,
        )
        films.append(film)
    return films
