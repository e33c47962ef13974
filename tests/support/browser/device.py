"""A browser that can be killed, and finds what it kept when it is opened again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import BrowserContext, Error, Playwright

from tests.support.browser import profiles
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import PATIENCE_MS, Visitor
from tests.support.browser.wire import Wire, wire_to


class Device:
    """A browser whose profile stays on disk when the browser is killed."""

    def __init__(self, playwright: Playwright, profile: Path, wire: Wire) -> None:
        self._playwright = playwright
        self._profile = profile
        self.folder = profile.parent
        self.wire = wire
        self._running = contextlib.AsyncExitStack()
        self.context: BrowserContext
        self.guest: Visitor

    async def start(self) -> None:
        """Open the browser."""
        self.context = await self._running.enter_async_context(
            profiles.chromium_with(self._playwright, self._profile, self.wire.url, whole=False)
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.guest = Visitor(self.context, self.wire)

    async def end(self) -> None:
        """Close the browser."""
        with contextlib.suppress(Error):
            await self._running.aclose()

    async def kill(self) -> None:
        """Kill every process of this browser, and of no other, and open it again."""
        for pid in await asyncio.to_thread(_processes_with, str(self._profile)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.end()
        self._running = contextlib.AsyncExitStack()
        for name in ("SingletonLock", "SingletonCookie", "SingletonSocket"):
            (self._profile / name).unlink(missing_ok=True)
        await self.start()


def _processes_with(argument: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if argument.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


@contextlib.asynccontextmanager
async def device(playwright: Playwright, profile: Path, scene: Scene) -> AsyncIterator[Device]:
    """A device on a wire of its own."""
    async with wire_to(scene.url, ()) as wire:
        made = Device(playwright, profile, wire)
        await made.start()
        try:
            yield made
        finally:
            await made.end()
