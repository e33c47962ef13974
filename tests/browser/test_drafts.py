"""What somebody writes follows them; what a mediator types outlives lock, page and computer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Locator, expect

from relay.testing.people import verify_everybody
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit

WORDS: Final = "I have begun, and somebody comes in."
MORE: Final = "I have begun, and gone on somewhere else."
GUIDANCE: Final = "Begin with her, and not with you."
NOTE: Final = "Speaks of that evening."
DICTATED: Final = "He told me this on the telephone."
TEN_MINUTES: Final = 10 * 60_000


async def test_a_letter_is_gone_on_with_on_another_device(scene: Scene, visit: Visit) -> None:
    """Begun on one, changed on a second, found so on the first; sent there, it is gone on both."""
    waiting = await scene.waiting()
    phone = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await phone.begin_letter(WORDS)
    await phone.button(phone.arriving("lock")).click()

    tablet = await ParticipantPage.arrive(await visit(), waiting.harmed_url)
    await tablet.unlock()
    await tablet.button(tablet.home("home.goOnWriting")).click()
    await expect(_letter(tablet)).to_have_value(WORDS)
    tablet.guest.keeps_secret(MORE)
    await _letter(tablet).fill(MORE)
    await tablet.button(tablet.arriving("lock")).click()

    await phone.unlock()
    await phone.button(phone.home("home.goOnWriting")).click()
    await expect(_letter(phone)).to_have_value(MORE)
    await phone.finish_letter(MORE)
    await tablet.unlock()
    await tablet.shows_state("in-review")
    await expect(tablet.button(tablet.home("home.goOnWriting"))).to_have_count(0)


async def test_a_letter_that_was_changed_elsewhere_meanwhile_is_kept_twice(
    scene: Scene, visit: Visit
) -> None:
    """Anyone who writes on is told that it was changed elsewhere, and both are there."""
    waiting = await scene.waiting()
    guest = await visit()
    phone = await ParticipantPage.begin(guest, waiting.harmed_url)
    await phone.begin_letter(WORDS)
    await expect(_kept(phone)).to_be_visible()
    other = await ParticipantPage.arrive(guest, waiting.harmed_url)
    await other.unlock()
    await other.button(other.home("home.goOnWriting")).click()
    guest.keeps_secret(MORE)
    await _letter(other).fill(MORE)
    await expect(_kept(other)).to_be_visible()
    await _letter(phone).press_sequentially(" Now.")
    await expect(phone.page.get_by_text(phone.sending("letter.copied"))).to_be_visible()
    await phone.button(phone.sending("letter.later")).click()
    await expect(phone.button(phone.home("home.goOnWriting"))).to_have_count(2)


async def test_what_is_written_at_a_kiosk_is_found_on_ones_own_device(
    scene: Scene, visit: Visit
) -> None:
    """It is saved away from the computer, which keeps nothing; also when nobody touches it any more."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.clock.install()
    kiosk = await ParticipantPage.begin_with_staff(guest, waiting.harmed_url, "M. Roy, chaplain")
    await kiosk.begin_letter(WORDS)
    await kiosk.page.clock.fast_forward(1_500)
    saved = kiosk.page.get_by_text(kiosk.sending.pattern("letter.savedElsewhere"))
    await expect(saved).to_be_visible()
    await _letter(kiosk).press_sequentially(" The last.")
    await kiosk.page.clock.fast_forward(4 * 60_000)
    await expect(kiosk.heading(kiosk.arriving("left.heading"))).to_be_visible()

    own = await ParticipantPage.arrive(await visit(), waiting.harmed_url)
    await own.unlock()
    await own.button(own.home("home.goOnWriting")).click()
    await expect(_letter(own)).to_have_value(f"{WORDS} The last.")


async def test_a_letter_through_a_link_for_one_message_outlives_a_reload(
    scene: Scene, visit: Visit
) -> None:
    """It says that it is saved on this device, and is there when the link is opened again."""
    waiting = await scene.waiting()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
    person = await ParticipantPage.arrive(await visit(), url)
    begin = person.button(person.arriving("upload.begin"))
    write = person.button(person.sending("choose.letter"))
    once = person.page.get_by_role("heading", name=person.arriving("upload.heading"))
    await expect(once).to_be_visible()
    await begin.click()
    await write.click()
    person.guest.keeps_secret(WORDS)
    await expect(person.page.get_by_text(person.sending("letter.stays"))).to_be_visible()
    await _letter(person).fill(WORDS)
    saved = person.page.get_by_text(person.sending.pattern("letter.savedHere"))
    await expect(saved).to_be_visible()
    await person.page.goto("about:blank")
    await person.page.goto(url.partition("#")[0])
    await expect(once).to_be_visible()
    await begin.click()
    await write.click()
    await expect(_letter(person)).to_have_value(WORDS)


async def _by_idleness(console: MediatorPage) -> None:
    await console.page.clock.fast_forward(TEN_MINUTES)
    await expect(console.page.get_by_text(console.words("unlock.idle"))).to_be_visible()


async def _by_lock(console: MediatorPage) -> None:
    await console.page.keyboard.press("Escape")  # from the dialog in front of the button
    await console.button("lock").click()


async def _by_reload(console: MediatorPage) -> None:
    await console.page.clock.fast_forward(5_000)
    await console.page.wait_for_timeout(300)
    await console.page.reload()


LEAVINGS: Final = pytest.mark.parametrize("leave", [_by_idleness, _by_lock, _by_reload])
Leave = Callable[[MediatorPage], Awaitable[None]]


@LEAVINGS
async def test_a_return_that_was_being_written_is_there_after(
    scene: Scene, visit: Visit, leave: Leave
) -> None:
    """Reason, words and note are in the dialog when it is opened again, and gone once it was sent back."""
    reference = await _with_letter(scene)
    console = await _ticking(scene, visit)
    await console.take(reference)
    await console.button("choice.return").click()
    reason = console.page.locator("#decision-reason")
    await reason.select_option(index=1)
    chosen = await reason.input_value()
    await console.page.locator("#decision-words").fill(GUIDANCE)
    await console.page.locator("#decision-note").fill(NOTE)
    await leave(console)
    await _unlock(console, scene)
    await console.button("choice.return").click()
    await expect(console.page.locator("#decision-words")).to_have_value(GUIDANCE)
    await expect(console.page.locator("#decision-note")).to_have_value(NOTE)
    await expect(reason).to_have_value(chosen)
    await (
        console.page.get_by_role("dialog")
        .get_by_role("button", name=console.words("choice.return"))
        .click()
    )
    await console.done("return")


@LEAVINGS
async def test_a_letter_that_was_being_dictated_is_there_after(
    scene: Scene, visit: Visit, leave: Leave
) -> None:
    """Case, people, language and words are as they were; after it was sent the form is empty."""
    reference = await _with_letter(scene)
    console = await _ticking(scene, visit)
    await console.go("letter")
    await console.page.get_by_label(console.words("letter.case")).select_option(label=reference)
    await console.page.locator("#letter-from").select_option(index=1)
    await console.page.locator("#letter-language").select_option("fr")
    await console.page.locator("#letter-words").fill(DICTATED)
    await leave(console)
    await _unlock(console, scene)
    await expect(console.page.locator("#letter-words")).to_have_value(DICTATED)
    await expect(console.page.locator("#letter-language")).to_have_value("fr")
    await expect(console.page.locator("#letter-from")).not_to_have_value("")
    await console.page.locator("#letter-confirm").check()
    await console.button("letter.do").click()
    await expect(console.page.get_by_text(console.words("letter.done"))).to_be_visible()
    await console.go("letter")
    await expect(console.page.locator("#letter-case")).to_have_value("")
    await expect(console.page.locator("#letter-words")).to_have_value("")


@LEAVINGS
async def test_an_offer_that_was_being_written_is_there_after(
    scene: Scene, visit: Visit, leave: Leave
) -> None:
    """Content note, summary and date are in the dialog when it is opened again."""
    reference = await _with_letter(scene, claimed=True)
    console = await _ticking(scene, visit)
    await console.take(reference)
    await console.approve()
    await console.button("choice.offer").click()
    await console.page.locator("#offer-note").fill(NOTE)
    await console.page.locator("#offer-summary").fill(GUIDANCE)
    await console.page.get_by_label(console.words("offer.later"), exact=True).check()
    await console.page.locator("#offer-date").fill("2040-01-31T10:15")
    await leave(console)
    await _unlock(console, scene)
    await console.button("choice.offer").click()
    await expect(console.page.locator("#offer-note")).to_have_value(NOTE)
    await expect(console.page.locator("#offer-summary")).to_have_value(GUIDANCE)
    await expect(console.page.locator("#offer-date")).to_have_value("2040-01-31T10:15")


async def test_the_warning_before_the_lock_stands_in_front_of_a_dialog(
    scene: Scene, visit: Visit
) -> None:
    """It can be seen and answered, and the dialog behind it is as it was."""
    reference = await _with_letter(scene)
    console = await _ticking(scene, visit)
    await console.take(reference)
    await console.button("choice.return").click()
    words = console.page.locator("#decision-words")
    await words.fill(GUIDANCE)
    stay = console.button("unlock.stay")
    await console.page.clock.fast_forward(TEN_MINUTES - 30_000)
    await expect(stay).to_be_visible()
    await console.page.keyboard.press("Shift")
    await expect(stay).to_have_count(0)
    await expect(words).to_have_value(GUIDANCE)
    await expect(words).to_be_focused()


async def test_what_a_mediator_types_is_found_on_another_computer(
    scene: Scene, visit: Visit
) -> None:
    """Sealed for themselves: the other mediator of the case finds nothing."""
    reference = await _with_letter(scene)
    office = await MediatorPage.open(await visit(), scene, scene.mediator)
    await office.take(reference)
    await office.button("choice.return").click()
    await office.page.locator("#decision-words").fill(GUIDANCE)
    await office.page.keyboard.press("Escape")
    await office.button("lock").click()
    await expect(office.button("unlock.open")).to_be_visible()

    home = await MediatorPage.open(await visit(), scene, scene.mediator)
    await home.see(reference, "claimed")
    await home.button("choice.return").click()
    await expect(home.page.locator("#decision-words")).to_have_value(GUIDANCE)


@pytest.mark.parametrize(
    ("screen", "field"), [("letter", "#letter-words"), ("review", "#decision-words")]
)
async def test_nobody_types_before_what_was_typed_is_there(
    scene: Scene, visit: Visit, screen: str, field: str
) -> None:
    """While relay is slow to give it there is no field that would be filled, or mixed with it, later."""
    reference = await _with_letter(scene)
    office = await MediatorPage.open(await visit(), scene, scene.mediator)
    await office.take(reference)

    async def come(console: MediatorPage) -> None:
        if screen == "letter":
            await console.go("letter")
        else:
            await console.see(reference, "claimed")

    async def to_field(console: MediatorPage) -> Locator:
        if screen == "review":
            await console.button("choice.return").click()
        return console.page.locator(field)

    await come(office)
    await (await to_field(office)).fill(GUIDANCE)
    await office.page.keyboard.press("Escape")
    await office.button("lock").click()
    await expect(office.button("unlock.open")).to_be_visible()

    guest = await visit()
    home = await MediatorPage.open(guest, scene, scene.mediator)
    guest.wire.hold("/v1/unsent")
    coming = asyncio.create_task(come(home))
    await guest.wire.until_held()
    await expect(home.page.get_by_text(home.words("loading"))).to_be_visible()
    await expect(home.page.locator("textarea")).to_have_count(0)
    await expect(home.button("choice.return")).to_have_count(0)
    guest.wire.let_go()
    await coming
    await expect(await to_field(home)).to_have_value(GUIDANCE)


async def _with_letter(scene: Scene, *, claimed: bool = False) -> str:
    """A case with a letter that waits for review: its reference."""
    waiting = await scene.waiting()
    harmed = await scene.claim(waiting.harmed_url)
    if claimed:
        await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    await harmed.send_letter(waiting.responsible_id, "Why our house?")
    return f"case {waiting.case_id}"


async def _unlock(console: MediatorPage, scene: Scene) -> None:
    """Open the keys where the page was left."""
    await console.page.get_by_label(console.words("unlock.passphrase"), exact=True).fill(
        scene.mediator.passphrase
    )
    await console.button("unlock.open").click()
    await expect(console.page.get_by_role("navigation")).to_be_visible()


async def _ticking(scene: Scene, visit: Visit) -> MediatorPage:
    """A console whose clock the test may put forward."""
    guest = await visit()
    guest.keeps_secret(GUIDANCE, NOTE, DICTATED)
    await guest.context.clock.install()
    return await MediatorPage.open(guest, scene, scene.mediator)


def _letter(person: ParticipantPage) -> Locator:
    return person.page.get_by_label(person.sending("letter.field"), exact=True)


def _kept(person: ParticipantPage) -> Locator:
    return person.page.get_by_text(person.sending.pattern("letter.saved"))
