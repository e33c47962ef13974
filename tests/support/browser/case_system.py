"""What somebody does at the pages of the example case system, found by the words on the screen."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from example_host.texts import text
from relay.demo.example_host import STAFF_PASSWORD
from tests.support.browser import axe
from tests.support.browser.visitors import Language

TRIES: Final = 60
"""So often a page is loaded again, half a second apart, until something that comes by itself is there."""
_TOO_WIDE: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class CaseSystemPage:
    """The pages of the case system in one tab."""

    def __init__(self, page: Page, url: str, language: Language) -> None:
        self.page = page
        self.url = url
        self.language = language

    def words(self, key: str, **values: object) -> str:
        """A sentence of it, as a browser compares names: with plain spaces."""
        return text(key, self.language, **values).replace("\N{NO-BREAK SPACE}", " ")

    async def log_in(self, login: str) -> None:
        """Come in from the first page."""
        await self.page.goto(self.url)
        await self.holds()
        await self.page.get_by_label(self.words("login.login")).fill(login)
        await self.page.get_by_label(self.words("login.password")).fill(STAFF_PASSWORD)
        await self.press("login.do")
        await self.shows("cases.title")

    async def press(self, key: str, **values: object) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=self.words(key, **values), exact=True).click()

    async def follow(self, key: str, **values: object) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=self.words(key, **values), exact=True).click()

    async def shows(self, key: str, **values: object) -> None:
        """Wait until the first heading says this, and hold the page to what every page is held to."""
        heading = self.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(self.words(key, **values))
        await self.holds()

    async def holds(self) -> None:
        """It says its language, is no wider than the screen, and a machine finds nothing against WCAG."""
        await self.page.wait_for_load_state()
        assert await self.page.evaluate("document.documentElement.lang") == self.language
        assert not await self.page.evaluate(_TOO_WIDE)
        assert await axe.violations(self.page) == []

    async def until(self, words: str) -> None:
        """Load the page again until it says this."""
        for _ in range(TRIES):
            said = (await self.page.locator("main").inner_text()).replace("\N{NO-BREAK SPACE}", " ")
            if words in said:
                return
            await asyncio.sleep(0.5)
            await self.page.reload()
        pytest.fail(f"never there: {words}")

    async def add_case(
        self, reference: str, people: dict[str, tuple[str, str, Language]], mediators: list[str]
    ) -> uuid.UUID:
        """Add a case as a clerk; its people by role, each with name, e-mail address and language."""
        await self.follow("cases.new")
        await self.shows("new.title")
        page = self.page
        await page.get_by_label(self.words("new.reference")).fill(reference)
        for role, (name, address, language) in people.items():
            group = page.get_by_role("group", name=self.words(f"role.{role}"))
            await group.get_by_label(self.words("new.name")).fill(name)
            await group.get_by_label(self.words("new.email")).fill(address)
            await group.get_by_label(self.words("new.language")).select_option(language)
        for mediator in mediators:
            await page.get_by_label(mediator).check()
        await self.press("new.do")
        title = " · ".join(name for name, _address, _language in people.values())
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await self.holds()
        return uuid.UUID(PurePosixPath(urlsplit(page.url).path).name)

    async def make_link(self, name: str, way: str) -> None:
        """Make a link for somebody, by `letter` or `email`."""
        group = self.page.get_by_role("group", name=self.words("link.how", name=name))
        await group.get_by_label(self.words(f"link.by_{way}")).check()
        await self.press("link.make", name=name)
        await expect(self.page.get_by_role("status")).to_have_text(self.words(f"link.made_{way}"))
        await self.holds()
