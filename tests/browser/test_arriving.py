"""Coming in through a link: light, quick, once for good, and never past an answer nobody vouched for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.crypto.links import parse_link_url
from relay.crypto.words import word_list
from relay.testing.people import PASSPHRASE
from tests.support.browser import forging
from tests.support.browser.casework import LANGUAGES
from tests.support.browser.inputs import Keyboard
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Language, Visit
from tests.support.browser.wire import Sent

FIRST_SIGHT_BYTES: Final = 32_000
FIRST_PAGE_BYTES: Final = 150_000
_LISTEN: Final = """
(region) => {
  globalThis.said = [];
  const hear = () => {
    const now = region.textContent.trim();
    if (globalThis.said.at(-1) !== now) globalThis.said.push(now);
  };
  new MutationObserver(hear).observe(region, { subtree: true, childList: true, characterData: true });
}
"""


async def test_the_first_page_is_light(scene: Scene, visit: Visit) -> None:
    """One reads after 32 kB; all but libsodium is within 150 kB, and that comes when it is first needed.

    It is first needed to verify what relay says of the link. How long a slow line and an old phone take to
    show the page is measured by the benchmark.
    """
    waiting = await scene.waiting()
    guest = await visit()
    guest.wire.hold("/assets/worker")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    await expect(person.page.get_by_label(person.arriving("choose.field"))).to_be_visible()
    assert [one.url for one in guest.wire.sent if "sodium" in one.url] == []
    assert _received(guest.wire.sent) <= FIRST_SIGHT_BYTES
    guest.wire.let_go()
    status = person.page.get_by_text(person.arriving("checking.status"))
    await expect(status).to_have_count(0)
    sodium = [one for one in guest.wire.sent if "sodium" in one.url]
    assert len(sodium) == 1
    assert _received(guest.wire.sent) - _received(sodium) <= FIRST_PAGE_BYTES


async def test_nothing_that_is_typed_is_lost_while_pieces_of_the_page_come(
    scene: Scene, visit: Visit
) -> None:
    """A device that does not know that a link was claimed finds out late: its words stay."""
    waiting = await scene.waiting()
    await scene.claim(waiting.harmed_url)
    guest = await visit()
    guest.wire.hold("/assets/come-back")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    first, rest = PASSPHRASE[:9], PASSPHRASE[9:]
    field = person.page.get_by_label(person.arriving("choose.field"))
    await field.press_sequentially(first)
    await guest.wire.until_held()
    await field.press_sequentially(rest)
    guest.wire.let_go()
    back = person.page.get_by_label(person.arriving("back.field"), exact=True)
    await expect(back).to_have_value(PASSPHRASE)
    await person.button(person.arriving("back.open")).click()
    await person.at_home()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_relay_says_later_moves_no_button(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """On a slow line one types already; who can open what is sent comes later, and below."""
    waiting = await scene.waiting()
    guest = await visit(language=language, viewport={"width": 320, "height": 640})
    guest.wire.hold("/v1/links/")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, language)
    await person.page.get_by_label(person.arriving("choose.field")).fill(PASSPHRASE)
    begin = person.button(person.arriving("choose.begin"))
    before = await begin.bounding_box()
    guest.wire.let_go()
    await expect(person.page.get_by_text(person.arriving("opens.nobodyElse"))).to_be_visible()
    assert await begin.bounding_box() == before


async def test_the_secret_of_a_link_leaves_the_address_once_the_device_keeps_it(
    scene: Scene, visit: Visit
) -> None:
    """After arriving the address names the link alone; a reload finds the way back without the fragment."""
    waiting = await scene.waiting()
    guest = await visit()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    assert person.page.url == waiting.harmed_url.partition("#")[0]
    await person.page.reload()
    await person.unlock()


async def test_a_wrong_passphrase_opens_nothing_and_says_so_kindly(
    scene: Scene, visit: Visit
) -> None:
    """Somebody who mistypes is told what may be the matter and may try again; relay is told no word."""
    waiting = await scene.waiting()
    await scene.claim(waiting.harmed_url)
    guest = await visit()
    guest.expects("status of 403")
    guest.keeps_secret("a river under the new bridge")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    await person.type_passphrase("a river under the new bridge")
    await expect(person.page.get_by_text(person.arriving("back.wrong"))).to_be_visible()
    [tried] = guest.wire.to_relay("/v1/", "P")
    assert (tried.url.rpartition("/")[2], tried.status) == ("keyring", 403)
    await person.unlock()


async def test_after_several_wrong_passphrases_the_page_says_how_long_to_wait(
    scene: Scene, visit: Visit
) -> None:
    """Not even the right one opens before that; the page says why, and that nothing is lost."""
    waiting = await scene.waiting()
    await scene.claim(waiting.harmed_url)
    for guess in range(5):
        with pytest.raises(Problem):
            await Participant.unlock(
                scene.people.connection, waiting.harmed_url, f"guess number {guess}"
            )
    guest = await visit(language="fr")
    guest.expects("status of 429")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, "fr")
    await person.type_passphrase(PASSPHRASE)
    note = person.page.get_by_role("alert").filter(has_text=person.arriving.pattern("back.wait"))
    await expect(note).to_be_visible()
    assert re.search(r"\d+ secondes", await note.inner_text())
    assert [one.status for one in guest.wire.to_relay("/keyring", "POST")] == [429]


async def test_a_passphrase_that_is_easy_to_guess_is_told_while_it_is_typed(
    scene: Scene, visit: Visit
) -> None:
    """Each sentence is said once, politely; beginning with one is refused with it, and nothing is sent."""
    waiting = await scene.waiting()
    guest = await visit()
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    field = person.page.get_by_label(person.arriving("choose.field"))
    await expect(person.page.get_by_text(person.arriving("checking.status"))).to_have_count(0)
    said = person.page.locator("relay-passphrase [aria-live=polite]")
    await expect(said).to_have_text(person.arriving("shared.strength.empty"))
    link_id = parse_link_url(waiting.harmed_url).id
    for typed, weakness in (
        ("short", "passphrase-short"),
        ("zoo zoo zoo zoo", "passphrase-repeats"),
        ("abba baab abba a", "passphrase-uniform"),
        (str(link_id), "passphrase-from-link"),
    ):
        sentence = person.arriving(f"shared.weakness.{weakness}")
        await field.fill(typed)
        await expect(said).to_have_text(sentence)
        await expect(field).to_have_attribute("aria-invalid", "false")
        await expect(person.page.get_by_role("alert")).to_have_count(0)
        await person.button(person.arriving("choose.begin")).click()
        await expect(person.page.get_by_role("alert")).to_have_text(sentence)
        await expect(person.page.get_by_text(sentence)).to_have_count(1)
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_be_focused()
    await field.press_sequentially("!")
    await expect(person.page.get_by_role("alert")).to_have_count(0)
    assert guest.wire.to_relay("/v1/", "P") == []
    await field.fill("")
    said_while_typing = await _listened(person.page, said, field, "a river und")
    assert said_while_typing == [person.arriving("shared.weakness.passphrase-short")]
    await person.claim()


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_four_words_can_be_had_for_the_asking(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """With the keyboard alone, on a narrow screen: they are drawn, shown, and open the page later."""
    waiting = await scene.waiting()
    guest = await visit(language=language, viewport={"width": 320, "height": 640})
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, language, by=Keyboard)
    field = person.page.get_by_label(person.arriving("choose.field"))
    await expect(field).to_have_attribute("type", "password")
    assert [one.url for one in guest.wire.sent if "/words-" in one.url] == []
    suggest = person.button(person.arriving("shared.suggestion.four"))
    await person.input.press(suggest)
    said = person.page.locator("relay-passphrase [aria-live=polite]")
    await expect(said).to_have_text(person.arriving("shared.suggestion.given"))
    await expect(field).to_have_attribute("type", "text")
    await expect(suggest).to_be_focused()
    words = await field.input_value()
    assert len(words.split(" ")) == 4
    assert set(words.split(" ")) <= set(word_list(language))
    guest.keeps_secret(words)
    width: int = await person.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320
    await person.input.press(person.button(person.arriving("choose.begin")))
    await person.at_home()
    await person.page.reload()
    await person.unlock(f" {words} ")


async def test_words_that_cannot_be_fetched_are_no_hindrance(scene: Scene, visit: Visit) -> None:
    """Where the list does not come the page says so, and what somebody typed stays."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.expects("net::ERR_")
    await guest.context.route("**/assets/words-*.js", lambda route: route.abort())
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    field = person.page.get_by_label(person.arriving("choose.field"))
    await field.fill(PASSPHRASE)
    await person.button(person.arriving("shared.suggestion.four")).click()
    said = person.page.locator("relay-passphrase [aria-live=polite]")
    await expect(said).to_have_text(person.arriving("shared.suggestion.failed"))
    await expect(field).to_have_value(PASSPHRASE)
    await person.button(person.arriving("choose.begin")).click()
    await person.at_home()


async def test_a_mediator_makes_keys_with_six_words_and_not_with_a_weak_passphrase(
    scene: Scene, visit: Visit
) -> None:
    """The console holds the same floor, says it in the same place, and suggests more words."""
    guest = await visit()
    console = MediatorPage(await guest.open(scene.console_url), "en")
    page = console.page
    await page.get_by_text(console.words("unlock.make"), exact=True).click()
    field = page.get_by_label(console.words("unlock.makePassphrase"))
    again = page.get_by_label(console.words("unlock.makeAgain"))
    await field.fill("abcabcabcabc")
    await again.fill("abcabcabcabc")
    await console.button("unlock.makeDo").click()
    refused = console.words("shared.weakness.passphrase-repeats")
    await expect(page.get_by_role("alert").filter(has_text=refused)).to_be_visible()
    await expect(field).to_be_focused()
    await console.button("shared.suggestion.six").click()
    await expect(page.get_by_text(console.words("shared.suggestion.given"))).to_be_visible()
    words = await field.input_value()
    assert len(words.split(" ")) == 6
    guest.keeps_secret(words)
    await again.fill(words)
    await console.button("unlock.makeDo").click()
    await expect(page.get_by_text(console.words("unlock.made"), exact=True)).to_be_visible()
    await expect(field).to_have_value("")
    await expect(field).to_have_attribute("type", "password")


async def test_a_link_is_claimed_once(scene: Scene, visit: Visit) -> None:
    """The second person to choose a passphrase for a link is refused, and told to call the mediator."""
    waiting = await scene.waiting()
    first, second = await visit(), await visit()
    second.expects("status of 409")
    late = await ParticipantPage.arrive(second, waiting.harmed_url)
    await expect(late.page.get_by_label(late.arriving("choose.field"))).to_be_visible()
    await ParticipantPage.begin(first, waiting.harmed_url)
    await late.page.get_by_label(late.arriving("choose.field")).fill("something else of my own")
    await late.button(late.arriving("choose.begin")).click()
    await expect(late.page.get_by_text(late.arriving("back.taken"))).to_be_visible()
    await expect(late.page.get_by_label(late.arriving("back.field"), exact=True)).to_have_value("")
    [claim] = second.wire.to_relay("/claim", "PUT")
    assert claim.status == 409


@pytest.mark.parametrize("lie", forging.ARRIVAL)
async def test_an_answer_that_nobody_vouched_for_stops_the_page(
    scene: Scene, visit: Visit, lie: str
) -> None:
    """Where an answer does not lead back to the link's fingerprint, the page warns and sends nothing."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.address_may_stay = True
    guest.wire.alter("/v1/links/", forging.ARRIVAL[lie])
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    await _is_warned(person, "problem.untrusted.heading")
    await expect(person.page.get_by_label(person.arriving("choose.field"))).to_have_count(0)
    assert {one.method for one in guest.wire.to_relay("/v1/")} == {"GET"}


async def test_a_lie_that_begins_later_stops_the_page_as_well(scene: Scene, visit: Visit) -> None:
    """Somebody who comes back to a relay that was taken over meanwhile is warned before typing anything."""
    waiting = await scene.waiting()
    guest = await visit()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    guest.wire.alter("/v1/links/", forging.ARRIVAL["another key for the case"])
    sent = len(guest.wire.sent)
    await person.page.reload()
    await _is_warned(person, "problem.untrusted.heading")
    later = [one for one in guest.wire.sent[sent:] if "/v1/" in one.url]
    assert {one.method for one in later} == {"GET"}


async def test_a_participant_begins_in_french(scene: Scene, visit: Visit) -> None:
    """A browser that prefers French is spoken to in French, and the choice can be changed on the spot."""
    waiting = await scene.waiting()
    guest = await visit(language="fr")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, "fr")
    await expect(person.heading(person.arriving("checking.heading"))).to_be_visible()
    assert await _language(person.page) == "fr"
    await person.button("English").click()
    await expect(person.page.get_by_label("Your new passphrase")).to_be_visible()
    assert await _language(person.page) == "en"
    await person.button("Français").click()
    await person.claim(PASSPHRASE)


async def _listened(page: Page, said: Locator, field: Locator, typed: str) -> list[str]:
    """What a live region says while somebody types, each change once."""
    await said.evaluate(_LISTEN)
    await field.press_sequentially(typed)
    changes: list[str] = await page.evaluate("globalThis.said")
    return changes


def _received(sent: Iterable[Sent]) -> int:
    return sum(one.received_bytes for one in sent)


async def _is_warned(person: ParticipantPage, key: str) -> None:
    await expect(person.heading(person.arriving(key))).to_be_visible()


async def _language(page: Page) -> str:
    language: str = await page.evaluate("document.documentElement.lang")
    return language


async def test_a_page_whose_worker_cannot_be_fetched_says_so_and_tries_again(
    scene: Scene, visit: Visit
) -> None:
    """Where the connection fails in between nobody is left waiting: they are told, and can try again."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.expects("net::ERR_")
    await guest.context.route("**/assets/worker-*.js", lambda route: route.abort())
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    guest.address_may_stay = True
    await _is_warned(person, "problem.offline.heading")
    console = MediatorPage(await guest.open(scene.console_url), "en")
    await expect(console.heading("unlock.offline")).to_be_visible()
    await guest.context.unroute("**/assets/worker-*.js")
    await person.button(person.arriving("problem.again")).click()
    await person.claim()
    await console.button("again").click()
    await expect(console.heading("unlock.title")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/L/nothing", "/konsole", "/v1/nothing"])
async def test_an_address_where_nothing_is_shows_a_page_for_a_person(
    scene: Scene, visit: Visit, path: str, language: Language
) -> None:
    """Mistyped or unknown: what to do, in one's own language, and who to call."""
    guest = await visit(language=language)
    guest.expects("status of 404")
    page = await guest.open(f"{scene.url}{path}")
    person = ParticipantPage(page, guest, language)
    await expect(person.heading(person.arriving("problem.no-such-link.heading"))).to_be_visible()
    await expect(person.page.get_by_text(person.arriving("help.mediator"))).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_webassembly_that_is_switched_off_is_named(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """Lockdown Mode and Tor Browser: the setting is told, and nobody is told that their browser is old."""
    waiting = await scene.waiting()
    guest = await visit(language=language)
    await guest.context.add_init_script("delete globalThis.WebAssembly")
    guest.address_may_stay = True
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, language)
    await expect(person.heading(person.arriving("problem.switchedOff.heading"))).to_be_visible()
    await expect(
        person.page.get_by_text(person.arriving("problem.switchedOff.todo"))
    ).to_be_visible()
