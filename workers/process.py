"""A worker process: refuses to start where it could not work safely, then works until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from relay.crypto.keyfiles import load_keyring_file
from relay.domain.jobs import WorkerRefused
from relay.handlers.metrics import monitored
from relay.media.jail_check import require_jail
from relay.media.tools import MediaTools
from relay.private_memory import children_may_be_dumped
from relay.queue import Listener, Queue
from relay.readiness import tell_ready
from relay.services.processing import MediaWorker, require_a_worker
from relay.settings import Settings
from relay.storage.database import IDLE_SECONDS, Database
from relay.storage.objects import Objects
from workers.sweep import Sweep
from workers.transcoding import Transcoder, Transcoders

LAST_RESORT_SECONDS: Final = 60
"""How much later than a job's own limit the queue gives it up."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def equipped(settings: Settings) -> AsyncIterator[tuple[Transcoders, Sweep]]:
    """What a worker works with, connected; a RelayError says why it must not start."""
    workers = load_workers(settings)
    if children_may_be_dumped():
        _log.warning(
            "a crash in the jail would be handed to the program in kernel.core_pattern: "
            "let the hard limit on core dumps be 1, or change that setting"
        )
    tools = MediaTools.from_settings(settings)
    await require_jail(tools)
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.connect(
            settings.database_url,
            connections=settings.database_pool_connections,
            idle_seconds=IDLE_SECONDS,
        )
        stack.push_async_callback(database.close)
        await database.warn_of_power()
        await require_a_worker(database, workers)
        objects = await Objects.connect(settings)
        stack.push_async_callback(objects.close)
        queue = await Queue.connect(settings.redis_url)
        stack.push_async_callback(queue.close)
        await stack.enter_async_context(
            monitored(settings, database=database, objects=objects, queue=queue, reads_figures=True)
        )
        yield (
            Transcoders(
                [
                    Transcoder(
                        settings=settings,
                        database=database,
                        objects=objects,
                        worker=worker,
                        tools=tools,
                    )
                    for worker in workers
                ],
                queue,
            ),
            Sweep(
                settings=settings, database=database, objects=objects, queue=queue, workers=workers
            ),
        )


def load_workers(settings: Settings) -> tuple[MediaWorker, ...]:
    """The keys in the files that the settings name; WorkerRefused where there are none."""
    paths = [path.strip() for path in settings.media_key_file.split(",") if path.strip()]
    if not paths:
        raise WorkerRefused("RELAY_MEDIA_KEY_FILE is not set")
    loaded = [load_keyring_file(Path(path)) for path in paths]
    return tuple(
        MediaWorker(credential_id=credential_id, keyring=keyring)
        for credential_id, keyring in loaded
    )


async def run_worker(settings: Settings) -> None:
    """Prepare videos and sweep until SIGTERM or SIGINT; what is under way then is given back."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with equipped(settings) as (transcoder, sweep):
        listener = Listener(
            settings.redis_url,
            transcoder.run,
            at_once=settings.worker_jobs,
            timeout_seconds=settings.job_seconds + LAST_RESORT_SECONDS,
            forget_seconds=settings.job_lease_seconds,
        )
        _log.info("%s is ready", transcoder)
        tasks = {asyncio.create_task(sweep.run()), asyncio.create_task(listener.run())}
        stopping = asyncio.create_task(stop.wait())
        tell_ready()
        await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, stopping):
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    _log.info("worker stopped")
