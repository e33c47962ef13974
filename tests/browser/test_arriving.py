"""Coming in through a link: light, quick, once for good, and never past an answer nobody vouched for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest
from playwright.async_api import Page, expect

from relay.demo.cast import PASSPHRASE
from tests.browser import forging
from tests.browser.conftest import Visit
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene
from tests.browser.wire import Sent

FIRST_SIGHT_BYTES: Final = 30_000
FIRST_PAGE_BYTES: Final = 150_000


async def test_the_first_page_is_light(scene: Scene, visit: Visit) -> None:
    """One reads after 30 kB; all but libsodium is within 150 kB, and that comes when it is first needed.

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
    """Somebody who mistypes is told what may be the matter, may try again, and relay is not asked."""
    waiting = await scene.waiting()
    await scene.claim(waiting.harmed_url)
    guest = await visit()
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    await person.type_passphrase("a river under the new bridge")
    await expect(person.page.get_by_text(person.arriving("back.wrong"))).to_be_visible()
    assert guest.wire.to_relay("/v1/", "P") == []
    await person.unlock()


async def test_a_link_is_claimed_once(scene: Scene, visit: Visit) -> None:
    """Of two with one link, who chooses a passphrase second is refused, and told to call the mediator."""
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
