"""What a mediator does on the pages of a case: opens it, hands out links, writes down what people said."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.browser.mediators import MediatorPage


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
            self.person(role).get_by_role("button", name=self.words("case.makeParticipate"))
        )
        return await self._address()

    async def new_link_for(self, role: str) -> str:
        """Make somebody another link for a lost one."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.words("case.newLink"))
        )
        await self.input.press(self.dialog.get_by_role("button", name=self.words("case.newLinkDo")))
        return await self._address()

    async def grant_again(self, role: str) -> None:
        """Seal what was released to somebody for their newest keys."""
        again = self.words("case.grantAgain")
        await self.input.press(self.person(role).get_by_role("button", name=again))
        await self.input.press(self.dialog.get_by_role("button", name=again))

    async def check_keys(self) -> None:
        """Check who used their link; the page says when there is nobody left to check."""
        await self.input.press(self.button("case.verify"))
        await expect(self.button("case.verify")).to_have_count(0)

    async def record(self, role: str, said: str) -> None:
        """Write down what somebody said about taking part."""
        await self.input.press(
            self.person(role).get_by_role("button", name=self.words("case.recordConsent"))
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

    async def _address(self) -> str:
        text = self.dialog.get_by_label(self.words("address.text"))
        url = await text.input_value()
        await expect(
            self.dialog.get_by_role("img", name=self.words("address.qrAlt"))
        ).to_be_visible()
        await self.input.press(self.dialog.get_by_role("button", name=self.words("close")))
        return url
