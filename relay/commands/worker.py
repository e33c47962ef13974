"""`relay worker`: prepares videos in a jail, and tidies up after what time has passed over."""

from __future__ import annotations

import asyncio
import logging
import os

import typer
from rich.console import Console

from relay import logs
from relay.errors import RelayError
from relay.media.errors import JailBroken, JailUnavailable
from relay.settings import OF_DELIVERER, OF_WEB, Settings, not_read
from relay.tracing.process import traced
from workers.process import run_worker

NO_JAIL = 2

_log = logging.getLogger(__name__)


def worker() -> None:
    """Run a media worker until it is told to stop; what it works on then goes to another.

    Exit code 1 where its key or credential does not let it work, 2 where the jail does not hold.
    """
    try:
        settings = Settings.from_environment(os.environ)
        logs.configure(settings.log_format)
        if names := not_read(os.environ, OF_WEB | OF_DELIVERER):
            _log.info("settings that other processes read: %s", ", ".join(names))
        with traced(os.environ, "relay-worker"):
            asyncio.run(run_worker(settings))
    except RelayError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]The worker does not run:[/] {error.sentence('en')}")
        console.print(error.detail or error.code, markup=False)
        is_jail = isinstance(error, JailBroken | JailUnavailable)
        raise typer.Exit(NO_JAIL if is_jail else 1) from None
