"""A participant's own lists: newest first, two of one day told apart, each named where it is asked about."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.async_api import expect

from relay.testing.letters import LETTER, NOTE
from relay.testing.people import verify_everybody
from tests.support.browser import forging
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.tour import approved_letter
from tests.support.browser.visitors import Language, Visit

LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
WORDS: Final = "Begin with her, not with you."
EARLIER: Final = "I wrote this on the telephone that I lost."
LATER: Final = "I write this on my new telephone."
A_TIME: Final = {"en": re.compile(r"\d:\d\d\s[ap]\.m\."), "fr": re.compile(r"\d{2}\sh\s\d{2}")}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_two_of_one_day_are_told_apart_and_named_in_every_question(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """Newest first, with the time; what is taken back, refused or put away is named, with who it is of."""
    waiting = await scene.waiting()
    other = await scene.claim(waiting.harmed_url)
    person = await ParticipantPage.begin(
        await visit(language=language), waiting.responsible_url, language
    )
    await verify_everybody(waiting.mediator, waiting.case_id)
    for text in (EARLIER, LATER):
        await person.write(text)
    for _ in range(2):
        letter = await approved_letter(waiting, other, waiting.responsible_id)
        await waiting.mediator.offer(letter, note=NOTE)
    page, dialog = person.page, person.page.get_by_role("dialog")
    await expect(person.button(person.home("home.look"))).to_have_count(2)
    sender = person.home("from", person.home("role.harmed"))
    cards = page.locator("section.card.calls").filter(has_text=sender)
    await expect(cards).to_have_count(2)
    for card in await cards.all():
        await expect(card).to_contain_text(A_TIME[language])

    # What was sent last is first, and is named where it is taken back, with its words once they were read.
    sent = page.get_by_role("listitem").filter(has_text=person.home("author.in-review.name"))
    await expect(sent).to_have_count(2)
    await expect(sent.first).to_contain_text(A_TIME[language])
    await person.input.press(sent.first.get_by_role("button"))
    await expect(person.button(person.home("sent.withdraw"))).to_be_visible()
    title = await page.get_by_role("heading", level=1).inner_text()
    for words in ("", LATER):
        await person.input.press(person.button(person.home("sent.withdraw")))
        for part in (title, person.home("to", person.home("role.harmed")), words):
            await expect(dialog).to_contain_text(part)
        await expect(dialog).not_to_contain_text(EARLIER)
        await person.input.press(dialog.get_by_role("button", name=person.home("sent.keep")))
        if words == "":
            await person.input.press(person.button(person.home("sent.readOwn")))
            await expect(page.get_by_text(LATER)).to_be_visible()
    await person.go_home()

    # What is offered is named alike on every page, and where it is refused or put away.
    await person.input.press(person.button(person.home("home.look")).first)
    await expect(person.heading(person.opening("offer.heading"))).to_be_visible()
    line = await page.locator("main p .quiet").inner_text()
    assert sender in line
    await person.input.press(person.button(person.opening("offer.refuse")))
    await expect(dialog).to_contain_text(line)
    await person.input.press(dialog.get_by_role("button", name=person.home("home.cancel")))
    await person.input.press(person.button(person.opening("offer.accept")))
    await expect(person.heading(person.opening("steps.heading"))).to_be_visible()
    await expect(page.get_by_text(line)).to_be_visible()
    await person.input.press(person.button(person.opening("steps.stop")))
    await expect(person.heading(person.opening("steps.stopHeading"))).to_be_visible()
    await expect(page.get_by_text(line)).to_be_visible()
    await expect(person.button(person.opening("steps.keep"))).to_have_count(0)
    await person.input.press(person.button(person.opening("steps.comeBack")))
    await person.open_step("text")
    await expect(page.get_by_text(LETTER)).to_be_visible()
    await person.input.press(person.button(person.opening("steps.stop")))
    await person.input.press(person.button(person.opening("steps.keep")))
    await expect(dialog).to_contain_text(line)
    await person.input.press(dialog.get_by_role("button", name=person.opening("steps.keepDo")))
    await expect(person.button(person.home("home.look"))).to_have_count(1)


async def test_older_letters_are_shown_when_they_are_asked_for(scene: Scene, visit: Visit) -> None:
    """A page of them at first; then the focus is on the first that came, and what changes stays in place."""
    waiting = await scene.waiting()
    earlier = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    sent = [await earlier.send_letter(waiting.responsible_id, f"Letter {n}.") for n in range(22)]
    person = await ParticipantPage.arrive(await visit(), waiting.harmed_url)
    await person.unlock()
    listed = person.page.get_by_role("listitem").filter(has=person.page.get_by_role("heading"))
    await expect(listed).to_have_count(20)
    older = person.button(person.home("home.more.sent"))
    await person.input.press(older)
    await expect(listed).to_have_count(22)
    await expect(older).to_have_count(0)
    await expect(listed.nth(20).get_by_role("heading")).to_be_focused()

    await earlier.withdraw(sent[0].message)
    closed = person.home("author.closed.name")
    await expect(listed.last).to_contain_text(closed)
    await expect(listed).to_have_count(22)
    await person.input.press(listed.last.get_by_role("button"))
    await expect(person.page.get_by_text(person.home("author.closed.means"))).to_be_visible()
    # The queue that all tests share is left as it was.
    for letter in sent[1:]:
        await earlier.withdraw(letter.message)


async def test_a_letter_of_a_lost_link_is_said_to_be_that_and_a_forged_one_is_not(
    scene: Scene, visit: Visit
) -> None:
    """Calmly, with who can read it; what came back is written again. What was altered is broken."""
    waiting = await scene.waiting()
    earlier = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    sent = await earlier.send_letter(waiting.responsible_id, EARLIER)
    leased = await waiting.mediator.lease(sent.message)
    author = await waiting.mediator.recipient_claim(waiting.case_id, waiting.harmed_id)
    await waiting.mediator.decide(
        leased, "return", reason="tone", words=WORDS, author=author.recipient
    )
    guest = await visit()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id)
    person = await ParticipantPage.begin(guest, url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    page = person.page
    await person.shows_state("sent-back")
    await person.open_sent("sent-back")
    await expect(page.get_by_text(person.home("sent.guidanceOlder"))).to_be_visible()
    await person.input.press(person.button(person.home("sent.readOwn")))
    older = person.home("sent.unread.older-key")
    await expect(page.get_by_role("status").filter(has_text=older)).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)

    # A revision of it begins without its words, which is said first.
    await person.input.press(person.button(person.home("sent.reviseLetter")))
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(older)
    await person.input.press(dialog.get_by_role("button", name=person.home("sent.reviseEmptyDo")))
    field = page.get_by_label(person.sending("letter.field"), exact=True)
    await expect(field).to_have_value("")
    await person.finish_letter(LATER)
    await person.shows_state("in-review")
    await person.open_sent("in-review")
    await person.input.press(person.button(person.home("sent.readOwn")))
    await expect(page.get_by_text(LATER)).to_be_visible()
    await person.go_home()

    guest.wire.alter(f"/v1/messages/{sent.message}", forging.LETTER)
    await person.open_sent("in-review")
    await person.input.press(person.button(person.home("sent.readOwn")))
    warned = page.get_by_role("alert").filter(has_text=person.home("broken.heading"))
    await expect(warned).to_contain_text(person.home("broken.fault.not-signed"))
    await expect(page.get_by_text(LATER)).to_have_count(0)


async def test_ones_own_letter_is_read_with_every_link_it_can_be(
    scene: Scene, visit: Visit
) -> None:
    """What a mediator wrote down before there were keys, and what a stranger sent, is said to be that."""
    waiting = await scene.waiting()
    relay = waiting.mediator.relay_letter
    await relay(waiting.case_id, waiting.harmed_id, waiting.responsible_id, EARLIER)
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    await person.shows_state("in-review")
    await person.open_sent("in-review")
    await person.input.press(person.button(person.home("sent.readOwn")))
    told = person.page.get_by_role("status")
    await expect(told.filter(has_text=person.home("sent.unread.no-key-then"))).to_be_visible()
    await person.go_home()

    stranger = await scene.people.claim(
        await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id)
    )
    await stranger.send_letter(waiting.responsible_id, LETTER)
    listed = person.page.get_by_role("listitem").filter(
        has_text=person.home("author.in-review.name")
    )
    await expect(listed).to_have_count(2)
    await person.input.press(listed.first.get_by_role("button"))
    await person.input.press(person.button(person.home("sent.readOwn")))
    await expect(told.filter(has_text=person.home("sent.unread.unchecked-link"))).to_be_visible()
    await expect(person.page.get_by_text(LETTER)).to_have_count(0)
