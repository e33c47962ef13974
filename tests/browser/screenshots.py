"""`make screenshots`: a picture of every page and state, in English and French, on a phone and on a desk."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import Page, async_playwright

from tests.browser import visitors
from tests.browser.node import ROOT
from tests.browser.scene import scene
from tests.browser.tour import Look, Tour
from tests.browser.visitors import Language

FOLDER: Final = ROOT / "screenshots"
SIZES: Final = {"phone": (390, 844), "desktop": (1280, 800)}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")


async def main() -> None:
    """Walk past everything in both languages; each stop is taken in both sizes."""
    with tempfile.TemporaryDirectory(prefix="relay-pictures-") as folder:
        Path(folder).chmod(0o711)
        async with scene(Path(folder)) as ready, async_playwright() as playwright:
            browser = await visitors.launch(playwright)
            for language in LANGUAGES:
                await Tour(ready, browser, language, _taking(language)).whole()
            await browser.close()


def _taking(language: Language) -> Look:
    async def take(name: str, page: Page) -> None:
        before = page.viewport_size
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await visitors.picture(page, FOLDER / language / size / f"{name}.png")
        if before is not None:
            await page.set_viewport_size(before)

    return take


if __name__ == "__main__":
    asyncio.run(main())
