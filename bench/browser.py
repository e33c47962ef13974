"""How fast a browser seals, beside age-encryption in the same one; how soon pages come and stay awake."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from bench.rows import Row
from bench.service import service
from bench.transcode_recipe import make_recording
from relay.media.tools import MediaTools
from relay.testing.people import PASSPHRASE, open_case, register_case

MIB: Final = 1024 * 1024
RATIO_BYTES: Final = 64 * MIB
LONG_BYTES: Final = 200 * MIB
FILM_SECONDS: Final = 5
ROUNDS: Final = 5
RATIO_BAR: Final = 2.0
LONGEST_TASK_SECONDS: Final = 0.05
SENT_WITHIN_SECONDS: Final = 600
USABLE_SECONDS: Final = 2.0
OLD_PHONE: Final = 4
SLOW_LINE: Final[dict[str, Any]] = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
CHROMIUM: Final = "/usr/bin/chromium"
WEB: Final = Path(__file__).parents[1] / "web"

RELAY: Final = "relay"
AGE: Final = "age-encryption"

_WATCH = """
() => {
  globalThis.longest = 0;
  new PerformanceObserver((seen) => {
    for (const task of seen.getEntries()) globalThis.longest = Math.max(globalThis.longest, task.duration);
  }).observe({ type: 'longtask' });
}
"""

_WHEN_USABLE = """
new MutationObserver((_, observer) => {
  if (document.querySelector('h1') === null) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => (globalThis.usableAt = performance.now())));
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


async def rows(
    ratio_bytes: int = RATIO_BYTES, long_bytes: int = LONG_BYTES, rounds: int = ROUNDS
) -> AsyncIterator[Row]:
    """Sealing in a worker against age-encryption in a worker, and the longest task of the page beside it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        for row in await _sealing(browser, ratio_bytes, long_bytes, rounds):
            yield row
        yield await _sending(browser, long_bytes)
        yield await _arriving(browser, rounds)
        await browser.close()


async def _sealing(browser: Browser, ratio_bytes: int, long_bytes: int, rounds: int) -> list[Row]:
    async with _page(browser) as page:
        for maker in (RELAY, AGE):
            await _seal(page, maker, ratio_bytes)  # once to warm up
        taken: dict[str, list[float]] = {RELAY: [], AGE: []}
        for _ in range(rounds):
            for maker, seconds in taken.items():
                seconds.append(await _seal(page, maker, ratio_bytes))
        ratios = [theirs / ours for ours, theirs in zip(taken[RELAY], taken[AGE], strict=True)]
        speed = ratio_bytes / MIB / statistics.median(taken[RELAY])
        await page.evaluate(_WATCH)
        await _seal(page, RELAY, long_bytes)
        longest: float = await page.evaluate("globalThis.longest / 1000")
    return [
        Row(
            name="seal in Chromium",
            value=speed,
            unit="MiB/s",
            peer="age-encryption in Chromium",
            ratio=statistics.median(ratios),
            bar=RATIO_BAR,
            better="higher",
        ),
        _longest_task(f"longest task while a page has {long_bytes // MIB} MiB sealed", longest),
    ]


async def _sending(browser: Browser, size: int) -> Row:
    """The participants' own page, from the button until it says that the video has arrived."""
    tools = MediaTools.find(ffmpeg="", bubblewrap="bwrap")
    async with service(worker=True) as (_, people):
        case = await open_case(people)
        page = await browser.new_page()
        with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
            film = Path(folder) / "film.mp4"
            await asyncio.to_thread(make_recording, tools.ffmpeg, film, FILM_SECONDS)
            await asyncio.to_thread(_bring_up, film, size)
            await page.goto(case.harmed_url)
            await page.get_by_label("Your passphrase", exact=True).fill(PASSPHRASE)
            await page.get_by_role("button", name="Open", exact=True).click()
            await page.get_by_role("button", name="Record or choose a video").click()
            await page.get_by_role("button", name="Choose a file").click()
            await page.get_by_label("A video on this device").set_input_files(film)
            sending = page.get_by_role("button", name="Send it to the mediator")
            await sending.wait_for()
            await page.evaluate(_WATCH)
            await sending.click()
            arrived = page.get_by_role("heading", name="It has arrived")
            await arrived.wait_for(timeout=SENT_WITHIN_SECONDS * 1000)
        longest: float = await page.evaluate("globalThis.longest / 1000")
    return _longest_task(f"longest task while a participant sends {size // MIB} MiB", longest)


async def _arriving(browser: Browser, rounds: int) -> Row:
    """The first page of a participant who has not been here before: until one can read and type."""
    taken = []
    async with service() as (_, people):
        mediator, colleague = await people.mediator(), await people.mediator()
        case_id, harmed_id, _ = await register_case(people, mediator, colleague)
        await mediator.open_case(case_id, colleagues=[colleague.credential_id])
        url = await mediator.make_link(case_id, harmed_id)
        for _ in range(rounds):
            page = await browser.new_page()
            session = await page.context.new_cdp_session(page)
            await session.send("Network.enable")
            await session.send("Network.emulateNetworkConditions", SLOW_LINE)
            await session.send("Emulation.setCPUThrottlingRate", {"rate": OLD_PHONE})
            await page.add_init_script(_WHEN_USABLE)
            await page.goto(url)
            await page.get_by_label("Your new passphrase", exact=True).wait_for()
            taken.append(await page.evaluate("globalThis.usableAt / 1000"))
            await page.close()
    seconds = statistics.median(taken)
    return Row(
        name=f"first page on a slow line, CPU / {OLD_PHONE}",
        value=seconds,
        unit="s",
        peer=f"{USABLE_SECONDS:g} s",
        ratio=seconds / USABLE_SECONDS,
        bar=1.0,
        better="lower",
    )


def _longest_task(name: str, seconds: float) -> Row:
    return Row(
        name=name,
        value=seconds * 1000,
        unit="ms",
        peer=f"{LONGEST_TASK_SECONDS * 1000:g} ms",
        ratio=seconds / LONGEST_TASK_SECONDS,
        bar=1.0,
        better="lower",
    )


def _bring_up(film: Path, size: int) -> None:
    """Add a box at the end of an MP4, which players pass over, so that it weighs `size` bytes."""
    with film.open("ab") as file:
        file.write(struct.pack(">I4s", size - file.tell(), b"free"))
        file.truncate(size)


async def _seal(page: Page, maker: str, size: int) -> float:
    seconds: float = await page.evaluate("([maker, size]) => seal(maker, size)", [maker, size])
    return seconds


@contextlib.asynccontextmanager
async def _page(browser: Browser) -> AsyncIterator[Page]:
    """The page of the benchmark in Chromium, built as the real ones are."""
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
        build = ["node", str(WEB / "bench" / "build.mjs"), folder]
        await asyncio.to_thread(subprocess.run, build, check=True, cwd=WEB)
        application = web.Application()
        application.router.add_static("/", folder)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/index.html")
        yield page
        await page.close()
        await runner.cleanup()
