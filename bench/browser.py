"""How fast a browser seals, beside age-encryption in the same one, and whether its page stays awake."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web
from playwright.async_api import Page, async_playwright

from bench.rows import Row

MIB: Final = 1024 * 1024
RATIO_BYTES: Final = 64 * MIB
LONG_BYTES: Final = 200 * MIB
ROUNDS: Final = 5
RATIO_BAR: Final = 2.0
LONGEST_TASK_SECONDS: Final = 0.05
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


def rows(
    ratio_bytes: int = RATIO_BYTES, long_bytes: int = LONG_BYTES, rounds: int = ROUNDS
) -> list[Row]:
    """Sealing in a worker against age-encryption in a worker, and the longest task of the page beside it."""
    return asyncio.run(_measure(ratio_bytes, long_bytes, rounds))


async def _measure(ratio_bytes: int, long_bytes: int, rounds: int) -> list[Row]:
    async with _page() as page:
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
        Row(
            name=f"longest task of the page while {long_bytes // MIB} MiB are sealed",
            value=longest * 1000,
            unit="ms",
            peer=f"{LONGEST_TASK_SECONDS * 1000:g} ms",
            ratio=longest / LONGEST_TASK_SECONDS,
            bar=1.0,
            better="lower",
        ),
    ]


async def _seal(page: Page, maker: str, size: int) -> float:
    seconds: float = await page.evaluate("([maker, size]) => seal(maker, size)", [maker, size])
    return seconds


@contextlib.asynccontextmanager
async def _page() -> AsyncIterator[Page]:
    """The page of the benchmark in Chromium, built as the real ones are."""
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
        build = ["node", str(WEB / "bench" / "build.mjs"), folder]
        await asyncio.to_thread(subprocess.run, build, check=True, cwd=WEB)
        application = web.Application()
        application.router.add_static("/", folder)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/index.html")
            yield page
            await browser.close()
        await runner.cleanup()
