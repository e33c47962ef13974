"""A computer that many people use: what its browser has in its own files after somebody used a link."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import pytest
from playwright.async_api import Playwright, expect

from relay.testing.letters import LETTER
from relay.testing.people import PASSPHRASE
from tests.support.browser.engines import EngineVisitor, firefox
from tests.support.browser.inputs import Keyboard
from tests.support.browser.leaks import found_in, needles_of, needles_of_link, stored
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.profiles import chromium_with, found_on_disk, visited
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.visitors import Language, Visit, Visitor
from tests.support.browser.wire import wire_to
from tests.support.browser.words import Words
from tests.support.node import ROOT, node

ASSISTANT: Final = "M. Roy, chaplain"
ELSEWHERE: Final = "https://www.google.com/"
SESSION_WRITTEN_MS: Final = 4_000
"""After so long Chromium has written down what it would bring back."""
ONE_MINUTE_MS: Final = 60_000
FRAMES_PER_SECOND: Final = 5
CELL_PIXELS: Final = 8
QUIET_CELLS: Final = 4
WHITE: Final = 255
OWN_BUSINESS: Final = re.compile(
    r"to elsewhere: [A-Z]+ (http://)?[a-z0-9.-]+\.(google|googleapis|gvt1)\.com[:/]"
)
"""Whom Chromium itself asks where it has a profile of its own, whatever page it shows."""
LINK: Final = Words("participant/link", "en")
ARRIVING: Final = Words("participant/arriving", "en")
HOME: Final = Words("participant/home", "en")
SENDING: Final = Words("participant/sending", "en")

_HELD_UP: Final = (
    "scale=-2:330,rotate=0.12:ow=rotw(0.12):oh=roth(0.12):c=gray,"
    "pad=640:480:(ow-iw)/2:(oh-ih)/2:gray,noise=alls=12:allf=t,gblur=sigma=0.8,format=yuvj420p"
)
_CODE: Final = f"""
import({str(ROOT / "web" / "node_modules" / "lean-qr" / "index.mjs")!r}).then(({{ generate }}) => {{
  const code = generate(process.argv[1]);
  const cells = Array.from({{ length: code.size }}, (_, place) => place);
  console.log(cells.map((y) => cells.map((x) => (code.get(x, y) ? 1 : 0)).join('')).join('\\n'));
}});
"""

# What happens at the kiosk and afterwards.


async def test_a_visit_at_a_kiosk_leaves_no_secret_in_the_profile(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """Pasted, claimed, reloaded, in two languages, gone back and forth: nothing of it is on the disk."""
    waiting = await scene.waiting()
    async with _kiosk(scene, playwright, tmp_path) as guest:
        person = await ParticipantPage.at_kiosk(guest)
        await guest.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await person.page.evaluate(
            "(url) => navigator.clipboard.writeText(url)", waiting.harmed_url
        )
        guest.keeps_link_secret(waiting.harmed_url)
        guest.keeps_secret(PASSPHRASE, ASSISTANT)
        await person.page.get_by_label(LINK("kiosk.field.label")).focus()
        await person.page.keyboard.press("Control+V")
        await person.button(LINK("kiosk.field.open")).click()
        await person.name_assistant(ASSISTANT)
        assert await person.page.evaluate("navigator.clipboard.readText()") == ""
        await person.claim()
        await person.begin_letter(LETTER)
        await person.page.wait_for_timeout(SESSION_WRITTEN_MS)
        await person.finish_letter(LETTER)
        await _wander(person)
        await person.hand_over(waiting.harmed_url)
        await person.name_assistant(ASSISTANT)
        await person.unlock()
        await person.button(ARRIVING("finish")).click()
        await expect(person.heading(ARRIVING("left.heading"))).to_be_visible()
        assert found_in(await stored(person.page), needles_of([waiting.harmed_url])) == []
    assert found_on_disk(tmp_path, _needles(waiting.harmed_url)) == []
    assert set(visited(tmp_path)) == {f"{scene.url}/kiosk", f"{scene.url}/kiosk#top"}


async def test_one_message_at_a_kiosk_leaves_no_secret_in_the_profile(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """An upload link is no address either, its receipt is on the screen alone; leaving quickly ends it."""
    waiting = await scene.waiting()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
    async with _kiosk(scene, playwright, tmp_path) as guest:
        person = await ParticipantPage.at_kiosk(guest)
        await guest.may_be_led_to(ELSEWHERE)
        await person.hand_over(url)
        await person.name_assistant(ASSISTANT)
        await person.button(ARRIVING("upload.begin")).click()
        await person.button(SENDING("choose.letter")).click()
        await person.page.get_by_label(SENDING("letter.field"), exact=True).fill(LETTER)
        await person.button(SENDING("letter.preview")).click()
        await person.button(SENDING("preview.send")).click()
        await expect(person.heading(SENDING("done.heading"))).to_be_visible()
        receipt = await person.page.locator("relay-sent .code").inner_text()
        assert person.page.url == f"{scene.url}/kiosk"
        await person.button(ARRIVING("shared.leaveNow")).click()
        await expect(person.page.get_by_role("heading", name="Elsewhere")).to_be_visible()
        await person.page.go_back()
        await expect(person.heading(LINK("kiosk.heading"))).to_be_visible()
    assert found_on_disk(tmp_path, [*_needles(url), *needles_of([receipt])]) == []
    assert set(visited(tmp_path)) <= {f"{scene.url}/kiosk", ELSEWHERE}


async def test_firefox_has_no_secret_in_its_profile_after_a_visit_at_a_kiosk(
    scene: Scene, tmp_path: Path
) -> None:
    """Typed and claimed, reloaded with half a link in the field, typed and opened again."""
    waiting = await scene.waiting()
    url = waiting.harmed_url
    async with wire_to(scene.url) as wire, firefox(wire.url, profile=tmp_path) as driver:
        guest = EngineVisitor(driver, wire)
        for again in (False, True):
            person = await ParticipantPage.at_kiosk(guest, by=Keyboard)
            await person.hand_over(url)
            await person.name_assistant(ASSISTANT)
            await (person.unlock() if again else person.claim())
            await person.begin_letter(LETTER)
            assert await person.page.evaluate("location.href") == f"{scene.url}/kiosk"
        person = await ParticipantPage.at_kiosk(guest, by=Keyboard)
        await person.input.write(person.page.get_by_label(LINK("kiosk.field.label")), url)
        assert await driver.said() == []
    assert found_on_disk(tmp_path, _needles(url)) == []
    assert [one for one in visited(tmp_path) if one.startswith(scene.url)] == [f"{scene.url}/kiosk"]


# What a browser keeps where a link is an address, as threat-model.md says.


async def test_chromium_keeps_a_link_that_was_an_address(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """The address bar shows it no more, the history does: in the ordinary way, and where it is refused."""
    waiting = await scene.waiting()
    refused = _assisted(waiting.responsible_url)
    async with _kiosk(scene, playwright, tmp_path) as guest:
        person = await ParticipantPage.begin(guest, waiting.harmed_url)
        assert person.page.url == waiting.harmed_url.partition("#")[0]
        other = await guest.open(refused)
        await expect(other.get_by_role("heading", name=LINK("exposed.heading"))).to_be_visible()
    assert {waiting.harmed_url, refused} <= set(visited(tmp_path))
    for url in (waiting.harmed_url, waiting.responsible_url):
        assert any("History" in one for one in found_on_disk(tmp_path, needles_of_link(url)))


async def test_firefox_keeps_a_link_that_was_an_address(scene: Scene, tmp_path: Path) -> None:
    """Its history has the whole address."""
    waiting = await scene.waiting()
    async with wire_to(scene.url) as wire, firefox(wire.url, profile=tmp_path) as driver:
        await ParticipantPage.begin(EngineVisitor(driver, wire), waiting.harmed_url, by=Keyboard)
    assert waiting.harmed_url in visited(tmp_path)


# What is typed, at a kiosk or at home.


async def test_no_word_that_a_participant_types_is_in_the_profile(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """Browsers keep fields, to bring them back after a crash: no passphrase in plain sight, and no letter."""
    waiting = await scene.waiting()
    async with _kiosk(scene, playwright, tmp_path) as guest:
        person = await ParticipantPage.arrive(guest, waiting.harmed_url)
        await person.page.get_by_label(ARRIVING("choose.field")).fill(PASSPHRASE)
        await person.page.get_by_label(ARRIVING("choose.show")).check()
        await person.page.wait_for_timeout(SESSION_WRITTEN_MS)
        await person.button(ARRIVING("choose.begin")).click()
        await person.at_home()
        await person.begin_letter(LETTER)
        await person.page.wait_for_timeout(SESSION_WRITTEN_MS)
    assert any("Session" in one for one in found_on_disk(tmp_path, [waiting.harmed_url.encode()]))
    assert found_on_disk(tmp_path, needles_of([PASSPHRASE, LETTER])) == []


async def test_no_word_that_a_mediator_types_or_is_shown_is_in_the_profile(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """Not the link that the console shows as text, and not a letter that is written down for somebody."""
    waiting = await scene.waiting()
    async with _kiosk(scene, playwright, tmp_path) as guest:
        mediator = await MediatorPage.open(guest, scene, scene.mediator)
        await mediator.go("cases")
        await mediator.page.get_by_role("button", name=f"case {waiting.case_id}").click()
        await mediator.button("case.showLink").first.click()
        text = mediator.page.get_by_label(mediator.words("address.text"))
        shown = await text.input_value()
        guest.keeps_link_secret(shown)
        await mediator.page.wait_for_timeout(SESSION_WRITTEN_MS)
        await mediator.button("close").click()
        await mediator.go("letter")
        await mediator.page.locator("#letter-words").fill(LETTER)
        await mediator.page.wait_for_timeout(SESSION_WRITTEN_MS)
    assert any("Session" in one for one in found_on_disk(tmp_path, [scene.url.encode()]))
    needles = [*needles_of_link(shown), *needles_of([LETTER, scene.mediator.passphrase])]
    assert found_on_disk(tmp_path, needles) == []


# Links that are refused as addresses.


async def test_a_link_in_the_address_of_the_kiosk_itself_is_refused(
    scene: Scene, visit: Visit
) -> None:
    """When the page is opened and when it is open already: in the history it is all the same."""
    waiting = await scene.waiting()
    address, _, fragment = waiting.harmed_url.partition("#")
    guest = await visit()
    guest.address_may_stay = True
    guest.keeps_link_secret(waiting.harmed_url)
    person = await ParticipantPage.at_kiosk(guest)
    for tail in (f"#{fragment}", f"#{address}#{fragment}"):
        await expect(person.heading(person.link("kiosk.heading"))).to_be_visible()
        await person.page.goto(f"{scene.url}/kiosk{tail}")
        await expect(person.heading(person.link("exposed.heading"))).to_be_visible()
        assert person.page.url == f"{scene.url}/kiosk"
        await person.page.get_by_role("link", name=person.link("exposed.kiosk")).click()
    assert guest.wire.about_people() == []
    await person.hand_over(waiting.harmed_url)
    await person.name_assistant(ASSISTANT)
    await person.claim()
    await person.page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
    await expect(person.heading(person.link("exposed.heading"))).to_be_visible()
    assert person.page.url == f"{scene.url}/kiosk"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_link_that_is_an_address_with_staff_beside_is_refused(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """Nothing is asked of relay; the page says where the link now is, what to do, and where to continue."""
    waiting = await scene.waiting()
    guest = await visit(language=language)
    person = ParticipantPage(await guest.open(_assisted(waiting.harmed_url)), guest, language)
    guest.keeps_link_secret(waiting.harmed_url)
    guest.address_may_stay = True  # in the history: that is what the page speaks of
    await expect(person.heading(person.link("exposed.heading"))).to_be_visible()
    for key in ("exposed.clear", "exposed.then", "exposed.renew"):
        await expect(person.page.get_by_text(person.link(key))).to_be_visible()
    assert person.page.url == f"{scene.url}/kiosk"
    assert guest.wire.about_people() == []
    await person.page.get_by_role("link", name=person.link("exposed.kiosk")).click()
    await person.hand_over(waiting.harmed_url)
    await person.name_assistant(ASSISTANT)
    await person.claim()


async def test_who_finds_out_late_that_a_computer_is_shared_is_told_the_truth(
    scene: Scene, visit: Visit
) -> None:
    """What relay kept goes; of the history the page says that it does not."""
    waiting = await scene.waiting()
    guest = await visit()
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    guest.address_may_stay = True
    await person.button(ARRIVING("assistedSwitch.button")).click()
    await expect(person.heading(LINK("exposed.heading"))).to_be_visible()
    await expect(person.page.get_by_text(LINK("exposed.clear"))).to_be_visible()
    kept = [one.place for one in await stored(person.page) if one.content.strip()]
    assert [place for place in kept if place.startswith("IndexedDB relay links")] == []
    assert [place for place in kept if "relay-opened" in place] == []
    await person.page.goto(waiting.harmed_url.partition("#")[0])
    await expect(person.heading(ARRIVING("problem.no-such-link.heading"))).to_be_visible()


async def test_another_text_than_a_link_is_refused_in_words(scene: Scene, visit: Visit) -> None:
    """Nothing, half a link, another site's, one that relay does not know; then the right one."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.expects("status of 404")
    person = await ParticipantPage.at_kiosk(guest)
    field = person.page.get_by_label(LINK("kiosk.field.label"))
    for text, fault in (
        ("", "missing"),
        (waiting.harmed_url[:-1], "notLink"),
        (waiting.harmed_url.replace("127.0.0.1", "relay.elsewhere.example"), "elsewhere"),
    ):
        await field.fill(text)
        await person.button(LINK("kiosk.field.open")).click()
        await expect(person.page.get_by_text(LINK(f"kiosk.field.{fault}"))).to_be_visible()
        await expect(field).to_be_focused()
    assert guest.wire.about_people() == []
    await person.hand_over(_unknown(waiting.harmed_url))
    await expect(person.heading(ARRIVING("problem.no-such-link.heading"))).to_be_visible()
    await person.button(LINK("kiosk.startOver")).click()
    await person.hand_over(waiting.harmed_url)
    await person.name_assistant(ASSISTANT)
    await person.claim()


async def test_a_kiosk_works_by_keyboard_alone_and_in_french(scene: Scene, visit: Visit) -> None:
    """The page without a link, the link, who helps, and the passphrase."""
    waiting = await scene.waiting()
    guest = await visit(language="fr")
    person = await ParticipantPage.at_kiosk(guest, "fr", by=Keyboard)
    await person.hand_over(waiting.harmed_url)
    await person.name_assistant(ASSISTANT)
    await person.claim()
    assert person.page.url == f"{scene.url}/kiosk"


@pytest.mark.parametrize("where", ["assistant", "choose"])
async def test_a_link_that_was_handed_over_and_left_is_forgotten(
    scene: Scene, visit: Visit, where: str
) -> None:
    """After three minutes without a touch, with a warning before, also before anybody has signed in."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.clock.install()
    person = await ParticipantPage.at_kiosk(guest)
    await person.hand_over(waiting.harmed_url)
    field = person.page.get_by_label(ARRIVING("assistant.field"))
    await expect(field).to_be_visible()
    if where == "choose":
        await person.name_assistant(ASSISTANT)
        await expect(person.page.get_by_label(ARRIVING("choose.field"))).to_be_visible()
    await person.page.clock.fast_forward(2 * ONE_MINUTE_MS + 1)
    await expect(person.page.get_by_text(LINK("kiosk.idle"))).to_be_visible()
    await person.page.clock.fast_forward(ONE_MINUTE_MS)
    await expect(person.heading(ARRIVING("left.heading"))).to_be_visible()
    await person.button(ARRIVING("left.again")).click()
    await expect(person.page.get_by_label(LINK("kiosk.field.label"))).to_have_value("")


async def test_what_somebody_left_in_the_field_is_not_for_the_next(
    scene: Scene, visit: Visit
) -> None:
    """After three minutes without a touch the field is empty again."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.clock.install()
    person = await ParticipantPage.at_kiosk(guest)
    guest.keeps_link_secret(waiting.harmed_url)
    field = person.page.get_by_label(LINK("kiosk.field.label"))
    await field.fill(waiting.harmed_url)
    await person.page.clock.fast_forward(3 * ONE_MINUTE_MS + 1)
    await expect(field).to_have_value("")


# The camera.


async def test_the_code_on_a_mediators_screen_opens_a_link_at_a_kiosk(
    scene: Scene, visit: Visit, playwright: Playwright, tmp_path: Path
) -> None:
    """From the console's picture to the kiosk's camera; no secret is on the disk afterwards."""
    waiting = await scene.waiting()
    picture = await _code_in_the_console(scene, visit, waiting, tmp_path / "code.png")
    film = await asyncio.to_thread(_filmed, picture, tmp_path / "film.mjpeg")
    profile = tmp_path / "profile"
    async with _kiosk(scene, playwright, profile, sees=film) as guest:
        guest.keeps_link_secret(waiting.harmed_url)
        guest.keeps_secret(PASSPHRASE)
        person = await ParticipantPage.at_kiosk(guest)
        await person.button(LINK("kiosk.scan.start")).click()
        await person.name_assistant(ASSISTANT)
        await expect(person.page.locator("video")).to_have_count(0)
        await person.claim()
        assert person.page.url == f"{scene.url}/kiosk"
    assert found_on_disk(profile, _needles(waiting.harmed_url)) == []


async def test_a_code_that_is_no_link_of_this_relay_is_refused_in_words(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """The camera stays on for the right one, and nothing is asked of relay."""
    for text, hint in (
        ("WIFI:S:guests;T:WPA;P:welcome;;", "notLink"),
        (
            f"https://elsewhere.example/l/5a6c1d9e-4f53-4b0e-8a2e-9d8a6f3c2b10#{'A' * 64}",
            "elsewhere",
        ),
    ):
        picture = await asyncio.to_thread(_drawn, text, tmp_path / f"{hint}.pgm")
        film = await asyncio.to_thread(_filmed, picture, tmp_path / f"{hint}.mjpeg")
        async with _kiosk(scene, playwright, tmp_path / hint, sees=film, whole=False) as guest:
            person = await ParticipantPage.at_kiosk(guest)
            await person.button(LINK("kiosk.scan.start")).click()
            await expect(person.page.get_by_text(LINK(f"kiosk.scan.{hint}"))).to_be_visible()
            await expect(person.page.locator("video")).to_be_visible()
            assert guest.wire.about_people() == []


async def test_a_camera_that_finds_no_code_says_so_and_turns_itself_off(
    scene: Scene, visit: Visit
) -> None:
    """After a quarter of a minute there is advice, after two minutes the camera is off."""
    guest = await visit()
    await guest.context.clock.install()
    person = await ParticipantPage.at_kiosk(guest)
    await person.button(LINK("kiosk.scan.start")).click()
    await expect(person.page.get_by_text(LINK("kiosk.scan.looking"))).to_be_visible()
    await person.page.evaluate(
        "() => { globalThis.seen = document.querySelector('video').srcObject; }"
    )
    await person.page.clock.fast_forward(ONE_MINUTE_MS // 4)
    await expect(person.page.get_by_text(LINK("kiosk.scan.notYet"))).to_be_visible()
    await person.page.clock.fast_forward(2 * ONE_MINUTE_MS)
    await expect(person.page.get_by_text(LINK("kiosk.scan.tooLong"))).to_be_visible()
    await expect(person.page.locator("video")).to_have_count(0)
    assert await person.page.evaluate(
        "globalThis.seen.getTracks().map((one) => one.readyState)"
    ) == ["ended"]
    await expect(person.page.get_by_label(LINK("kiosk.field.label"))).to_be_visible()


@pytest.mark.parametrize(
    ("camera", "allowed", "fault"),
    [(True, False, "denied"), (False, True, "missing")],
)
async def test_without_a_camera_the_page_says_why_and_offers_the_field(
    scene: Scene, playwright: Playwright, tmp_path: Path, *, camera: bool, allowed: bool, fault: str
) -> None:
    """Refused by the person, or not there: in words, and the link can be typed."""
    waiting = await scene.waiting()
    async with _kiosk(
        scene, playwright, tmp_path, camera=camera, allowed=allowed, whole=not allowed
    ) as guest:
        person = await ParticipantPage.at_kiosk(guest)
        await person.button(LINK("kiosk.scan.start")).click()
        await expect(person.page.get_by_text(LINK(f"kiosk.scan.fault.{fault}"))).to_be_visible()
        await expect(person.button(LINK("kiosk.scan.start"))).to_be_visible()
        await person.hand_over(waiting.harmed_url)
        await person.name_assistant(ASSISTANT)
        await person.claim()


async def test_where_the_reader_of_codes_cannot_be_fetched_the_field_is_still_there(
    scene: Scene, visit: Visit
) -> None:
    """It is fetched when the camera is turned on, and not before."""
    guest = await visit()
    guest.expects("net::ERR_")
    await guest.context.route("**/assets/decode-*.js", lambda route: route.abort())
    person = await ParticipantPage.at_kiosk(guest)
    await expect(person.heading(LINK("kiosk.heading"))).to_be_visible()
    assert guest.wire.to_relay("/assets/decode") == []
    await person.button(LINK("kiosk.scan.start")).click()
    await expect(person.page.get_by_text(LINK("kiosk.scan.fault.offline"))).to_be_visible()
    await expect(person.page.get_by_label(LINK("kiosk.field.label"))).to_be_visible()


@contextlib.asynccontextmanager
async def _kiosk(
    scene: Scene,
    playwright: Playwright,
    profile: Path,
    *,
    sees: Path | None = None,
    camera: bool = True,
    allowed: bool = True,
    whole: bool = True,
) -> AsyncIterator[Visitor]:
    """A watched visitor in a browser whose profile stays on the disk."""
    async with (
        wire_to(scene.url) as wire,
        chromium_with(
            playwright,
            profile,
            wire.url,
            sees=sees,
            camera=camera,
            allowed=allowed,
            whole=whole,
        ) as context,
    ):
        guest = Visitor(context, wire)
        yield guest
        wrong = await guest.wrong()
        assert [one for one in wrong if OWN_BUSINESS.match(one) is None] == []


async def _wander(person: ParticipantPage) -> None:
    """Do on the page what a browser may write an address down for."""
    page = person.page
    await person.button("Français").click()
    french = Words("participant/home", "fr")
    await person.button(french("home.newLetter")).click()
    await person.button("English").click()
    await page.go_back()
    await person.at_home()
    await page.evaluate("location.hash = 'top'")
    await page.wait_for_function("location.hash === ''")
    await person.at_home()
    await page.reload()
    await expect(person.heading(LINK("kiosk.heading"))).to_be_visible()
    assert page.url.endswith("/kiosk")


def _assisted(url: str) -> str:
    address, _, fragment = url.partition("#")
    return f"{address}?assisted#{fragment}"


def _unknown(url: str) -> str:
    return re.sub(r"/l/[0-9a-f]{8}", "/l/00000000", url)


def _needles(url: str) -> list[bytes]:
    return [*needles_of_link(url), *needles_of([PASSPHRASE, LETTER, ASSISTANT])]


async def _code_in_the_console(scene: Scene, visit: Visit, waiting: Waiting, target: Path) -> Path:
    """A picture of the code that the console shows for the link of the person harmed."""
    mediator = await MediatorPage.open(await visit(), scene, scene.mediator)
    await mediator.go("cases")
    await mediator.page.get_by_role("button", name=f"case {waiting.case_id}").click()
    for place in range(2):
        await mediator.button("case.showLink").nth(place).click()
        text = mediator.page.get_by_label(mediator.words("address.text"))
        shown = await text.input_value()
        if shown == waiting.harmed_url:
            code = mediator.page.get_by_role("img", name=mediator.words("address.qrAlt"))
            await code.screenshot(path=target)
            return target
        await mediator.button("close").click()
    raise AssertionError("the link is not in the console")


def _drawn(text: str, target: Path) -> Path:
    """A picture of a code, made by the same program as the console's."""
    made = subprocess.run([node(), "-e", _CODE, text], check=True, capture_output=True, text=True)
    rows = made.stdout.split()
    side = len(rows) + 2 * QUIET_CELLS
    quiet = [bytes([WHITE]) * side] * QUIET_CELLS
    edge = bytes([WHITE]) * QUIET_CELLS
    cells = [edge + bytes(0 if cell == "1" else WHITE for cell in row) + edge for row in rows]
    lines = [
        b"".join(bytes([cell]) * CELL_PIXELS for cell in line) for line in [*quiet, *cells, *quiet]
    ]
    pixels = b"".join(line * CELL_PIXELS for line in lines)
    target.write_bytes(b"P5 %d %d 255\n" % (side * CELL_PIXELS, side * CELL_PIXELS) + pixels)
    return target


def _filmed(picture: Path, target: Path) -> Path:
    """What a camera makes of a picture that somebody holds up: askew, not quite sharp, on grey."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error"),
        *("-loop", "1", "-framerate", str(FRAMES_PER_SECOND), "-t", "2", "-i", str(picture)),
        "-vf",
        _HELD_UP,
        *("-f", "mjpeg", "-q:v", "4", str(target)),
    ]
    subprocess.run(command, check=True)
    return target
