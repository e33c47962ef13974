"""Letters at the edges: at a shared kiosk, and from a relay in wrong hands."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Page, expect

from relay.client.participant import Participant
from relay.domain.transitions import State
from relay.testing.letters import LETTER, NOTE
from relay.testing.people import PASSPHRASE, verify_everybody
from tests.support.browser import forging, leaks
from tests.support.browser.casework import LANGUAGES
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.tour import approved_letter
from tests.support.browser.visitors import Language, Visit, Visitor
from tests.support.browser.words import Words

REVISED: Final = "I have said it in another way."
_KEEPS_NO_DRAFT: Final = """
() => new Promise((answer) => {
  const opening = indexedDB.open('relay');
  opening.onsuccess = () => {
    const counting = opening.result.transaction('drafts').objectStore('drafts').count();
    counting.onsuccess = () => answer(counting.result === 0);
  };
})
"""
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


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_letter_through_a_link_for_one_message_comes_back_and_is_changed(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """The receipt says why and what to do; the link shows it too, with the words as they were."""
    waiting = await scene.waiting()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
    person = await _at_upload_link(await visit(language=language), url, language)
    await person.button(person.sending("choose.letter")).click()
    person.guest.keeps_secret(LETTER, REVISED)
    await person.page.get_by_label(person.sending("letter.field"), exact=True).fill(LETTER)
    await person.button(person.sending("letter.preview")).click()
    await person.button(person.sending("preview.send")).click()
    await expect(person.heading(person.sending("done.heading"))).to_be_visible()
    await expect(person.page.get_by_text(person.sending("done.copyHere"))).to_be_visible()
    receipt = await person.page.locator("p.code").inner_text()

    mediator = waiting.mediator
    [item] = (await mediator.queue(case=str(waiting.case_id))).items
    leased = await mediator.lease(item.message)
    await mediator.decide(leased, "return", reason="unclear", words="More, please.")
    why = Words("reasons", language)("return.unclear")

    asking = await person.guest.open(f"{scene.url}/receipt")
    await asking.get_by_role("textbox").fill(receipt)
    await asking.get_by_role("button", name=person.arriving("receipt.ask")).click()
    await expect(asking.get_by_text(why)).to_be_visible()
    await expect(asking.get_by_text(person.home("sent.openLink"))).to_be_visible()

    await person.page.goto("about:blank")
    await person.page.goto(url.partition("#")[0])
    await expect(person.page.get_by_text(why)).to_be_visible()
    await expect(person.page.get_by_text(person.home("sent.onlyReason"))).to_be_visible()
    await person.button(person.home("sent.reviseLetter")).click()
    field = person.page.get_by_label(person.sending("letter.field"), exact=True)
    await expect(field).to_have_value(LETTER)
    await field.fill(REVISED)
    await person.button(person.sending("letter.preview")).click()
    await person.button(person.sending("preview.send")).click()
    await expect(person.heading(person.sending("done.heading"))).to_be_visible()
    revised = await mediator.read(item.message)
    assert (revised.state, revised.revision) == (State.QUEUED, 2)

    # Taken back, nothing of it stays on the device.
    await person.page.goto("about:blank")
    await person.page.goto(url.partition("#")[0])
    await person.button(person.home("sent.withdraw")).click()
    await (
        person.page.get_by_role("dialog")
        .get_by_role("button", name=person.home("sent.withdrawDo"))
        .click()
    )
    await expect(person.page.get_by_text(person.home("author.closed.means"))).to_be_visible()
    await person.page.wait_for_function(_KEEPS_NO_DRAFT)


async def test_a_used_link_for_one_message_shows_no_word_elsewhere(
    scene: Scene, visit: Visit
) -> None:
    """On another device it says the state of the message, and neither shows nor begins anything."""
    waiting = await scene.waiting()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
    uploader = await Participant.through_upload_link(scene.people.connection, url)
    await uploader.send_letter(waiting.responsible_id, LETTER)
    person = await ParticipantPage.arrive(await visit(), url)
    await expect(person.page.get_by_text(person.home("author.in-review.means"))).to_be_visible()
    await expect(person.page.get_by_text(LETTER)).to_have_count(0)
    await expect(person.button(person.sending("choose.letter"))).to_have_count(0)
    await expect(person.button(person.home("sent.reviseLetter"))).to_have_count(0)


async def _at_upload_link(guest: Visitor, url: str, language: Language) -> ParticipantPage:
    """Somebody who has begun through a link for one message."""
    person = await ParticipantPage.arrive(guest, url, language)
    once = person.page.get_by_role("heading", name=person.arriving("upload.heading"))
    await expect(once).to_be_visible()
    await person.button(person.arriving("upload.begin")).click()
    return person
