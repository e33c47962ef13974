"""How somebody works a page: with a mouse, or with the keyboard alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from playwright.async_api import FileChooser, FilePayload, Locator, Page

from tests.support.browser.remote import expect

MOST_TABS: Final = 120
WINDOW_SECONDS: Final = 20

_WAY_TO: Final = """
(element) => {
  const on = document.activeElement;
  if (on === element) return null;
  return on.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING ? 'Shift+Tab' : 'Tab';
}
"""
_LOST: Final = """
async () => {
  const on = document.activeElement;
  // The browser's own controls of a film draw their own.
  if (on === null || on === document.body || on.controls === true) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(on);
  const isIn = (y) => {
    const { left, width } = on.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, y);
    return hit !== null && (on.contains(hit) || hit.contains(on));
  };
  const isInSight = () => {
    const { top, height } = on.getBoundingClientRect();
    const places = Array.from({ length: 20 }, (_, at) => top + (height * (at + 0.5)) / 20);
    const seen = places.filter(isIn).length / places.length;
    // Half of it, or a third of the window: until the passphrase it is for the browser how much it shows.
    return seen * height >= Math.min(height / 2, innerHeight / 3);
  };
  const what = on.outerHTML.slice(0, 200);
  const inFront = () => {
    const { left, width, top, height } = on.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return hit === null ? 'nothing' : hit.outerHTML.slice(0, 100);
  };
  if (outlineStyle === 'none' || outlineWidth === '0px') return `not to be seen with the focus: ${what}`;
  for (const until = performance.now() + 2000; !isInSight(); ) {
    if (performance.now() > until) {
      const { top, bottom } = on.getBoundingClientRect();
      return `out of sight with the focus, from ${top} to ${bottom} of ${innerHeight}, ` +
        `behind ${inFront()}: ${what}`;
    }
    await new Promise((painted) => requestAnimationFrame(painted));
  }
  return null;
}
"""
_WAY_ALONG: Final = """
(slider, value) => {
  const left = value - Number(slider.value);
  if (Math.abs(left) < Number(slider.step || 1)) return null;
  return left > 0 ? 'ArrowRight' : 'ArrowLeft';
}
"""


class Input(Protocol):
    """What somebody can do on a page."""

    async def press(self, button: Locator) -> None:
        """Press a button or follow a link."""

    async def write(self, field: Locator, text: str) -> None:
        """Write a text into a field, in place of what is there."""

    async def choose(self, field: Locator, value: str) -> None:
        """Choose one of a list."""

    async def move(self, slider: Locator, value: float) -> None:
        """Move a slider to about this value."""

    async def pick(self, button: Locator, file: Path | FilePayload) -> None:
        """Press a field for a file, and pick one from the device."""


class Mouse:
    """Points, clicks, and types where it clicked."""

    def __init__(self, page: Page) -> None:
        """Take up a page; elements are all that a mouse needs."""

    async def press(self, button: Locator) -> None:
        """Click it."""
        await button.click()

    async def write(self, field: Locator, text: str) -> None:
        """Fill it in."""
        await field.fill(text)

    async def choose(self, field: Locator, value: str) -> None:
        """Choose from the list."""
        await field.select_option(value)

    async def move(self, slider: Locator, value: float) -> None:
        """Drag it."""
        await slider.fill(str(value))

    async def pick(self, button: Locator, file: Path | FilePayload) -> None:
        """Give the file to the field."""
        await button.set_input_files(file)


class Keyboard:
    """Tab, arrows, Enter, Space and letters alone; where the focus is has to be visible at every step."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
        # Asked for now: a window that opens before the browser knows that somebody waits is nobody's.
        page.on("filechooser", self._choosers.put_nowait)

    async def press(self, button: Locator) -> None:
        """Go there and press Enter."""
        await self._reach(button)
        await self._page.keyboard.press("Enter")

    async def write(self, field: Locator, text: str) -> None:
        """Go there and type."""
        await self._reach(field)
        await self._page.keyboard.press("Control+A")
        await self._page.keyboard.press("Delete")
        await self._page.keyboard.type(text)
        await expect(field).to_have_value(text)

    async def choose(self, field: Locator, value: str) -> None:
        """Go there, and down the list."""
        await self._reach(field)
        for _ in range(MOST_TABS):
            if await field.input_value() == value:
                return
            await self._page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} is not to be chosen with the arrows")

    async def move(self, slider: Locator, value: float) -> None:
        """Go there, and along it with the arrows."""
        await self._reach(slider)
        for _ in range(MOST_TABS):
            way: str | None = await slider.evaluate(_WAY_ALONG, value)
            if way is None:
                return
            await self._page.keyboard.press(way)
        raise AssertionError(f"{value} is not reached with the arrows")

    async def pick(self, button: Locator, file: Path | FilePayload) -> None:
        """Go there and press Space; the window of files is the browser's own."""
        await self._reach(button)
        await self._page.keyboard.press("Space")
        async with asyncio.timeout(WINDOW_SECONDS):
            chooser = await self._choosers.get()
        await chooser.set_files(file)

    async def _reach(self, wanted: Locator) -> None:
        await expect(wanted).to_be_visible()
        await expect(wanted).to_be_enabled()
        await self._before()
        for _ in range(MOST_TABS):
            way: str | None = await wanted.evaluate(_WAY_TO)
            if way is None:
                return
            await self._page.keyboard.press(way)
            lost = await self._page.evaluate(_LOST)
            assert lost is None, lost
        raise AssertionError(f"{wanted} is not reached with Tab")

    async def _before(self) -> None:
        """Look around before the first key."""


Hand: TypeAlias = "type[Mouse | Keyboard]"
