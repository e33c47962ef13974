"""Letters at the edges: in French, at a shared kiosk, from a relay in wrong hands, by keyboard alone."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Page, expect

from relay.demo.cast import PASSPHRASE
from relay.demo.story import LETTER, NOTE
from tests.browser import forging, leaks
from tests.browser.conftest import Visit
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene
from tests.browser.tour import approved_letter

ASSISTANT: Final = "Monique Tremblay, programme officer"
FRENCH_LETTER: Final = (
    "Je porte cette nuit-là depuis onze ans. Pourquoi notre maison, pourquoi nous ?"
)
FRENCH_NOTE: Final = "Une lettre de deux minutes. Elle parle de cette nuit-là, calmement."
FRENCH_GUIDANCE: Final = "Voulez-vous dire ce que vous aimeriez demander ?"


async def test_everything_happens_in_french(scene: Scene, visit: Visit) -> None:
    """A letter is written, sent back, revised, approved, offered and read without an English sentence."""
    waiting = await scene.waiting()
    case = f"case {waiting.case_id}"
    people = [await visit(language="fr") for _ in range(3)]
    for guest in people:
        guest.keeps_secret(FRENCH_LETTER, FRENCH_NOTE, FRENCH_GUIDANCE)
    harmed = await ParticipantPage.begin(people[0], waiting.harmed_url, "fr")
    responsible = await ParticipantPage.begin(people[1], waiting.responsible_url, "fr")
    mediator = await MediatorPage.open(people[2], scene, scene.mediator, "fr")
    await mediator.verify_claims(case)
    await harmed.write("Première version, à revoir ensemble.")
    await mediator.take(case)
    await mediator.return_with("needs-a-question", FRENCH_GUIDANCE)
    await harmed.revise("Première version, à revoir ensemble.", FRENCH_GUIDANCE, FRENCH_LETTER)
    await mediator.take(case)
    await mediator.approve()
    await mediator.offer(FRENCH_NOTE)
    await responsible.accept(FRENCH_NOTE)
    await responsible.open_step("text")
    await expect(responsible.page.get_by_text(FRENCH_LETTER)).to_be_visible()
    for page in (harmed.page, responsible.page, mediator.page):
        assert await page.evaluate("document.documentElement.lang") == "fr"


async def test_nothing_stays_at_a_kiosk(scene: Scene, visit: Visit) -> None:
    """With staff present a letter is sent, the mediator learns who helped, and the browser keeps nothing."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.keeps_secret(ASSISTANT)
    address, _, fragment = waiting.harmed_url.partition("#")
    guest.keeps_link_secret(waiting.harmed_url)
    person = ParticipantPage(await guest.open(f"{address}?assisted#{fragment}"), guest, "en")
    await person.page.get_by_label(person.arriving("assistant.field")).fill(ASSISTANT)
    await person.button(person.arriving("assistant.go")).click()
    await person.claim()
    await person.write(LETTER)
    assert fragment not in person.page.url
    await person.button(person.arriving("finish")).click()
    await expect(person.heading(person.arriving("left.heading"))).to_be_visible()
    language_alone = [one for one in await leaks.stored(person.page) if one.content.strip()]
    places = {one.place for one in language_alone} - {"history", "history state"}
    assert places <= {"localStorage relay-language"}
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


async def test_words_that_were_changed_on_the_way_are_never_shown(
    scene: Scene, visit: Visit
) -> None:
    """A released letter whose statements do not verify is not opened: the recipient is warned instead."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    guest = await visit()
    recipient = await ParticipantPage.begin(guest, waiting.responsible_url)
    await waiting.mediator.verify_claims(waiting.case_id)
    letter = await approved_letter(waiting, sender, waiting.responsible_id)
    await waiting.mediator.offer(letter, note=NOTE)
    await recipient.accept(NOTE)
    guest.wire.alter("/openings", forging.OPENING)
    await recipient.open_step("text")
    await expect(recipient.heading(recipient.arriving("problem.untrusted.heading"))).to_be_visible()
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


async def test_a_letter_is_written_and_sent_by_keyboard_alone(scene: Scene, visit: Visit) -> None:
    """From the link to the sent letter with Tab, Enter, Space and letters alone; focus is always visible."""
    waiting = await scene.waiting()
    person = await ParticipantPage.arrive(await visit(), waiting.harmed_url)
    page = person.page
    await expect(page.get_by_label(person.arriving("choose.field"))).to_be_visible()
    await _tab_to(page, person.arriving("choose.field"))
    await page.keyboard.type(PASSPHRASE)
    await _tab_to(page, person.arriving("choose.begin"))
    await page.keyboard.press("Enter")
    await person.at_home()
    await expect(person.heading(person.home("home.heading"))).to_be_focused()
    await _tab_to(page, person.home("home.newLetter"))
    await page.keyboard.press("Space")
    await expect(person.heading(person.sending("letter.heading"))).to_be_focused()
    await _tab_to(page, person.sending("letter.field"))
    await page.keyboard.type(LETTER)
    await _tab_to(page, person.sending("letter.preview"))
    await page.keyboard.press("Enter")
    await expect(person.heading(person.sending("preview.heading"))).to_be_focused()
    await _tab_to(page, person.sending("preview.send"))
    await page.keyboard.press("Enter")
    await expect(person.heading(person.sending("done.heading"))).to_be_focused()
    await _tab_to(page, person.sending("done.home"))
    await page.keyboard.press("Enter")
    await person.stands("in review")


_FOCUSED: Final = """
() => {
  const on = document.activeElement;
  const style = getComputedStyle(on);
  const name = on.getAttribute('aria-label') ?? on.labels?.[0]?.textContent ?? on.textContent ?? '';
  return [name.replace(/\\s+/g, ' ').trim(), style.outlineStyle !== 'none' && style.outlineWidth !== '0px'];
}
"""


async def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the element of this name has the focus, which has to be visible all the way."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused, visible = await page.evaluate(_FOCUSED)
        assert visible, f"the focus is not to be seen on {focused}"
        if focused == name:
            return
    raise AssertionError(f"{name} is not reached with Tab")


async def _controls_a_worker(page: Page) -> bool:
    kept: bool = await page.evaluate(
        "async () => (await navigator.serviceWorker.getRegistrations()).length > 0"
    )
    return kept
