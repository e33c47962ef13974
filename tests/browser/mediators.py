"""What a mediator does in the console, step by step, found by the words on the screen."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.browser.scene import Reviewer, Scene
from tests.browser.visitors import Language, Visitor
from tests.browser.words import Words

PREPARED_MS: Final = 120_000


class MediatorPage:
    """The console in one tab."""

    def __init__(self, page: Page, language: Language) -> None:
        self.page = page
        self.words = Words("console", language)

    @classmethod
    async def open(
        cls, guest: Visitor, scene: Scene, reviewer: Reviewer, language: Language = "en"
    ) -> MediatorPage:
        """Come for the first time: import the sealed keys from a file and open them."""
        guest.keeps_secret(reviewer.passphrase)
        console = cls(await guest.open(scene.console_url), language)
        await console.import_keys(reviewer)
        await console.unlock(reviewer)
        return console

    def button(self, key: str, *given: object) -> Locator:
        """The button that says this."""
        return self.page.get_by_role("button", name=self.words(key, *given), exact=True)

    def field(self, key: str) -> Locator:
        """The field with this label."""
        return self.page.get_by_label(self.words(key))

    def heading(self, key: str) -> Locator:
        """The heading of the screen."""
        return self.page.get_by_role("heading", name=self.words.pattern(key), level=1)

    async def import_keys(self, reviewer: Reviewer) -> None:
        """Give the page the file with the sealed keys."""
        await self.field("unlock.importLabel").set_input_files(reviewer.keyring_file)
        await self.button("unlock.importDo").click()

    async def unlock(self, reviewer: Reviewer) -> None:
        """Open the keys."""
        await self.page.get_by_label(self.words("unlock.passphrase"), exact=True).fill(
            reviewer.passphrase
        )
        await self.button("unlock.open").click()
        await expect(self.heading("queue.title")).to_be_visible()

    async def go(self, key: str) -> None:
        """Choose a screen in the navigation."""
        navigation = self.page.get_by_role("navigation", name=self.words("nav.label"))
        await navigation.get_by_role("button", name=self.words(f"nav.{key}")).click()

    async def verify_claims(self, case: str) -> None:
        """Open the page of a case and check who claimed its links."""
        await self.go("cases")
        await self.page.get_by_role("button", name=case).click()
        await self.button("case.verify").click()

    async def take(self, case: str, state: str = "queued") -> None:
        """Open the message of a case that waits, and take it for review."""
        await self.see(case, state)
        await self.button("choice.lease").click()
        await expect(self.button("choice.approve")).to_be_visible()

    async def see(self, case: str, state: str = "queued") -> None:
        """Open the message of a case that is in this state, as soon as it is."""
        await self.go("queue")
        await self.page.get_by_role(
            "button", name=self.words(f"state.{state}"), exact=False
        ).first.click()
        item = self.page.get_by_role("listitem").filter(has_text=case)
        await item.get_by_role("button").first.click(timeout=PREPARED_MS)
        await expect(self.page.get_by_role("heading", level=1)).to_be_focused()

    async def return_with(self, reason: str, words: str) -> None:
        """Send it back with guidance."""
        await self.button("choice.return").click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label(self.words("form.reason"), exact=True).select_option(reason)
        await dialog.get_by_label(self.words("form.words")).fill(words)
        await dialog.get_by_role("button", name=self.words("choice.return")).click()
        await self.done("return")

    async def approve(self) -> None:
        """Approve what is on the screen."""
        await self.button("choice.approve").click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_role("button", name=self.words("choice.approve")).click()
        await self.done("approve")

    async def offer(self, note: str, summary: str = "") -> None:
        """Offer it now."""
        await self.button("choice.offer").click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label(self.words("offer.contentNote"), exact=True).fill(note)
        await dialog.get_by_label(self.words("offer.summary")).fill(summary)
        await dialog.get_by_role("button", name=self.words("offer.do"), exact=True).click()
        await self.done("offer")

    async def caption(self, web_vtt: str) -> None:
        """Write captions as text."""
        await self.button("choice.caption").click()
        await self.button("captions.plain").click()
        await self.field("captions.cues").fill(web_vtt)
        await self.button("captions.saveDo").click()
        await expect(self.page.get_by_text(self.words("captions.saved"))).to_be_visible()

    async def done(self, what: str) -> None:
        """Wait until the page says that it was done."""
        await expect(
            self.page.get_by_text(self.words(f"form.done.{what}"), exact=True)
        ).to_be_visible()
        await expect(self.page.get_by_role("dialog")).to_have_count(0)
