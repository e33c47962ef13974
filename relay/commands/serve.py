"""`relay serve`: the web service."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import Final

import uvloop
from aiohttp import web

from relay import logs
from relay.app import RELAY, create_app
from relay.errors import ConfigurationError
from relay.readiness import tell_ready
from relay.services.garbage import settle
from relay.settings import OF_DELIVERER, OF_WORKER, Settings, not_read
from relay.tracing.process import traced

STOP_SECONDS: Final = 19
"""From the signal to the end of the process, whatever hangs; docs/operations.md promises 20."""
HANDLERS_SECONDS: Final = 3
"""Of which an answer under way has this much twice: to end by itself, and to end once it is broken off."""

_log = logging.getLogger(__name__)


def serve() -> None:
    """Run the web service until it is told to stop.

    Told by SIGTERM, it says so at /readyz, ends live feeds and uploads (which keep what has arrived), begins
    nothing new, and is gone in 20 seconds at most. It does not start with the media worker's key.
    """
    settings = Settings.from_environment(os.environ)
    if settings.media_key_file:
        raise ConfigurationError("RELAY_MEDIA_KEY_FILE is for the worker alone")
    logs.configure(settings.log_format)
    if names := not_read(os.environ, OF_WORKER | OF_DELIVERER):
        _log.info("settings that other processes read: %s", ", ".join(names))
    with (
        traced(os.environ, "relay-web"),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; after SIGTERM, first say for a while that this process stops."""
    told: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.put_nowait, number)
    app = create_app(settings)
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, shutdown_timeout=HANDLERS_SECONDS
    )
    starting = asyncio.create_task(_start(runner, settings))
    stopping = asyncio.create_task(told.get())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():  # it waits for a service
            starting.cancel()
            await asyncio.wait({starting})
            return
        starting.result()
        settle()
        tell_ready()
        by = await stopping
        _end_in_time()
        _log.info("stopping")
        app[RELAY].stopping.begin()
        if by is signal.SIGTERM:
            await asyncio.sleep(settings.stop_notice_seconds)
    finally:
        stopping.cancel()
        await runner.cleanup()
    _log.info("stopped")


async def _start(runner: web.AppRunner, settings: Settings) -> None:
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()


def _end_in_time() -> None:
    """End this process in STOP_SECONDS, also where something of it hangs: what counts is stored already."""

    def give_up() -> None:
        _log.error("not stopped after %d seconds: ended", STOP_SECONDS)
        os._exit(1)

    timer = threading.Timer(STOP_SECONDS, give_up)
    timer.daemon = True
    timer.start()
