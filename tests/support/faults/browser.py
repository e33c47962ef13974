"""Somebody who sends a video at their pages, in Chromium, while everything fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Locator, async_playwright

from tests.support.browser import visitors
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.visitors import Visitor

UPLOAD_BYTES_PER_SECOND: Final = 1024 * 1024
"""Of a phone: a film of some megabytes is on its way while much is disturbed."""
PRESSED_AGAIN_SECONDS: Final = 2.0
"""After which somebody presses once more what is still offered."""
LINE_ENDED: Final = ("Failed to load resource", "net::ERR_")
"""What Chromium says of a request that was broken off or refused."""


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium."""
    async with async_playwright() as playwright:
        browser = await visitors.launch(playwright)
        try:
            yield browser
        finally:
            await browser.close()


class Sender:
    """A participant at home on their pages, with one film to send."""

    def __init__(self, person: ParticipantPage, guest: Visitor) -> None:
        self._person = person
        self._guest = guest
        self.pressed = 0
        """How often they had to press anything again."""

    @classmethod
    async def at_home(cls, guest: Visitor, url: str) -> Sender:
        """Open the link and unlock it."""
        guest.expects(*LINE_ENDED)
        person = await ParticipantPage.arrive(guest, url)
        await person.unlock()
        return cls(person, guest)

    async def send(self, film: Path) -> None:
        """Choose the film, send it and wait until it has arrived; press what the page offers meanwhile."""
        person = self._person
        network = await self._guest.context.new_cdp_session(person.page)
        await network.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": 0,
                "downloadThroughput": -1,
                "uploadThroughput": UPLOAD_BYTES_PER_SECOND,
            },
        )
        await person.choose_video(film)
        await person.input.press(person.button(person.sending("video.send")))
        arrived = person.heading(person.sending("done.heading"))
        offered = person.button(person.sending("progress.goOn"))
        while not await arrived.is_visible():
            await self._press_again(offered)
            await asyncio.sleep(PRESSED_AGAIN_SECONDS)

    async def _press_again(self, offered: Locator) -> None:
        if await offered.is_visible():
            self.pressed += 1
            await offered.click()


@contextlib.asynccontextmanager
async def sender(
    browser: Browser, origin: str, url: str, findings: list[str]
) -> AsyncIterator[Sender]:
    """Whoever has this link, at home on their pages; what is wrong when they leave goes to `findings`."""
    async with visitors.visitor(browser, origin, check=False) as guest:
        yield await Sender.at_home(guest, url)
        findings += [f"in the browser: {one}" for one in await guest.wrong()]
