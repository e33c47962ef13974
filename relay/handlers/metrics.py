"""Serves what Prometheus scrapes, on an address of its own: never on the one that people reach."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.aiohttp import make_aiohttp_handler

from relay.errors import ConfigurationError
from relay.metrics import REGISTRY
from relay.queue import Queue
from relay.services.monitoring import LOOK_SECONDS, Monitor
from relay.settings import Settings, metrics_address
from relay.storage.database import Database
from relay.storage.objects import Objects


@contextlib.asynccontextmanager
async def monitored(
    settings: Settings,
    *,
    database: Database,
    objects: Objects | None = None,
    queue: Queue | None = None,
    reads_figures: bool = False,
    every_seconds: float = LOOK_SECONDS,
) -> AsyncIterator[None]:
    """Serve /metrics while the block runs, where RELAY_METRICS_LISTEN says so.

    `objects`, `queue`: what the process uses besides its database. `reads_figures`: also what waits in the
    database; a worker does. The services are looked at `every_seconds`. ConfigurationError where nobody can
    listen there.
    """
    address = metrics_address(settings.metrics_listen)
    if address is None:
        yield
        return
    monitor = Monitor(
        database=database,
        database_url=settings.database_url,
        objects=objects,
        queue=queue,
        reads_figures=reads_figures,
        every_seconds=every_seconds,
    )
    async with _served(_registry(monitor), *address):
        monitor.start()
        try:
            yield
        finally:
            await monitor.close()


def _registry(monitor: Monitor) -> CollectorRegistry:
    """What relay counts, what the monitor saw, and how the process and Python are."""
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(REGISTRY)
    registry.register(monitor)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@contextlib.asynccontextmanager
async def _served(registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/metrics", make_aiohttp_handler(registry))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"RELAY_METRICS_LISTEN: nobody can listen on {host} port {port}: {error.strerror}"
            ) from None
        yield
    finally:
        await runner.cleanup()
