"""Somebody who needs a page to be dark, narrow, still, in large print and to work with the keyboard alone."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Page

from tests.support.browser import axe
from tests.support.browser.inputs import Keyboard
from tests.support.browser.visitors import NARROW

_TOO_WIDE: Final = """
() => {
  const width = document.documentElement.scrollWidth;
  if (width <= innerWidth) return [];
  const beyond = [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth);
  const inner = beyond.filter((one) => !beyond.some((other) => other !== one && one.contains(other)));
  const named = inner.map((one) => `${one.localName}.${one.className} ${one.textContent.trim()}`);
  return [`${width} px wide in ${innerWidth}: ${named.join(' | ')}`];
}
"""
MOVING: Final = "document.getAnimations().filter((one) => one.playState === 'running').length"
_MANNER: Final = """
[
  innerWidth,
  matchMedia('(prefers-color-scheme: dark)').matches,
  matchMedia('(prefers-reduced-motion: reduce)').matches,
  getComputedStyle(document.documentElement).fontSize,
]
"""
_STATE: Final = """
[...document.querySelectorAll('h1, h2, h3, label, button')]
  .filter((one) => one.checkVisibility()).map((one) => one.textContent.trim()).join(' | ')
"""


async def too_wide(page: Page) -> list[str]:
    """Whether it has to be scrolled sideways, and for what."""
    found: list[str] = await page.evaluate(_TOO_WIDE)
    return found


class InspectingKeyboard(Keyboard):
    """Checks every state of a page that it comes to against what somebody who needs all of this needs."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._seen: set[str] = set()

    async def _before(self) -> None:
        state: str = await self._page.evaluate(_STATE)
        if state in self._seen:
            return
        self._seen.add(state)
        assert await self._page.evaluate(_MANNER) == [NARROW["width"], True, True, "32px"]
        assert await too_wide(self._page) == [], state
        assert await self._page.evaluate(MOVING) == 0, f"moves: {state}"
        assert await axe.violations_here(self._page) == [], state
