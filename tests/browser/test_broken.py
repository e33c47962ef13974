"""One letter that does not hold, at the console and on a participant's pages: nothing else stops for it."""

from __future__ import annotations

import uuid
from typing import Final

from playwright.async_api import expect

from relay.testing.letters import LETTER, NOTE
from relay.testing.people import Case, verify_everybody
from tests.support.browser import forging
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.tour import approved_letter
from tests.support.browser.visitors import Language, Visit
from tests.support.corruptions import KEYS, LETTERS
from tests.support.hostile import HostileSender

GUIDANCE: Final = "Please send it once more."
TURNED: Final = "I am [U+202E]not[U+202C] sorry[U+200F]."


async def _cast(scene: Scene, waiting: Waiting) -> Case:
    """The people of a case, each with the Python client, their keys checked."""
    harmed = await scene.claim(waiting.harmed_url)
    responsible = await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    return Case(
        case_id=waiting.case_id,
        mediator=waiting.mediator,
        colleague=scene.colleague.client,
        harmed=harmed,
        responsible=responsible,
        harmed_url=waiting.harmed_url,
        responsible_url=waiting.responsible_url,
    )


async def _sent_back(
    scene: Scene, visit: Visit, case: Case, message: uuid.UUID, language: Language
) -> MediatorPage:
    """The console, where this letter is said not to open, cannot be approved, and is sent back."""
    mediator = await MediatorPage.open(
        await visit(language=language), scene, scene.mediator, language
    )
    await mediator.see(f"case {case.case_id}")
    await mediator.input.press(mediator.button("choice.lease"))
    warned = mediator.page.get_by_role("alert").filter(has_text=mediator.words("broken.title"))
    await expect(warned).to_contain_text(mediator.words("fault.no-key.is"))
    await expect(warned).to_contain_text(mediator.words("record.body"))
    await expect(mediator.button("choice.return")).to_be_visible()
    await expect(mediator.button("choice.hold")).to_be_visible()
    await expect(mediator.button("choice.decline")).to_be_visible()
    await expect(mediator.button("choice.approve")).to_have_count(0)
    await mediator.return_with("unclear", GUIDANCE)
    await mediator.shows_state("returned")
    assert case.harmed.guidance(await case.harmed.sent(message)) == ("unclear", GUIDANCE)
    return mediator


async def test_a_letter_that_opens_for_nobody_is_sent_back_and_the_console_goes_on(
    scene: Scene, visit: Visit
) -> None:
    """Its state is said in words, in both languages; the keys stay open, and the next letter is reviewed."""
    case = await _cast(scene, await scene.waiting())
    sender = await HostileSender.of(case)
    broken = KEYS["a grant for nobody"]
    message, _answer = await sender.letter("body", broken)
    mediator = await _sent_back(scene, visit, case, message, "en")

    await case.harmed.send_letter(case.responsible.participant_id, LETTER)
    await mediator.take(f"case {case.case_id}")
    await expect(mediator.page.get_by_text(LETTER)).to_be_visible()
    await mediator.approve()
    await mediator.shows_state("approved")

    other = await _cast(scene, await scene.waiting())
    message, _answer = await (await HostileSender.of(other)).letter("body", broken)
    await _sent_back(scene, visit, other, message, "fr")


async def test_characters_that_turn_words_are_seen_by_reviewer_and_reader_alike(
    scene: Scene, visit: Visit
) -> None:
    """Both read the same marks in the same places."""
    waiting = await scene.waiting()
    harmed = await scene.claim(waiting.harmed_url)
    recipient = await ParticipantPage.begin(await visit(), waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    text = LETTERS["characters that turn words"].text
    assert text is not None
    await harmed.send_letter(waiting.responsible_id, text)
    mediator = await MediatorPage.open(await visit(), scene, scene.mediator)
    await mediator.take(f"case {waiting.case_id}")
    await expect(mediator.page.get_by_text(TURNED, exact=True)).to_be_visible()
    await mediator.approve()
    await mediator.offer(NOTE)
    await recipient.accept(NOTE)
    await recipient.open_step("text")
    await expect(recipient.page.get_by_text(TURNED, exact=True)).to_be_visible()


async def test_words_that_were_changed_on_the_way_are_a_state_of_that_letter(
    scene: Scene, visit: Visit
) -> None:
    """A released letter whose statements do not verify is not opened; the rest of the page stays."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    guest = await visit()
    recipient = await ParticipantPage.begin(guest, waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    letter = await approved_letter(waiting, sender, waiting.responsible_id)
    await waiting.mediator.offer(letter, note=NOTE)
    await recipient.accept(NOTE)
    guest.wire.alter("/openings", forging.OPENING)
    await recipient.open_step("text")
    broken = recipient.page.get_by_role("alert").filter(has_text=recipient.home("broken.heading"))
    await expect(broken).to_contain_text(recipient.home("broken.fault.not-signed"))
    await expect(recipient.page.get_by_text(LETTER)).to_have_count(0)
    await recipient.go_home()
    await expect(recipient.button(recipient.home("home.newLetter"))).to_be_visible()
