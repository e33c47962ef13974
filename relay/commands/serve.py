"""`relay serve`: the web service."""

from __future__ import annotations

import os

import uvloop
from aiohttp import web

from relay import logs
from relay.app import create_app
from relay.settings import Settings

SHUTDOWN_SECONDS = 20


def serve() -> None:
    """Run the web service until it is told to stop.

    What is under way is finished; an upload keeps what has arrived.
    """
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_format)
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
