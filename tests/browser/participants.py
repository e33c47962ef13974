"""What a participant does on their pages, step by step, found by the words on the screen."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from relay.demo.cast import PASSPHRASE
from tests.browser.visitors import Language, Visitor
from tests.browser.words import Words


class ParticipantPage:
    """A participant's pages in one tab."""

    def __init__(self, page: Page, guest: Visitor, language: Language) -> None:
        self.page = page
        self.guest = guest
        self.arriving = Words("participant/arriving", language)
        self.home = Words("participant/home", language)
        self.sending = Words("participant/sending", language)
        self.opening = Words("participant/opening", language)

    @classmethod
    async def arrive(cls, guest: Visitor, url: str, language: Language = "en") -> ParticipantPage:
        """Open a link."""
        guest.keeps_link_secret(url)
        guest.keeps_secret(PASSPHRASE)
        return cls(await guest.open(url), guest, language)

    @classmethod
    async def begin(cls, guest: Visitor, url: str, language: Language = "en") -> ParticipantPage:
        """Open a link for the first time and take it into one's own hands."""
        person = await cls.arrive(guest, url, language)
        await person.claim()
        return person

    def button(self, name: str) -> Locator:
        """The button that says this."""
        return self.page.get_by_role("button", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        """The heading of the screen."""
        return self.page.get_by_role("heading", name=name, level=1)

    async def claim(self, passphrase: str = PASSPHRASE) -> None:
        """Choose a passphrase."""
        await self.page.get_by_label(self.arriving("choose.field"), exact=True).fill(passphrase)
        await self.button(self.arriving("choose.begin")).click()
        await self.at_home()

    async def unlock(self, passphrase: str = PASSPHRASE) -> None:
        """Come back."""
        await self.type_passphrase(passphrase)
        await self.at_home()

    async def type_passphrase(self, passphrase: str) -> None:
        """Type the passphrase of a link that was claimed."""
        await self.page.get_by_label(self.arriving("back.field"), exact=True).fill(passphrase)
        await self.button(self.arriving("back.open")).click()
