"""What has the focus stays in sight when the page above it grows, in browsers that keep no place too."""

from __future__ import annotations

import contextlib
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import engines, visitors
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.remote import expect
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Guest

_GROW: Final = """
async () => {
  document.documentElement.style.overflowAnchor = 'none';
  const above = document.createElement('div');
  above.style.height = '3000px';
  document.body.prepend(above);
  for (let frame = 0; frame < 3; frame++) await new Promise((painted) => requestAnimationFrame(painted));
}
"""
_SCROLL_AWAY: Final = """
async () => {
  document.body.style.paddingBottom = '6000px';
  scrollTo(0, document.documentElement.scrollHeight);
  for (let frame = 0; frame < 3; frame++) await new Promise((painted) => requestAnimationFrame(painted));
}
"""
_IN_SIGHT: Final = """
() => {
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  // Nothing scrolls by less than a pixel.
  return document.activeElement !== document.body && top > -1 && bottom < innerHeight + 1;
}
"""


@pytest.mark.parametrize("engine", ["chromium", "webkit"])
# Selenium complains of how Selenium calls itself.
@pytest.mark.filterwarnings("ignore:setting remote_server_addr")
async def test_the_focus_stays_in_sight_when_the_page_above_it_grows(
    scene: Scene, chromium: Browser, engine: str
) -> None:
    """Unless they scrolled away from it, to read on."""
    async with contextlib.AsyncExitStack() as stack:
        guest: Guest = await stack.enter_async_context(
            visitors.visitor(chromium, scene.url)
            if engine == "chromium"
            else engines.visitor("webkit", scene.url, "en")
        )
        page = await _with_focus(guest, scene)
        assert await page.evaluate(_IN_SIGHT)
        await page.evaluate(_GROW)
        assert await page.evaluate(_IN_SIGHT)

        await page.evaluate(_SCROLL_AWAY)
        assert not await page.evaluate(_IN_SIGHT)
        await page.evaluate(_GROW)
        assert not await page.evaluate(_IN_SIGHT)


async def _with_focus(guest: Guest, scene: Scene) -> Page:
    console = MediatorPage(await guest.open(scene.console_url), "en")
    await expect(console.field("unlock.importLabel")).to_be_visible()
    for _ in range(3):
        await console.page.keyboard.press("Tab")
    return console.page
