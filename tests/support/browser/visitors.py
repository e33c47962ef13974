"""Somebody with a browser of their own, watched: whatever is wrong or leaks fails the test."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal, Protocol, TypedDict, Unpack

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    ViewportSize,
    WebError,
    expect,
)
from yarl import URL

from tests.support.browser.leaks import as_text, found_in, needles_of, needles_of_link, stored
from tests.support.browser.wire import Wire, wire_to

PATIENCE_MS: Final = 45_000
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}
TEXT_TWICE: Final = "document.documentElement.style.setProperty('font-size', '200%');"
CHROMIUM: Final = "/usr/bin/chromium"
HEADLESS: Final = "/usr/bin/chromium-headless-shell"
"""The same engine without windows, tabs and bars, which cost as much to draw as a page."""
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=user-gesture-required",
    # What the browser would say to its maker on its own; what a page says is watched on the wire.
    "--disable-features=AutofillServerCommunication,OptimizationHints,MediaRouter,Translate",
)
_WATCH_POLICY: Final = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""

Language = Literal["en", "fr"]

expect.set_options(timeout=PATIENCE_MS)


async def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, silent towards everybody but whom a page speaks to."""
    return await playwright.chromium.launch(executable_path=HEADLESS, args=list(ARGUMENTS))


class Manner(TypedDict, total=False):
    """How somebody visits, where that is not as most do."""

    also: Sequence[str]
    """Origins that their browser may speak to, beside relay's."""
    language: Language
    check: bool
    """Whether what was wrong fails the test."""
    viewport: ViewportSize
    narrow: bool
    """On a narrow dark screen, with text twice as large and little motion."""
    bypass_csp: bool
    service_workers: Literal["allow", "block"]


class Guest(abc.ABC):
    """A person at a browser, on a wire of their own."""

    own_hosts: ClassVar[tuple[str, ...]] = ()
    """Ends of the addresses that the browser itself asks, whatever page it shows."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.problems: list[str] = []
        self._expected: list[str] = []
        self._led_to: list[str] = []
        self._said: list[str] = []
        self._secret: list[bytes] = []
        self._links: list[bytes] = []
        self.address_may_stay = False
        """Whether a link may stay in the address bar: nothing could be kept, and a reload finds back."""

    def expects(self, *texts: str) -> None:
        """Let the console say this: browsers complain of every refusal and broken line."""
        self._expected += texts

    def keeps_secret(self, *texts: str) -> None:
        """Watch that none of these texts leaves the browser or is stored in the clear."""
        self._secret += needles_of(texts)

    def keeps_link_secret(self, url: str) -> None:
        """Watch that the secret of this link is nowhere."""
        self._links += needles_of_link(url)
        self._secret += needles_of_link(url)

    @property
    @abc.abstractmethod
    def pages(self) -> list[Page]:
        """What is open."""

    @abc.abstractmethod
    async def at_every_page(self, script: str) -> None:
        """Run this on every page that is opened from now on."""

    @abc.abstractmethod
    async def open(self, url: str) -> Page:
        """Open an address."""

    async def wrong(self) -> list[str]:
        """All that was wrong on any page, went elsewhere, or leaked."""
        for page in self.pages:
            if page.url.startswith(self.wire.origin):
                self.problems += await self._left_in(page)
        self.problems += found_in(map(as_text, self._said), self._secret)
        elsewhere = [
            one
            for one in self.wire.foreign
            if one not in self._led_to and not one.endswith(self.own_hosts)
        ]
        self.problems += [f"to elsewhere: {one}" for one in elsewhere]
        self.problems += await asyncio.to_thread(self.wire.find, self._secret)
        return self.problems

    async def _left_in(self, page: Page) -> list[str]:
        """What this page stores that it must not; a test may end before its link left the address bar."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while True:
            kept = await stored(page)
            addresses = [one for one in kept if one.place == "history"]
            wrong = found_in([one for one in kept if one.place != "history"], self._secret)
            if self.address_may_stay:
                return wrong
            if not found_in(addresses, self._links) or time.monotonic() > deadline:
                return wrong + found_in(addresses, self._secret)
            await asyncio.sleep(0.2)


class Visitor(Guest):
    """Somebody with a browser context of their own."""

    def __init__(self, context: BrowserContext, wire: Wire) -> None:
        super().__init__(wire)
        self.context = context
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("page", self._page)
        context.on("serviceworker", lambda worker: worker.on("console", self._console))

    async def may_be_led_to(self, url: str) -> None:
        """Let a page lead to this address, where a page of the test's is: no other is asked."""
        await self.context.route(
            url, lambda route: route.fulfill(content_type="text/html", body="<h1>Elsewhere</h1>")
        )
        # Browsers open the line already while they ask for the page.
        self._led_to.append(f"CONNECT {URL(url).host}:443")

    @property
    def pages(self) -> list[Page]:
        """Every tab."""
        return self.context.pages

    async def at_every_page(self, script: str) -> None:
        """Run this on every page that is opened from now on."""
        await self.context.add_init_script(script)

    async def page(self) -> Page:
        """A new tab."""
        return await self.context.new_page()

    async def open(self, url: str) -> Page:
        """A new tab with this address."""
        page = await self.page()
        await page.goto(url)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        self._said.append(message.text)
        expected = any(text in message.text for text in self._expected)
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(f"console {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _page(self, page: Page) -> None:
        page.on("crash", lambda _page: self.problems.append("a page crashed"))


class Visit(Protocol):
    """Makes visitors."""

    def __call__(self, **manner: Unpack[Manner]) -> Awaitable[Visitor]:
        """One, in a browser context of their own."""


@contextlib.asynccontextmanager
async def visitor(
    browser: Browser,
    origin: str,
    **manner: Unpack[Manner],
) -> AsyncIterator[Visitor]:
    """A visitor of the relay at `origin`; everything about them is checked when they leave."""
    narrow = manner.get("narrow", False)
    async with wire_to(origin, manner.get("also", ())) as wire:
        context = await browser.new_context(
            proxy={"server": wire.url, "bypass": "<-loopback>"},
            locale="fr-CA" if manner.get("language") == "fr" else "en-CA",
            permissions=["camera", "microphone"],
            viewport=manner.get("viewport", NARROW if narrow else DESKTOP),
            color_scheme="dark" if narrow else None,
            reduced_motion="reduce" if narrow else None,
            bypass_csp=manner.get("bypass_csp"),
            service_workers=manner.get("service_workers"),
        )
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(_WATCH_POLICY)
        guest = Visitor(context, wire)
        if narrow:
            await guest.at_every_page(
                f"addEventListener('DOMContentLoaded', () => {{ {TEXT_TWICE} }});"
            )
        try:
            yield guest
            if manner.get("check", True) and (problems := await guest.wrong()):
                pytest.fail("\n".join(["wrong in a browser:", *problems]), pytrace=False)
        finally:
            await context.close()


async def picture(page: Page, path: Path) -> None:
    """A picture of the whole page, from its top: what stays in sight is where it is without scrolling."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = await page.evaluate("scrollY")
    await page.evaluate("scrollTo(0, 0)")
    await page.screenshot(path=path, full_page=True, animations="disabled")
    await page.evaluate("(top) => scrollTo(0, top)", before)
