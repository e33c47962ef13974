"""The console inside the page of a case system."""

from __future__ import annotations

import base64
from typing import Final

from playwright.async_api import FrameLocator, Page

from relay.crypto.encoding import b64u_encode
from relay.testing.people import PASSPHRASE
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visitor
from tests.support.browser.words import Words

WORDS: Final = Words("console", "en")

OTHER_ORIGIN: Final = "does not match the recipient window's origin"
"""What Chromium says of each hello that it does not deliver, since another page is there."""


def settings_of(scene: Scene) -> dict[str, str]:
    """What the case system hands to the console."""
    return {
        "relay": scene.url,
        "fingerprint": b64u_encode(scene.people.administrator.fingerprint),
        "keyring": base64.b64encode(scene.mediator.keyring_file.read_bytes()).decode(),
        "language": "en",
    }


async def show(page: Page, settings: dict[str, str]) -> FrameLocator:
    """Put the console into the page."""
    await page.evaluate(
        "(settings) => void relayConsole.open(document.querySelector('#place'), settings)",
        settings,
    )
    return page.frame_locator("iframe")


async def work_in(guest: Visitor, page: Page, scene: Scene) -> FrameLocator:
    """Open the console and one's keys in a page around it."""
    guest.keeps_secret(PASSPHRASE)
    guest.expects(OTHER_ORIGIN)
    frame = await show(page, settings_of(scene))
    await frame.get_by_label(WORDS("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await frame.get_by_role("button", name=WORDS("unlock.open"), exact=True).click()
    return frame
