"""Every page and state in both languages: WCAG 2.2, light and dark, a narrow screen, text twice as large.

On a participant's pages the way out and the numbers to call are there as well.
"""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import axe
from tests.support.browser.inspecting import MOVING, too_wide
from tests.support.browser.scene import Scene
from tests.support.browser.tour import Tour
from tests.support.browser.visitors import NARROW, Language

_TEXT: Final = "(size) => document.documentElement.style.setProperty('font-size', size)"

_AT_HAND: Final = """
() => {
  const bar = document.querySelector('relay-participant .bar');
  if (bar === null) return [];
  scrollTo(0, document.documentElement.scrollHeight);
  const { top, bottom } = bar.querySelector('nav > .primary').getBoundingClientRect();
  const faults = top < 0 || bottom > innerHeight ? ['to leave in a hurry is out of sight'] : [];
  if (document.querySelector('main a[href="tel:988"]') === null) faults.push('nobody to call');
  scrollTo(0, 0);
  return faults;
}
"""
OF_STAFF: Final = {"assistant"}
"""A page of the participant's site that is for somebody else."""


class _Inspector:
    def __init__(self) -> None:
        self.stops: list[str] = []
        self.faults: list[str] = []

    async def look(self, name: str, page: Page) -> None:
        """Hold one page against everything, and leave it as it was."""
        self.stops.append(name)
        self.faults += [f"{name} {fault}" for fault in await axe.violations(page)]
        moving: int = await page.evaluate(MOVING)
        if moving:
            self.faults.append(f"{name}: moves although less motion was asked for")
        size = page.viewport_size
        assert size is not None
        await page.set_viewport_size(NARROW)
        await self._fits(f"{name} (320 px)", page)
        if name not in OF_STAFF:
            self.faults += [f"{name}: {fault}" for fault in await page.evaluate(_AT_HAND)]
        await page.evaluate(_TEXT, "200%")
        await self._fits(f"{name} (320 px, 200 % text)", page)
        await page.set_viewport_size(size)
        await self._fits(f"{name} (200 % text)", page)
        await page.evaluate(_TEXT, "")

    async def _fits(self, name: str, page: Page) -> None:
        self.faults += [f"{name}: {fault}" for fault in await too_wide(page)]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("part", ["doors", "participant", "mediator"])
async def test_every_page_can_be_used_by_everybody(
    scene: Scene, chromium: Browser, language: Language, part: str
) -> None:
    """No violation of WCAG 2.2 A or AA, nothing that moves, nothing that has to be scrolled sideways."""
    inspector = _Inspector()
    await getattr(Tour(scene, chromium, language, inspector.look), part)()
    assert len(inspector.stops) > 9
    assert inspector.faults == []
