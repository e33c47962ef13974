"""`make screenshots`: a picture of every page and state, in English and French, on a phone and on a desk.

And the two of the README, which are put together from these: copy them to docs/pictures after a change.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import imageio_ffmpeg
from playwright.async_api import Page, async_playwright

from tests.support.browser import visitors
from tests.support.browser.scene import scene
from tests.support.browser.tour import Look, Tour
from tests.support.browser.visitors import Language
from tests.support.node import ROOT

FOLDER: Final = ROOT / "screenshots"
SIZES: Final = {"phone": (390, 844), "desktop": (1280, 800)}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
OF_README: Final = {
    "participant": ("fr/phone/arrive", "en/phone/write", "en/phone/home", "en/phone/steps-text"),
    "console": ("en/desktop/console-letter",),
}
README_HEIGHT: Final = 700
README_SHRUNK: Final = {"participant": 0.62, "console": 0.6}


async def main() -> None:
    """Walk past everything in both languages; each stop is taken in both sizes."""
    with tempfile.TemporaryDirectory(prefix="relay-pictures-") as folder:
        Path(folder).chmod(0o711)
        async with scene(Path(folder)) as ready, async_playwright() as playwright:
            browser = await visitors.launch(playwright)
            for language in LANGUAGES:
                await Tour(ready, browser, language, _taking(language)).whole()
            await browser.close()
    for name, parts in OF_README.items():
        _put_together(name, parts)


def _put_together(name: str, parts: tuple[str, ...]) -> None:
    """The upper ends of some pictures beside each other, smaller, in few colours."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error"]
    for part in parts:
        command += ["-i", str(FOLDER / f"{part}.png")]
    by = README_SHRUNK[name]
    cut = f"crop=iw:min(ih\\,{README_HEIGHT}):0:0,scale=iw*{by}:-1:flags=lanczos"
    beside = "".join(f"[{at}]{cut},pad=iw+8:ih:4:0:0xdfe6e8[{at}p];" for at in range(len(parts)))
    inputs = "".join(f"[{at}p]" for at in range(len(parts)))
    stacked = f"{inputs}hstack={len(parts)}" if len(parts) > 1 else f"{inputs}copy"
    colours = "split[a][b];[b]palettegen=max_colors=64[few];[a][few]paletteuse=dither=none"
    command += ["-filter_complex", f"{beside}{stacked},{colours}", str(FOLDER / f"{name}.png")]
    subprocess.run(command, check=True)


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
