"""`relay deliver`: sends events to the case system, and to whoever else the operator names."""

from __future__ import annotations

import asyncio
import os

from relay import logs
from relay.settings import Settings
from relay.tracing.process import traced
from workers.delivering import run_deliverer


def deliver() -> None:
    """Send events as webhooks until it is told to stop; RELAY_WEBHOOKS_FILE says to whom.

    It needs the database alone, and the way out to its receivers.
    """
    settings = Settings.from_environment(os.environ, database_alone=True)
    logs.configure(settings.log_format)
    with traced(os.environ, "relay-deliverer"):
        asyncio.run(run_deliverer(settings))
