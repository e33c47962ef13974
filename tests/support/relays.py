"""A relay that many tests share: served in a thread of its own, for as long as the test session runs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.app import create_app
from relay.crypto.signing import Signer
from relay.settings import Settings
from tests.support.openapi import ApiMonitor

WORK_FACTOR_LOG2: Final = 1
"""Of every keyring that a test seals, unless the test is about scrypt itself."""
ANSWER_SECONDS: Final = 60
THREAD: Final = "shared relay"
"""What the thread is called that a relay is served in."""

_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SharedRelay:
    """A running relay and the keys of its organization."""

    settings: Settings
    root: Signer
    token_key: Ed25519PrivateKey
    monitor: ApiMonitor
    """Sees every request of every test."""


class LoopThread:
    """An event loop that runs in a thread of its own, whatever the tests do with theirs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=THREAD)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run it there and wait here for its result, a minute at most."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(ANSWER_SECONDS)

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)
        self._loop.close()


@contextlib.contextmanager
def served(settings: Settings) -> Iterator[ApiMonitor]:
    """Serve a relay with these settings; the monitor of its requests."""
    monitor = ApiMonitor()
    loop = LoopThread()
    try:
        runner = loop.run(_start(settings, monitor))
        try:
            yield monitor
        finally:
            loop.run(runner.cleanup())
    finally:
        loop.close()


async def _start(settings: Settings, monitor: ApiMonitor) -> web.AppRunner:
    application = create_app(settings)
    monitor.watch(application)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    return runner
