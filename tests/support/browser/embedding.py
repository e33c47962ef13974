"""The console inside the page of a case system."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from playwright.async_api import FrameLocator, Page

from relay.crypto.encoding import b64u_encode
from relay.testing.people import PASSPHRASE
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import PATIENCE_MS, Visitor
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


_SHOW: Final = """
(settings) => {
  window.told = [];
  const hear = (kind) => (what) => told.push([kind, what ?? null]);
  window.opened = relayConsole.open(document.querySelector('#place'), {
    ...settings,
    onReady: hear('ready'),
    onFailed: hear('failed'),
    onNavigated: hear('navigated'),
    onAttention: hear('attention'),
    onLocked: hear('locked'),
  });
}
"""


async def show(page: Page, settings: Mapping[str, object]) -> FrameLocator:
    """Put the console into the page, which keeps all that it is told."""
    await page.evaluate(_SHOW, dict(settings))
    return page.frame_locator("iframe")


async def told(page: Page) -> list[tuple[str, dict[str, object]]]:
    """What the console has told the page around, in this order."""
    found: list[list[Any]] = await page.evaluate("told")
    return [(kind, what or {}) for kind, what in found]


async def hears(page: Page, kind: str, **what: object) -> None:
    """Wait until the console tells the page around exactly this."""
    wanted = [kind, what or None]
    same = (
        "([kind, what]) => told.some((one) => JSON.stringify(one) === JSON.stringify([kind, what]))"
    )
    await page.wait_for_function(same, arg=wanted, timeout=PATIENCE_MS)


async def rename(page: Page, names: Mapping[str, Mapping[str, str]]) -> None:
    """Have the page around replace all names."""
    await page.evaluate("(names) => opened.setNames(names)", {**names})


async def work_in(guest: Visitor, page: Page, scene: Scene, **settings: object) -> FrameLocator:
    """Open the console and one's keys in a page around it, which may hand over more."""
    guest.keeps_secret(PASSPHRASE)
    guest.expects(OTHER_ORIGIN)
    frame = await show(page, {**settings_of(scene), **settings})
    await unlock(frame)
    return frame


async def unlock(frame: FrameLocator) -> None:
    """Type the passphrase."""
    await frame.get_by_label(WORDS("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await frame.get_by_role("button", name=WORDS("unlock.open"), exact=True).click()
