"""`relay serve`: the web service."""

from __future__ import annotations

import logging
import os

import uvloop
from aiohttp import web

from relay import logs
from relay.app import create_app
from relay.errors import ConfigurationError
from relay.settings import OF_WORKER, Settings, not_read

SHUTDOWN_SECONDS = 20

_log = logging.getLogger(__name__)


def serve() -> None:
    """Run the web service until it is told to stop.

    What is under way is finished; an upload keeps what has arrived. It does not start with the media
    worker's key.
    """
    settings = Settings.from_environment(os.environ)
    if settings.media_key_file:
        raise ConfigurationError("RELAY_MEDIA_KEY_FILE is for the worker alone")
    logs.configure(settings.log_format)
    if names := not_read(os.environ, OF_WORKER):
        _log.info("settings that relay worker alone reads: %s", ", ".join(names))
    web.run_app(
        create_app(settings),
        host=settings.listen_host,
        port=settings.listen_port,
        loop=uvloop.new_event_loop(),
        access_log=None,
        print=lambda *_: None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
