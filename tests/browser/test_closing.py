"""A mediator closes a case and opens it again: each side sees what that means, in both languages."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import expect

from relay.testing.letters import LETTER
from relay.testing.people import verify_everybody
from tests.support.browser.casework import LANGUAGES, CasePage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Language, Visit

HOLD_NAME: Final = "2026-17"
HOLD_REASON: Final = "The court asked for the correspondence."


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_case_is_closed_and_opened_again(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """What is approved is not offered meanwhile, and the author's open page tells them by itself."""
    waiting = await scene.waiting()
    author = await ParticipantPage.begin(
        await visit(language=language), waiting.harmed_url, language
    )
    await ParticipantPage.begin(await visit(language=language), waiting.responsible_url, language)
    await verify_everybody(waiting.mediator, waiting.case_id)
    mediator = await CasePage.open(await visit(language=language), scene, scene.mediator, language)
    case = f"case {waiting.case_id}"
    await author.write(LETTER)
    await mediator.take(case)
    await mediator.approve()
    new_letter = author.button(author.home("home.newLetter"))
    await expect(new_letter).to_be_visible()

    await mediator.at_case(case)
    await mediator.input.press(mediator.button("case.close"))
    await expect(mediator.dialog).to_contain_text(mediator.words("case.closeWhat"))
    await mediator.input.press(mediator.dialog.get_by_role("button", name=mediator.words("cancel")))
    await expect(mediator.dialog).to_have_count(0)
    await mediator.input.press(mediator.button("case.close"))
    close = mediator.dialog.get_by_role("button", name=mediator.words("case.close"), exact=True)
    await mediator.input.press(close)
    since = mediator.page.get_by_text(mediator.words.pattern("case.closedSince"))
    await expect(since).to_be_visible()
    await expect(author.page.get_by_text(author.home("home.closed"))).to_be_visible()
    await expect(new_letter).to_have_count(0)
    await mediator.see(case, "approved")
    gate = mediator.page.get_by_text(mediator.words("gate.case-closed.todo"))
    await expect(gate).to_be_visible()
    await expect(mediator.button("choice.offer")).to_have_count(0)

    await mediator.at_case(case)
    due = mediator.page.get_by_text(mediator.words.pattern("holds.due"))
    held = mediator.page.get_by_text(mediator.words.pattern("holds.held"))
    await expect(due).to_be_visible()
    await mediator.input.press(mediator.button("holds.place"))
    keep = mediator.dialog.get_by_role("button", name=mediator.words("holds.do"), exact=True)
    await mediator.input.press(keep)
    await expect(mediator.dialog.get_by_role("alert")).to_have_text(mediator.words("holds.missing"))
    for field, text in (("holds.name", HOLD_NAME), ("holds.reason", HOLD_REASON)):
        await mediator.dialog.get_by_label(mediator.words(field)).fill(text)
    await mediator.input.press(keep)
    await expect(held).to_be_visible()
    await expect(mediator.page.get_by_text(HOLD_REASON)).to_be_visible()
    await mediator.input.press(mediator.page.get_by_role("button", name=HOLD_NAME))
    await expect(due).to_be_visible()
    await mediator.input.press(mediator.button("case.reopen"))
    await expect(since).to_have_count(0)
    await expect(new_letter).to_be_visible()
    await mediator.see(case, "approved")
    await expect(mediator.button("choice.offer")).to_be_visible()
