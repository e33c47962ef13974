"""What takes somebody away from their work in a browser: a lock, a reload, a dead battery."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final

from playwright.async_api import Error, Page

from tests.support.browser.device import Device
from tests.support.browser.scene import Scene
from tests.support.browser.work import SAFE_SECONDS, WORKS, Work


async def lock(device: Device, work: Work, page: Page) -> None:
    """Lock the page."""
    await work.lock()


async def reload(device: Device, work: Work, page: Page) -> None:
    """Load it again."""
    await page.reload()


async def close(device: Device, work: Work, page: Page) -> None:
    """Close the tab."""
    await page.close()


async def back(device: Device, work: Work, page: Page) -> None:
    """Go back."""
    await page.go_back()


async def lose_the_line(device: Device, work: Work, page: Page) -> None:
    """Lose the connection, and close the tab without it."""
    device.wire.cut()
    await asyncio.sleep(0.2)
    await page.close()
    device.wire.mend()


async def kill(device: Device, work: Work, page: Page) -> None:
    """Have the browser killed."""
    await device.kill()


INTERRUPTIONS: Final = (lock, reload, close, back, lose_the_line, kill)


async def interrupted(scene: Scene, device: Device, chance: random.Random) -> str:
    """One piece of work, interrupted at some moment; what was lost of it, or nothing."""
    work = chance.choice(WORKS)(scene, device)
    interrupt = chance.choice(INTERRUPTIONS)
    page = await work.begin()
    typed = work.make(chance)
    await typed.type(page, chance.randint(1, 8))
    if chance.random() < 0.7:
        await asyncio.sleep(SAFE_SECONDS * chance.random() * 1.3)
    await typed.type(page, chance.randint(0, 4))
    ending = asyncio.ensure_future(work.finish())
    await asyncio.sleep(chance.choice((0.0, 0.0, 0.1, 0.4, 1.0)))
    safe = typed.safe()
    with contextlib.suppress(Error):
        await interrupt(device, work, page)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    with contextlib.suppress(Error):
        await page.close()
    if not safe:
        return ""
    found = await work.find()
    for left in device.context.pages:
        await left.close()
    if any(text.startswith(safe.rstrip()) for text in found):
        return ""
    return f"{type(work).__name__}, {interrupt.__name__}: {safe!r} is not in {found!r}"
