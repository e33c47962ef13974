"""What every part of the running program shares."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final

from aiohttp import web

from example_host.database import Pool
from example_host.relay import Relay
from example_host.settings import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Settings, the database, relay, and what wakes the work behind the pages."""

    settings: Settings
    pool: Pool
    relay: Relay
    woken: asyncio.Event


CONTEXT: Final = web.AppKey("context", Context)
