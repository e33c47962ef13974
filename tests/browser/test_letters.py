"""Letters at the edges: at a shared kiosk, and from a relay in wrong hands."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Page, expect

from relay.demo.cast import PASSPHRASE, verify_everybody
from relay.demo.story import LETTER, NOTE
from tests.browser import forging, leaks
from tests.browser.casework import LANGUAGES
from tests.browser.conftest import Visit
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene
from tests.browser.tour import approved_letter
from tests.browser.visitors import Language

ASSISTANT: Final = "Monique Tremblay, programme officer"


async def test_nothing_stays_at_a_kiosk(scene: Scene, visit: Visit) -> None:
    """With staff present a letter is sent, the mediator learns who helped, and the browser keeps nothing."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.keeps_secret(ASSISTANT)
    person = await ParticipantPage.begin_with_staff(guest, waiting.harmed_url, ASSISTANT)
    await person.write(LETTER)
    assert waiting.harmed_url.partition("#")[2] not in person.page.url
    await person.button(person.arriving("finish")).click()
    await expect(person.heading(person.arriving("left.heading"))).to_be_visible()
    kept = [one for one in await leaks.stored(person.page) if one.content.strip()]
    places = {one.place for one in kept} - {"history", "history state"}
    assert places == set()
    assert await _controls_a_worker(person.page) is False

    at_work = await visit()
    at_work.keeps_secret(ASSISTANT, LETTER)
    mediator = await MediatorPage.open(at_work, scene, scene.mediator)
    case = f"case {waiting.case_id}"
    await mediator.verify_claims(case)
    await mediator.see(case)
    await expect(
        mediator.page.get_by_text(mediator.words("review.assistant", ASSISTANT))
    ).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_questions_that_help_are_of_ones_own_part(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """A person harmed is not asked what they take responsibility for, and the other one is."""
    waiting = await scene.waiting()
    for url, part, not_asked in (
        (waiting.harmed_url, "harmed", "responsible"),
        (waiting.responsible_url, "responsible", "harmed"),
    ):
        person = await ParticipantPage.begin(await visit(language=language), url, language)
        await person.button(person.home("home.newLetter")).click()
        await person.page.get_by_text(person.sending("letter.questions")).click()
        asked = person.page.locator("relay-write details").first
        await expect(asked).to_contain_text(person.sending(f"letter.questionsNot.{part}"))
        await expect(asked).not_to_contain_text(person.sending(f"letter.questionsNot.{not_asked}"))
        responsibility = {"en": "take responsibility", "fr": "assume la responsabilité"}[language]
        assert (responsibility in await asked.inner_text()) == (part == "responsible")


async def test_words_that_were_changed_on_the_way_are_never_shown(
    scene: Scene, visit: Visit
) -> None:
    """A released letter whose statements do not verify is not opened: its recipient is told so instead."""
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
    warned = recipient.page.get_by_role("alert").filter(has_text=recipient.home("broken.heading"))
    await expect(warned).to_contain_text(recipient.home("broken.fault.not-signed"))
    await expect(recipient.page.get_by_text(LETTER)).to_have_count(0)


async def test_a_mediator_is_warned_of_another_root(scene: Scene, visit: Visit) -> None:
    """Where relay names people whom the pinned root does not vouch for, the console locks and says so."""
    guest = await visit()
    guest.keeps_secret(PASSPHRASE)
    console = MediatorPage(await guest.open(scene.console_url), "en")
    await console.import_keys(scene.mediator)
    guest.wire.alter("/v1/credentials", forging.CREDENTIALS)
    await console.page.get_by_label(console.words("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await console.button("unlock.open").click()
    await expect(console.heading("untrusted.title")).to_be_visible()
    sent = {one.url.removeprefix(scene.url) for one in guest.wire.to_relay("/v1/", "P")}
    assert sent <= {"/v1/challenges", "/v1/sessions"}


async def _controls_a_worker(page: Page) -> bool:
    kept: bool = await page.evaluate(
        "async () => (await navigator.serviceWorker.getRegistrations()).length > 0"
    )
    return kept
