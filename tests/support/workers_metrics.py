"""What a worker tells Prometheus, without the worker: with its rights, on its services."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from relay.handlers.metrics import monitored
from relay.queue import Queue
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import Objects
from tests.support.scrapes import Scrape, scrape


@contextlib.asynccontextmanager
async def worker(settings: Settings, every_seconds: float = 15) -> AsyncIterator[None]:
    """What a worker serves, with the rights that it has."""
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, connections=2)
        stack.push_async_callback(database.close)
        objects = await Objects.connect(settings)
        stack.push_async_callback(objects.close)
        queue = await Queue.connect(settings.redis_url)
        stack.push_async_callback(queue.close)
        await stack.enter_async_context(
            monitored(
                settings,
                database=database,
                objects=objects,
                queue=queue,
                reads_figures=True,
                every_seconds=every_seconds,
            )
        )
        yield


async def seen(settings: Settings) -> Scrape:
    """A scrape of a worker that has had time to look."""
    async with worker(settings):
        return await until(settings, database=1, objects=1, redis=1)


async def until(settings: Settings, **up: float) -> Scrape:
    """The first scrape that says this of the services."""
    async with asyncio.timeout(10):
        while True:
            found = await scrape(settings.metrics_listen)
            if {name: found.value(f"relay_{name}_up") for name in up} == up:
                return found
            await asyncio.sleep(0.05)
