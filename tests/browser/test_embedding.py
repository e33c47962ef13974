"""The console inside the case system's page, and inside pages that only pretend to be that."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Locator, Page, Playwright, expect

from relay.testing.letters import LETTER
from relay.testing.people import verify_everybody
from tests.support.browser.embedding import settings_of, show, work_in
from tests.support.browser.profiles import chromium_with
from tests.support.browser.scene import Scene, Waiting, with_mediators_of_its_own
from tests.support.browser.tour import prepared_video
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit, Visitor
from tests.support.browser.wire import wire_to
from tests.support.browser.words import Words

WORDS: Final = Words("console", "en")

FORGED_WELCOME: Final = """
([console_url, settings]) => {
  const channel = new MessageChannel();
  const opened = window.open(console_url);
  addEventListener('message', () => document.body.append('answered'));
  channel.port1.onmessage = () => document.body.append('answered');
  const say = () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => document.body.append('answered');
    port1.postMessage(settings);
    opened.postMessage({ relay: 'console-welcome', version: 1 }, '*', [port2]);
  };
  say();
  setInterval(say, 20);
}
"""


async def test_a_mediator_works_inside_the_case_system(scene: Scene, visit: Visit) -> None:
    """The page around hands sealed keys over a port, the passphrase is typed in the frame, no URL tells."""
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    page = await guest.open(scene.embedding_url)
    frame = await work_in(guest, page, scene)
    await expect(frame.get_by_role("heading", name=WORDS("queue.title"), level=1)).to_be_visible()
    assert [one.url for one in page.frames[1:]] == [f"{scene.url}/console"]


async def test_a_page_of_another_origin_cannot_show_the_console(scene: Scene, visit: Visit) -> None:
    """An origin that was not named is refused by the browser itself: nothing is drawn or run."""
    guest = await visit(also=[scene.forged_url.rstrip("/")], check=False)
    page = await guest.open(scene.forged_url)
    async with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        frame = await show(page, settings_of(scene))
    await expect(frame.get_by_role("button")).to_have_count(0)
    assert guest.wire.to_relay("/v1/") == []


async def test_a_window_that_pretends_to_be_the_case_system_is_not_believed(
    scene: Scene, visit: Visit
) -> None:
    """A console that another site opened in a window takes no settings from it, and never answers."""
    guest = await visit(also=[scene.forged_url.rstrip("/")])
    page = await guest.open(scene.forged_url)
    async with guest.context.expect_page() as opening:
        await page.evaluate(
            FORGED_WELCOME,
            [f"{scene.url}/console", {**settings_of(scene), "relay": "settings"}],
        )
    console = await opening.value
    await expect(console.get_by_text(WORDS("unlock.noFingerprint")).first).to_be_visible()
    await expect(console.get_by_label(WORDS("unlock.passphrase"), exact=True)).to_have_count(0)
    await expect(page.get_by_text("answered")).to_have_count(0)


LETTERS: Final = 24
_SURROUND: Final = """
() => {
  for (const where of ['prepend', 'append']) {
    const more = document.createElement('div');
    more.style.height = '1500px';
    document.body[where](more);
  }
}
"""
_TELLS_NOTHING: Final = """
() => {
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (said, ...more) {
    if (said?.relay !== 'sight') post.call(this, said, ...more);
  };
}
"""
"""As a page with an older script of relay's, which does not say what is in sight."""
_CLIPPED: Final = """
() => {
  const place = document.querySelector('#place');
  place.style.cssText = 'height: 600px; overflow: auto; margin-top: 40px';
}
"""
KEEPS_NOTHING: Final = {"profile": {"default_content_setting_values": {"cookies": 2}}}
"""Preferences of a Chromium that lets no page keep anything."""
MINUTE_MS: Final = 60_000


async def long_case(scene: Scene) -> Waiting:
    """A case whose page is several screens long."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    for _ in range(LETTERS):
        await sender.send_letter(waiting.responsible_id, LETTER)
    return waiting


async def in_sight(page: Page, shown: Locator) -> None:
    """Wait until all of it is where somebody looks who scrolled nothing since."""
    size = page.viewport_size
    assert size is not None
    handle = await shown.element_handle()
    assert handle is not None
    box = None
    for _ in range(100):
        box = await handle.bounding_box()
        if box and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]:
            return
        await page.evaluate("new Promise(requestAnimationFrame)")
        await asyncio.sleep(0.1)
    pytest.fail(f"out of sight: {box}")


@pytest.mark.parametrize("around", ["tells", "tells nothing", "clips"])
async def test_what_is_asked_and_said_is_where_the_mediator_looks(
    scene: Scene, visit: Visit, tmp_path: Path, around: str
) -> None:
    """Dialogs, what was done and the next screen, in a frame that is several screens tall; nothing jumps."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    waiting = await long_case(scene)
    guest = await visit(also=[scene.third_party_url.rstrip("/")])
    await guest.context.clock.install()
    page = await guest.open(scene.third_party_url)
    await page.evaluate(_SURROUND)
    if around != "tells":
        await page.evaluate({"clips": _CLIPPED, "tells nothing": _TELLS_NOTHING}[around])
    frame = await work_in(guest, page, scene)
    navigation = frame.get_by_role("navigation")
    await navigation.get_by_role("button", name=WORDS("nav.cases")).click()
    await frame.get_by_role("button", name=f"case {waiting.case_id}").click()
    await expect(frame.locator("ul.queue > li")).to_have_count(LETTERS)
    height = await page.locator("iframe").evaluate("(frame) => frame.offsetHeight")
    assert height > 2 * (page.viewport_size or {"height": 0})["height"]

    change = frame.get_by_role("button", name=WORDS("readers.change"))
    await change.scroll_into_view_if_needed()
    place = "[scrollY, document.querySelector('#place').scrollTop]"
    before = await page.evaluate(place)
    await change.click()
    dialog = frame.get_by_role("dialog")
    await in_sight(page, dialog)
    cancel = dialog.get_by_role("button", name=WORDS("cancel"))
    await (
        cancel.scroll_into_view_if_needed()
    )  # within the dialog, where that is longer than what is in sight
    await in_sight(page, cancel)
    assert await page.evaluate(place) == before
    await cancel.click()
    await expect(change).to_be_focused()
    assert await page.evaluate(place) == before

    card = frame.get_by_role("region", name=WORDS("people.role.responsible"))
    await card.get_by_role("button", name=WORDS("case.recordConsent")).click()
    await in_sight(page, dialog)
    await dialog.get_by_role("button", name=WORDS("case.consentChoice.active")).click()
    await in_sight(page, frame.get_by_text(WORDS("case.recorded")))

    # What is being recorded is activity: the time begins when it is done.
    await expect(frame.locator("button[aria-disabled=true]")).to_have_count(0)
    await guest.context.clock.fast_forward(9 * MINUTE_MS + MINUTE_MS // 2)
    warned = frame.get_by_role("alert").filter(has_text=WORDS("unlock.idleSoon"))
    await in_sight(page, warned)
    await frame.get_by_role("button", name=WORDS("unlock.stay")).click()
    await expect(warned).to_have_count(0)

    last = frame.locator("ul.queue > li").last
    await last.get_by_role("button").click()
    heading = frame.get_by_role("heading", level=1)
    await expect(heading).to_contain_text(WORDS("kind.letter"))
    await in_sight(page, heading)


async def test_a_case_system_on_another_site_keeps_what_it_keeps_apart(
    scene: Scene, visit: Visit
) -> None:
    """The browser gives the frame a store of its own, which the console outside of a frame cannot see."""
    guest = await visit(also=[scene.third_party_url.rstrip("/")])
    page = await guest.open(scene.third_party_url)
    frame = await work_in(guest, page, scene)
    await expect(frame.get_by_role("heading", name=WORDS("queue.title"), level=1)).to_be_visible()
    kept = "localStorage.getItem('relay-roots')"
    assert await page.frames[1].evaluate(kept) is not None
    alone = await guest.open(f"{scene.url}/console")
    await expect(alone.get_by_text(WORDS("unlock.noFingerprint")).first).to_be_visible()
    assert await alone.evaluate(kept) is None
    await frame.get_by_role("button", name=WORDS("lock"), exact=True).click()
    await page.reload()
    again = await work_in(guest, page, scene)
    await expect(again.get_by_role("heading", name=WORDS("queue.title"), level=1)).to_be_visible()


async def test_a_browser_that_keeps_nothing_is_enough(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """In a case system on another site: letters are approved and videos play, and nothing is kept."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 3)
    await prepared_video(waiting, sender, waiting.responsible_id, file)
    await sender.send_letter(waiting.responsible_id, LETTER)
    preferences = tmp_path / "profile" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps(KEEPS_NOTHING))
    async with (
        wire_to(scene.url, [scene.third_party_url.rstrip("/")]) as wire,
        chromium_with(playwright, tmp_path / "profile", wire.url, allowed=False) as context,
    ):
        guest = Visitor(context, wire)
        page = await guest.open(scene.third_party_url)
        frame = await work_in(guest, page, scene)
        inside = page.frames[1]
        kept = await inside.evaluate(
            "(() => { try { return localStorage.length } catch (e) { return e.name } })()"
        )
        assert kept == "SecurityError"
        rows = frame.locator(".lines > li").filter(has_text=f"case {waiting.case_id}")
        await rows.filter(has_text=WORDS("kind.letter")).get_by_role("button").click()
        await expect(frame.get_by_text(LETTER)).to_be_visible()
        await frame.get_by_role("button", name=WORDS("choice.lease")).click()
        await frame.get_by_role("button", name=WORDS("choice.approve"), exact=True).click()
        dialog = frame.get_by_role("dialog")
        await dialog.get_by_role("button", name=WORDS("choice.approve"), exact=True).click()
        await expect(frame.get_by_text(WORDS("form.done.approve"), exact=True)).to_be_visible()
        await page.keyboard.press("n")
        await frame.get_by_role("button", name=WORDS("review.showVideo")).click()
        await expect(frame.locator("video")).to_be_visible()
        await inside.wait_for_function("() => document.querySelector('video').readyState >= 2")
        await frame.get_by_role("button", name=WORDS("lock"), exact=True).click()
        await expect(frame.get_by_label(WORDS("unlock.passphrase"), exact=True)).to_be_visible()
        assert guest.problems == []
