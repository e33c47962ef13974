"""Leaving in a hurry: the page is gone at once, it opens to nobody else, and no word is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import Error, Locator, expect

from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit, Visitor

WORDS: Final = "I have begun, and somebody comes in."
ELSEWHERE: Final = "https://www.google.com/"
ONE_MINUTE: Final = 60_000
NEARLY_TEN_MINUTES: Final = 570_000
KEYS: Final = "Nothing of this may be lost. " * 4
KEY_MS: Final = 100

_HIDDEN: Final = """
() => {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
  document.dispatchEvent(new Event('visibilitychange'));
}
"""

_LISTEN: Final = """
() => {
  globalThis.told = [];
  const status = document.querySelector('#letter-said [role=status]');
  const keep = () => globalThis.told.push(status.textContent.trim());
  new MutationObserver(keep).observe(status, { subtree: true, childList: true, characterData: true });
}
"""


async def _by_button(person: ParticipantPage) -> None:
    await person.button(person.arriving("shared.leaveNow")).click()


async def _by_escape(person: ParticipantPage) -> None:
    for _ in range(2):
        await person.page.keyboard.press("Escape")


@pytest.mark.parametrize("way", [_by_button, _by_escape])
async def test_who_leaves_in_a_hurry_leaves_nothing_open_and_loses_no_word(
    scene: Scene, visit: Visit, way: Callable[[ParticipantPage], Awaitable[None]]
) -> None:
    """A neutral page takes its place, going back finds the way in, and behind it the last word."""
    person = await _writing(scene, visit)
    assert isinstance(person.guest, Visitor)
    await person.guest.may_be_led_to(ELSEWHERE)
    await way(person)
    await expect(person.page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    assert person.page.url == ELSEWHERE

    await person.page.go_back()
    await expect(_letter(person)).to_have_count(0)
    await _finds_the_words_again(person)


async def test_who_leaves_in_a_hurry_does_not_wait_for_keys_that_are_busy(
    scene: Scene, visit: Visit
) -> None:
    """Where what was written cannot be sealed in a moment, the page goes all the same."""
    person = await _writing(scene, visit)
    assert isinstance(person.guest, Visitor)
    await person.guest.may_be_led_to(ELSEWHERE)
    [keys] = person.page.workers
    busy = asyncio.create_task(keys.evaluate("() => { for (;;); }"))
    await _by_button(person)
    await expect(person.page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    with pytest.raises(Error):
        await busy


@pytest.mark.parametrize("silent", ["/v1/sessions/current", "/assets/come-back"])
async def test_a_page_is_locked_whether_relay_answers_or_not(
    scene: Scene, visit: Visit, silent: str
) -> None:
    """The words are off the screen at once, and there again, to the last one, behind the passphrase."""
    person = await _writing(scene, visit)
    person.guest.wire.hold(silent)
    await person.button(person.arriving("lock")).click()
    await expect(_letter(person)).to_have_count(0)
    person.guest.wire.let_go()
    await _finds_the_words_again(person)


async def test_who_opens_their_link_again_in_the_same_tab_loses_no_word(
    scene: Scene, visit: Visit
) -> None:
    """Only what follows the # changes then: the last word is kept before the page begins again."""
    waiting = await scene.waiting()
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await person.begin_letter(WORDS)
    fragment = waiting.harmed_url.partition("#")[2]
    await person.page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
    await _finds_the_words_again(person)
    assert person.page.url == waiting.harmed_url.partition("#")[0]


async def test_a_page_that_nobody_touches_locks_itself(scene: Scene, visit: Visit) -> None:
    """After ten minutes, with a warning before; who touches it meanwhile has ten minutes again."""
    person = await _writing(scene, visit, ticking=True)
    clock = person.page.clock
    stay = person.button(person.arriving("shared.idle.stay"))
    await clock.fast_forward(NEARLY_TEN_MINUTES)
    await stay.click()
    await clock.fast_forward(NEARLY_TEN_MINUTES)
    await expect(stay).to_be_visible()
    await expect(_letter(person)).to_have_value(WORDS)
    await clock.fast_forward(ONE_MINUTE)
    await expect(person.page.get_by_text(person.arriving("back.lockedIdle"))).to_be_visible()
    await expect(_letter(person)).to_have_count(0)
    await _finds_the_words_again(person)


async def test_a_kiosk_that_nobody_touches_forgets_everything(scene: Scene, visit: Visit) -> None:
    """After three minutes nothing is there to come back to, and the link is not in the browser."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.clock.install()
    person = await ParticipantPage.begin_with_staff(guest, waiting.harmed_url, "M. Roy, chaplain")
    await person.begin_letter(WORDS)
    await person.page.clock.fast_forward(3 * ONE_MINUTE)
    await expect(person.heading(person.arriving("left.heading"))).to_be_visible()
    await expect(_letter(person)).to_have_count(0)
    await person.page.reload()
    await expect(person.heading(person.link("kiosk.heading"))).to_be_visible()


async def test_a_console_that_nobody_touches_locks_itself(scene: Scene, visit: Visit) -> None:
    """After ten minutes its keys are gone, and it says why."""
    guest = await visit()
    await guest.context.clock.install()
    console = await MediatorPage.open(guest, scene, scene.mediator)
    await console.page.clock.fast_forward(NEARLY_TEN_MINUTES)
    await expect(console.page.get_by_text(console.words("unlock.idleSoon"))).to_be_visible()
    await console.page.clock.fast_forward(ONE_MINUTE)
    await expect(console.page.get_by_text(console.words("unlock.idle"))).to_be_visible()
    await console.unlock(scene.mediator)


async def test_what_is_written_is_kept_as_soon_as_the_page_is_out_of_sight(
    scene: Scene, visit: Visit
) -> None:
    """A phone may end a page any time after that, and says no more: no timer of the page goes off here."""
    waiting = await scene.waiting()
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await person.page.clock.install()
    await person.page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    await person.begin_letter(WORDS)
    await expect(_kept(person)).to_have_count(0)
    await person.page.evaluate(_HIDDEN)
    await expect(_kept(person)).to_be_visible()


async def test_who_writes_without_a_pause_is_kept_too(scene: Scene, visit: Visit) -> None:
    """A battery that dies takes the words of the last seconds, never a whole letter. It is told once."""
    person = await _writing(scene, visit)
    await person.page.evaluate(_LISTEN)
    typing = asyncio.create_task(_letter(person).press_sequentially(KEYS, delay=KEY_MS))
    await expect(_kept(person)).to_be_visible()
    assert not typing.done()
    await typing
    told: list[str] = await person.page.evaluate("globalThis.told")
    assert told.count(person.sending("letter.saving")) == 1


async def _writing(scene: Scene, visit: Visit, *, ticking: bool = False) -> ParticipantPage:
    """Somebody who wrote words a moment ago; `ticking`: where the test may put the page's clock forward."""
    waiting = await scene.waiting()
    guest = await visit()
    if ticking:
        await guest.context.clock.install()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await person.begin_letter(WORDS)
    return person


def _letter(person: ParticipantPage) -> Locator:
    return person.page.get_by_label(person.sending("letter.field"), exact=True)


def _kept(person: ParticipantPage) -> Locator:
    return person.page.get_by_text(person.sending.pattern("letter.saved"))


async def _finds_the_words_again(person: ParticipantPage) -> None:
    await person.unlock()
    await person.button(person.home("home.goOnWriting")).click()
    await expect(_letter(person)).to_have_value(WORDS)
