"""Pages and elements of a browser that Playwright does not drive, named and used as Playwright's are.

Only what the steps of a participant and a mediator use: so they are written once for every browser.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, cast

from playwright.async_api import Locator, Page
from playwright.async_api import expect as expect_of_playwright

PATIENCE_MS: Final = 30_000
_AGAIN_SECONDS: Final = 0.05
_FINDER: Final = (Path(__file__).with_name("finder.js")).read_text("utf-8").partition("\n")[2]

Name: TypeAlias = "str | re.Pattern[str]"


class Driver(Protocol):
    """What a browser is told to do, over whatever line."""

    async def go(self, url: str) -> None:
        """Open an address."""

    async def script(self, script: str) -> Any:
        """What an expression gives, awaited."""

    async def key(self, held: str | None, key: str) -> None:
        """Press a key, while another is held."""

    async def type(self, text: str) -> None:
        """Press a key for every letter."""

    async def pick(self, path: Path) -> None:
        """Pick a file in the window that the focused field opened."""

    async def said(self) -> list[str]:
        """What the page complained of."""


class Expectation(Protocol):
    """What elements of either kind are waited for to be."""

    async def to_be_visible(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as Playwright's
        """Be there and shown."""

    async def to_be_enabled(self) -> None:
        """Be free to use."""

    async def to_be_focused(self) -> None:
        """Have the focus."""

    async def to_have_count(self, count: int) -> None:
        """Be so many."""

    async def to_have_value(self, value: str) -> None:
        """Have this text in it."""


class RemotePage:
    """A page; as much of Playwright's as the steps use."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.url = "about:blank"
        self.keyboard = _Keyboard(self)
        self.at_every_page: list[str] = []
        self.file_windows: list[Callable[[RemoteFileWindow], None]] = []

    async def goto(self, url: str) -> None:
        """Open an address."""
        await self.driver.go(url)
        self.url = url
        for script in self.at_every_page:
            await self.driver.script(f"(() => {{\n{script}\n}})()")

    async def evaluate(self, expression: str, given: object = None) -> Any:
        """What an expression gives, or a function."""
        called = f"typeof made === 'function' ? made({json.dumps(given)}) : made"
        return await self.driver.script(f"((made) => {called})(\n{expression}\n)")

    def on(self, event: str, handle: Callable[[RemoteFileWindow], None]) -> None:
        """Tell of every window in which a file is to be picked."""
        assert event == "filechooser"
        self.file_windows.append(handle)

    def get_by_role(
        self,
        role: str,
        *,
        name: Name | None = None,
        exact: bool = False,
        level: int | None = None,
    ) -> RemoteElements:
        """What has this role, and this name."""
        return RemoteElements(self, ()).get_by_role(role, name=name, exact=exact, level=level)

    def get_by_label(self, text: str, *, exact: bool = False) -> RemoteElements:
        """The fields with this label."""
        return RemoteElements(self, ()).get_by_label(text, exact=exact)

    def get_by_text(self, text: Name, *, exact: bool = False) -> RemoteElements:
        """The smallest elements that say this."""
        return RemoteElements(self, ()).get_by_text(text, exact=exact)

    def locator(self, selector: str) -> RemoteElements:
        """What a selector of CSS finds."""
        return RemoteElements(self, ()).locator(selector)


class RemoteElements:
    """The elements that a person would find by what they are called; looked for again each time."""

    def __init__(self, page: RemotePage, steps: tuple[dict[str, object], ...]) -> None:
        self._page = page
        self._steps = steps

    def __str__(self) -> str:
        return " > ".join(map(str, self._steps))

    def _then(self, by: str, **how: object) -> RemoteElements:
        return RemoteElements(self._page, (*self._steps, {"by": by, **how}))

    def get_by_role(
        self,
        role: str,
        *,
        name: Name | None = None,
        exact: bool = False,
        level: int | None = None,
    ) -> RemoteElements:
        """What has this role, and this name."""
        named = None if name is None else _named(name, exact=exact)
        return self._then("role", role=role, level=level, name=named)

    def get_by_label(self, text: str, *, exact: bool = False) -> RemoteElements:
        """The fields with this label."""
        return self._then("label", name=_named(text, exact=exact))

    def get_by_text(self, text: Name, *, exact: bool = False) -> RemoteElements:
        """The smallest elements that say this."""
        return self._then("text", name=_named(text, exact=exact))

    def locator(self, selector: str) -> RemoteElements:
        """What a selector of CSS finds."""
        return self._then("css", selector=selector)

    def filter(self, *, has_text: Name) -> RemoteElements:
        """Those that say this somewhere."""
        return self._then("has", name=_named(has_text, exact=False))

    @property
    def first(self) -> RemoteElements:
        """The first of them."""
        return self._then("first")

    async def among(self, script: str, given: object = None) -> Any:
        """What a function of all of them gives."""
        found = f"({_FINDER})({json.dumps(self._steps)})"
        return await self._page.evaluate(f"(given) => ({script})({found}, given)", given)

    async def around(self) -> str:
        """What the page says, for anyone who reads why a test failed."""
        return str(await self._page.evaluate("document.body.innerText"))

    async def count(self) -> int:
        """How many there are."""
        return int(await self.among("(found) => found.length"))

    async def input_value(self) -> str:
        """What is in the field."""
        return str(await self.among("([field]) => field.value"))

    async def evaluate(self, expression: str, given: object = None) -> Any:
        """What a function of the one element gives, once it is there."""
        await self.expectation.until("one to be there", "({ length }) => length === 1")
        return await self.among(f"([element], given) => ({expression})(element, given)", given)

    @property
    def expectation(self) -> RemoteExpectation:
        """What they are waited for to be."""
        return RemoteExpectation(self)


class RemoteExpectation:
    """Waits until elements are so."""

    def __init__(self, elements: RemoteElements) -> None:
        self._elements = elements

    async def until(
        self, what: str, script: str, given: object = None, patience_ms: float | None = None
    ) -> None:
        """Ask again until a function of the elements is true."""
        try:
            async with asyncio.timeout((patience_ms or PATIENCE_MS) / 1000):
                while True:
                    if await self._elements.among(script, given):
                        return
                    await asyncio.sleep(_AGAIN_SECONDS)
        except TimeoutError:
            around = await self._elements.around()
            raise AssertionError(f"waited for {what}: {self._elements}\n{around}") from None

    async def to_be_visible(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as Playwright's
        """Be there and shown."""
        shown = "(all) => all.length === 1 && all[0].getClientRects().length > 0"
        await self.until("visible", shown, patience_ms=timeout)

    async def to_be_enabled(self) -> None:
        """Be free to use."""
        await self.until("enabled", "([one]) => one?.matches(':enabled')")

    async def to_be_focused(self) -> None:
        """Have the focus."""
        await self.until(
            "focused", "([one]) => one !== undefined && one === document.activeElement"
        )

    async def to_have_count(self, count: int) -> None:
        """Be so many."""
        await self.until(f"{count}", "(all, count) => all.length === count", count)

    async def to_have_value(self, value: str) -> None:
        """Have this text in it."""
        await self.until(repr(value), "([one], value) => one?.value === value", value)


class RemoteFileWindow:
    """The window in which a browser lets somebody pick a file."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def set_files(self, path: Path) -> None:
        """Pick this file."""
        await self._driver.pick(path)


class _Keyboard:
    def __init__(self, page: RemotePage) -> None:
        self._page = page

    async def press(self, keys: str) -> None:
        held, _, key = keys.rpartition("+")
        picks = await self._page.evaluate("document.activeElement?.type === 'file'")
        await self._page.driver.key(held or None, key)
        if picks and key == "Space":
            for handle in self._page.file_windows:
                handle(RemoteFileWindow(self._page.driver))

    async def type(self, text: str) -> None:
        await self._page.driver.type(text)


def _named(name: Name, *, exact: bool) -> dict[str, Any]:
    if isinstance(name, str):
        return {"wanted": name, "exact": exact}
    return {"pattern": name.pattern}


def as_page(page: RemotePage) -> Page:
    """The same, for steps that were written for Playwright's."""
    return cast("Page", page)


def expect(locator: Locator) -> Expectation:
    """Wait for elements of either kind."""
    found: object = locator
    if isinstance(found, RemoteElements):
        return found.expectation
    return expect_of_playwright(locator)
