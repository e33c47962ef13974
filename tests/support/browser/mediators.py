"""What a mediator does in the console, step by step, found by the words on the screen."""

from __future__ import annotations

import asyncio
import re
from typing import Final, Self

from playwright.async_api import Locator, Page

from tests.support.browser.inputs import Hand, Input, Mouse
from tests.support.browser.remote import expect
from tests.support.browser.scene import Reviewer, Scene
from tests.support.browser.visitors import Guest, Language
from tests.support.browser.words import Words

PREPARED_MS: Final = 120_000


class MediatorPage:
    """The console in one tab."""

    def __init__(self, page: Page, language: Language, *, by: Hand = Mouse) -> None:
        self.page = page
        self.input: Input = by(page)
        self.words = Words("console", language)

    @classmethod
    async def open(
        cls,
        guest: Guest,
        scene: Scene,
        reviewer: Reviewer,
        language: Language = "en",
        *,
        by: Hand = Mouse,
    ) -> Self:
        """Come for the first time: import the sealed keys from a file and open them."""
        guest.keeps_secret(reviewer.passphrase)
        console = cls(await guest.open(scene.console_url), language, by=by)
        await console.import_keys(reviewer)
        await console.unlock(reviewer)
        return console

    def button(self, key: str, *given: object) -> Locator:
        """The button that says this; and to anyone who only hears it, what it is about."""
        return self.page.get_by_role("button", name=self.act(key, *given))

    def act(self, key: str, *given: object) -> re.Pattern[str]:
        """The name of a button that says this, alone or with what it is about."""
        return re.compile(rf"^{self.words.expression(key, *given)}(\s?: .*)?$")

    def field(self, key: str) -> Locator:
        """The field with this label."""
        return self.page.get_by_label(self.words(key))

    def heading(self, key: str) -> Locator:
        """The heading of the screen."""
        return self.page.get_by_role("heading", name=self.words.pattern(key), level=1)

    async def import_keys(self, reviewer: Reviewer) -> None:
        """Give the page the file with the sealed keys."""
        await self.input.pick(self.field("unlock.importLabel"), reviewer.keyring_file)
        await self.input.press(self.button("unlock.importDo"))

    async def unlock(self, reviewer: Reviewer) -> None:
        """Open the keys."""
        passphrase = self.page.get_by_label(self.words("unlock.passphrase"), exact=True)
        await self.input.write(passphrase, reviewer.passphrase)
        await self.input.press(self.button("unlock.open"))
        await expect(self.heading("queue.title")).to_be_visible()

    async def go(self, key: str) -> None:
        """Choose a screen in the navigation."""
        navigation = self.page.get_by_role("navigation", name=self.words("nav.label"))
        button = navigation.get_by_role("button", name=self.words(f"nav.{key}"))
        await self.input.press(button)

    async def verify_claims(self, case: str) -> None:
        """Open the page of a case and check who claimed its links, one person after the other."""
        await self.go("cases")
        await self.input.press(self.page.get_by_role("button", name=case))
        await self.check_claims()

    async def check_claims(self) -> None:
        """Say of everybody who waits on the page of a case that they read out the words of their claim."""
        waiting = self.button("claim.check")
        await expect(waiting.first).to_be_visible()
        for left in range(await waiting.count() - 1, -1, -1):
            await self.input.press(waiting.first)
            dialog = self.page.get_by_role("dialog")
            await expect(dialog.get_by_role("list")).to_have_count(2)
            await self.input.press(dialog.get_by_role("button", name=self.words("claim.same")))
            await expect(dialog).to_have_count(0)
            await expect(waiting).to_have_count(left)

    async def take(self, case: str, state: str = "queued") -> None:
        """Open the message of a case that waits, and take it for review."""
        await self.see(case, state)
        await self.input.press(self.button("choice.lease"))
        await expect(self.button("choice.approve")).to_be_visible()

    async def see(self, case: str, state: str = "queued") -> None:
        """Open the message of a case that is in this state, as soon as it is."""
        await self.go("queue")
        button = self.page.get_by_role("button", name=self.words(f"state.{state}"), exact=False)
        await self.input.press(button.first)
        entry = await self.entry(case)
        await self.input.press(entry.get_by_role("button").first)
        await expect(self.page.get_by_role("heading", level=1)).to_be_focused()

    async def entry(self, case: str) -> Locator:
        """The entry of a case in the list on the screen, as soon as it is there, on whichever page of it."""
        entry = self.page.get_by_role("listitem").filter(has_text=case)
        more = self.button("more")
        async with asyncio.timeout(PREPARED_MS / 1000):
            while not await entry.count():
                if await more.count():
                    await self.input.press(more)
                else:
                    await asyncio.sleep(0.1)
        return entry

    async def decide(self, decision: str, *, reason: str = "", words: str = "") -> None:
        """Decide on what is on the screen, with a reason and words to the author where they are asked for."""
        await self.input.press(self.button(f"choice.{decision}"))
        dialog = self.page.get_by_role("dialog")
        if reason:
            field = dialog.get_by_label(self.words("form.reason"), exact=True)
            await self.input.choose(field, reason)
        if words:
            await self.input.write(dialog.get_by_label(self.words("form.words")), words)
        await self.input.press(dialog.get_by_role("button", name=self.words(f"choice.{decision}")))
        await self.done(decision)

    async def return_with(self, reason: str, words: str) -> None:
        """Send it back with guidance."""
        await self.decide("return", reason=reason, words=words)

    async def approve(self) -> None:
        """Approve what is on the screen."""
        await self.decide("approve")

    async def approve_unwatched(self) -> None:
        """Approve a video of which nothing was played, first without and then with saying so."""
        await self.input.press(self.button("choice.approve"))
        dialog = self.page.get_by_role("dialog")
        approving = dialog.get_by_role("button", name=self.words("choice.approve"), exact=True)
        await self.input.press(approving)
        await expect(dialog.get_by_text(self.words("confirm.unwatchedNeeded"))).to_be_visible()
        sure = dialog.get_by_role("checkbox", name=self.words("confirm.unwatchedSure"))
        await expect(sure).to_be_focused()
        await sure.check()
        await self.input.press(approving)
        await self.done("approve")

    async def waits_for_another(self) -> None:
        """Wait until the message on the screen is said to need a colleague, too."""
        facts = self.page.get_by_role("definition")
        waits = facts.filter(has_text=self.words("review.waitsForAnother"))
        await expect(waits).to_be_visible()

    async def shows_state(self, state: str) -> None:
        """Wait until the message on the screen is shown in this state."""
        facts = self.page.get_by_role("definition").filter(has_text=self.words(f"state.{state}"))
        await expect(facts).to_be_visible()

    async def offer(self, note: str, summary: str = "", *, not_before: str = "") -> None:
        """Offer it now, or from a moment on (as a field for date and time takes it)."""
        await self.input.press(self.button("choice.offer"))
        dialog = self.page.get_by_role("dialog")
        content_note = dialog.get_by_label(self.words("offer.contentNote"), exact=True)
        await self.input.write(content_note, note)
        await self.input.write(dialog.get_by_label(self.words("offer.summary")), summary)
        if not_before:
            await dialog.get_by_label(self.words("offer.later"), exact=True).check()
            await dialog.get_by_label(self.words("offer.notBefore"), exact=True).fill(not_before)
        offering = dialog.get_by_role("button", name=self.words("offer.do"), exact=True)
        await self.input.press(offering)
        await self.done("offer")

    async def caption(self, web_vtt: str, *, voice: bool = False) -> None:
        """Write captions as text, or the transcript of a voice message."""
        of = "voice." if voice else ""
        await self.input.press(self.button(f"{of}choice.caption"))
        await self.input.press(self.button("captions.plain"))
        await self.input.write(self.field("captions.cues"), web_vtt)
        await self.input.press(self.button(f"{of}captions.saveDo"))
        await expect(self.page.get_by_text(self.words(f"{of}captions.saved"))).to_be_visible()

    async def done(self, what: str) -> None:
        """Wait until the page says that it was done."""
        await expect(
            self.page.get_by_text(self.words(f"form.done.{what}"), exact=True)
        ).to_be_visible()
        await expect(self.page.get_by_role("dialog")).to_have_count(0)
