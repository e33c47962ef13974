"""What a mediator does on the pages of a case: opens it, hands out links, writes down what people said."""

from __future__ import annotations

import uuid
from typing import Final

from playwright.async_api import Locator, expect

from relay.crypto.words import CLAIM_WORDS
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.visitors import Language

LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")


class CasePage(MediatorPage):
    """The console, at work on cases."""

    @property
    def dialog(self) -> Locator:
        """What is asked in front of the page."""
        return self.page.get_by_role("dialog")

    def person(self, role: str) -> Locator:
        """The card of the participant with this role."""
        name = self.words(f"people.role.{role}")
        return self.page.get_by_role("region", name=name).first

    async def open_case(self, reference: str, *, approvals: int = 1) -> None:
        """Make the keys of a new case of two, with every colleague, and sign its charter."""
        await self.go("cases")
        await self.input.press(self.button("cases.new"))
        await self.input.write(self.field("newCase.reference"), reference)
        for colleague in await self.page.get_by_role("checkbox").all():
            await colleague.check()
        number = {1: "one", 2: "two"}[approvals]
        await self.page.get_by_role(
            "radio", name=self.words(f"newCase.{number}"), exact=True
        ).check()
        await self.page.get_by_role(
            "radio", name=self.words("newCase.captionsOptional"), exact=True
        ).check()
        await self.input.press(self.button("newCase.do"))
        await expect(self.heading("case.title")).to_have_text(self.words("case.title", reference))

    async def at_case(self, reference: str) -> None:
        """Open the page of a case."""
        await self.go("cases")
        await self.input.press(self.page.get_by_role("button", name=reference))
        await expect(self.heading("case.title")).to_be_visible()

    async def link_for(self, role: str) -> str:
        """Make somebody a link to take part, and read it."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.act("case.makeParticipate"))
        )
        return await self.read_address()

    async def new_link_for(self, role: str) -> str:
        """Make somebody another link for a lost one."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.act("case.newLink"))
        )
        await self.input.press(self.dialog.get_by_role("button", name=self.words("case.newLinkDo")))
        return await self.read_address()

    async def grant_again(self, role: str) -> None:
        """Seal what was released to somebody for their newest keys."""
        again = self.act("case.grantAgain")
        await self.input.press(self.person(role).get_by_role("button", name=again))
        await self.input.press(self.dialog.get_by_role("button", name=again))

    async def ask_about_claim(self, role: str) -> dict[Language, tuple[str, ...]]:
        """Ask who used somebody's link: the words of the claim, in each language."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.act("claim.check"))
        )
        said: dict[Language, tuple[str, ...]] = {}
        for language in LANGUAGES:
            words = self.dialog.locator(f"ol[lang={language}]").get_by_role("listitem")
            await expect(words).to_have_count(CLAIM_WORDS)
            said[language] = tuple(await words.all_inner_texts())
        return said

    async def answer_claim(self, answer: str) -> None:
        """Say whether the words were the `same`, or it is `notThem` and the link ends."""
        await self.input.press(
            self.dialog.get_by_role("button", name=self.words(f"claim.{answer}"))
        )
        if answer == "notThem":
            await self.input.press(self.dialog.get_by_role("button", name=self.words("ending.do")))
        await expect(self.dialog).to_have_count(0)

    async def end_link(self, role: str, reason: str) -> None:
        """End the latest link of somebody that has not ended, as `replaced` or `misused`."""
        ending = self.person(role).get_by_role("button", name=self.act("case.endLink"))
        await self.input.press(ending.last)
        await self.input.press(self.dialog.get_by_role("button", name=self.words("ending.do")))
        await expect(self.dialog.get_by_text(self.words("ending.choose"))).to_be_visible()
        await self.dialog.get_by_role("radio", name=self.words(f"ending.{reason}")).check()
        await self.input.press(self.dialog.get_by_role("button", name=self.words("ending.do")))
        await expect(self.dialog).to_have_count(0)
        await expect(self.person(role)).to_contain_text(self.words(f"case.linkEnd.{reason}"))

    @property
    def readers(self) -> Locator:
        """Who can read the case."""
        return self.page.get_by_role("region", name=self.words("readers.title"))

    async def change_mediators(
        self, *, join: uuid.UUID | None = None, leave: uuid.UUID | None = None
    ) -> None:
        """Sign the next charter, with a colleague more, or one less."""
        await self.input.press(
            self.readers.get_by_role("button", name=self.words("readers.change"), exact=True)
        )
        await expect(self.dialog).to_contain_text(self.words("readers.changeWhat"))
        if join is not None:
            await self.dialog.get_by_role("checkbox", name=self.colleague(join)).check()
        if leave is not None:
            await self.dialog.get_by_role("checkbox", name=self.colleague(leave)).uncheck()
        await self.input.press(self.dialog.get_by_role("button", name=self.words("readers.sign")))
        await expect(self.dialog).to_have_count(0)

    def colleague(self, credential: uuid.UUID) -> str:
        """What the page calls another mediator."""
        return self.words("people.colleague", str(credential)[-4:])

    async def record(self, role: str, said: str) -> None:
        """Write down what somebody said about taking part."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.act("case.recordConsent"))
        )
        choice = self.words(f"case.consentChoice.{said}")
        await self.input.press(self.dialog.get_by_role("button", name=choice))
        await expect(self.person(role)).to_contain_text(self.words(f"case.consent.{said}"))

    async def timeline(self) -> Locator:
        """What happened in the case, as the page tells it."""
        await self.input.press(self.button("case.timelineShow"))
        entries = self.page.get_by_role("list").filter(has_text=self.words("event.case-registered"))
        await expect(entries).to_be_visible()
        return entries

    async def record_withdrawal(self) -> None:
        """Write down that the author of the message on the screen takes it back."""
        name = self.words("form.recordWithdrawal")
        await self.input.press(self.page.get_by_role("main").get_by_role("button", name=name))
        await self.input.press(self.dialog.get_by_role("button", name=name))

    async def relay(self, case: str, role: str, text: str) -> None:
        """Write down a letter for somebody, first without and then with their word that it is right."""
        await self.go("letter")
        await self.field("letter.case").select_option(label=case)
        sender = self.page.get_by_label(self.words("letter.from"), exact=True)
        option = sender.get_by_role("option", name=role)
        await sender.select_option(label=await option.first.inner_text())
        await self.input.write(self.field("letter.words"), text)
        await self.input.press(self.button("letter.do"))
        await expect(self.page.get_by_text(self.words("letter.confirmNeeded"))).to_be_visible()
        await self.page.get_by_role("checkbox", name=self.words("letter.confirm")).check()
        await self.input.press(self.button("letter.do"))

    async def except_captions(self, reason: str) -> None:
        """Record why a video has no captions."""
        await self.input.press(self.button("choice.caption"))
        await self.page.get_by_text(self.words("captions.exception"), exact=True).click()
        await self.input.choose(self.field("captions.exceptionReason"), reason)
        await self.input.press(self.button("captions.exceptionDo"))

    async def read_address(self) -> str:
        """The address of the link in front of the page, which is then put away."""
        text = self.dialog.get_by_label(self.words("address.text"))
        url = await text.input_value()
        await expect(
            self.dialog.get_by_role("img", name=self.words("address.qrAlt"))
        ).to_be_visible()
        await self.input.press(self.dialog.get_by_role("button", name=self.words("close")))
        return url
