"""Recording in the page: nothing cuts it off, nothing that goes wrong takes more than seconds of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import BrowserContext, Locator, Page, Playwright, expect

from relay.testing.people import verify_everybody
from tests.support.browser import leaks
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.profiles import chromium_with
from tests.support.browser.scene import Scene
from tests.support.browser.tour import CAPTIONS, prepared_video
from tests.support.browser.video_files import film
from tests.support.browser.visitors import NARROW, TEXT_TWICE, Visit, Visitor
from tests.support.browser.wire import wire_to

ASSISTANT: Final = "M. Roy, chaplain"
ONE_MINUTE_MS: Final = 60_000
IDLE_MINUTES: Final = {"alone": 10, "assisted": 3}
LITTLE_ROOM_BYTES: Final = 150_000
IN_A_RECORDING: Final = [b"OpusHead", b"\x42\x82\x84webm"]
"""What is in the clear at the beginning of what Chromium records."""

ELSEWHERE: Final = "https://www.google.com/"

_WOULD_BE_LOST: Final = """
() => {
  const closing = new Event('beforeunload', { cancelable: true });
  dispatchEvent(closing);
  return closing.defaultPrevented;
}
"""
_PRESSES_WHILE_STORAGE_IS_BUSY: Final = """
async (names) => {
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    const stores = [...database.objectStoreNames];
    if (stores.length === 0) continue;
    const written = database.transaction(stores, 'readwrite');
    const until = performance.now() + 3000;
    const hold = () => {
      if (performance.now() < until) written.objectStore(stores[0]).count().onsuccess = hold;
    };
    written.oncomplete = () => database.close();
    hold();
  }
  const buttons = () => [...document.querySelectorAll('main button')];
  const named = (name) => buttons().find((one) => one.textContent.trim() === name);
  const changes = { childList: true, characterData: true, subtree: true };
  for (const name of names) {
    await new Promise((resolve) => {
      const look = () => named(name) === undefined || resolve();
      new MutationObserver(look).observe(document.body, changes);
      look();
    });
    named(name).click();
  }
}
"""
"""Presses each button as soon as it is there, while nothing that is stored can be read."""
_LOOPS: Final = """
async (media) => {
  media.loop = true;
  await media.play();
}
"""
_WITHOUT_SOUND: Final = """
const devices = navigator.mediaDevices ?? {};
const ask = devices.getUserMedia?.bind(devices);
devices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  for (const track of stream.getAudioTracks()) {
    track.stop();
    stream.removeTrack(track);
  }
  const context = new AudioContext();
  const given = context.createMediaStreamDestination();
  SOURCE
  stream.addTrack(given.stream.getTracks()[0]);
  return stream;
};
"""
_DIGITAL_SILENCE: Final = _WITHOUT_SOUND.replace(
    "SOURCE",
    "const source = new ConstantSourceNode(context, { offset: 0 });"
    "source.connect(given); source.start();",
)
_NO_SOUND_AT_ALL: Final = _WITHOUT_SOUND.replace("SOURCE", "")
_BLACK: Final = """
const devices = navigator.mediaDevices ?? {};
const ask = devices.getUserMedia?.bind(devices);
devices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  for (const track of stream.getVideoTracks()) {
    track.stop();
    stream.removeTrack(track);
  }
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const paint = canvas.getContext('2d');
  setInterval(() => paint.fillRect(0, 0, 320, 240), 50);
  stream.addTrack(canvas.captureStream(20).getTracks()[0]);
  return stream;
};
"""
_REMEMBER: Final = """
const devices = navigator.mediaDevices ?? {};
const ask = devices.getUserMedia?.bind(devices);
devices.getUserMedia = async (wanted) => (globalThis.given = await ask(wanted));
"""


_WHERE_AT_EACH_LEVEL: Final = """
async (button) => {
  const recorder = document.querySelector('relay-recorder');
  const tops = [];
  for (const loudest of [0, 0.3, 1]) {
    recorder.loudest = loudest;
    await recorder.updateComplete;
    tops.push(button.getBoundingClientRect().top + scrollY);
  }
  return tops;
}
"""


async def test_no_button_moves_while_somebody_speaks(scene: Scene, visit: Visit) -> None:
    """What is said of the level keeps its room, on a narrow screen in large print too."""
    person = await _somebody(scene, visit, "alone")
    await _to_recorder(person)
    await person.page.set_viewport_size(NARROW)
    await person.page.evaluate(TEXT_TWICE)
    await person.input.press(person.button(person.sending("video.record")))
    await person.input.press(person.button(person.capture("video.start")))
    record = person.button(person.capture("record"))
    await expect(record).to_be_visible()
    tops = await record.evaluate(_WHERE_AT_EACH_LEVEL)
    assert len(set(tops)) == 1


# Nobody need touch a page that records or plays.


@pytest.mark.parametrize("where", ["alone", "assisted"])
async def test_a_page_that_records_is_not_left_alone_and_one_that_pauses_is(
    scene: Scene, visit: Visit, where: Literal["alone", "assisted"]
) -> None:
    """The time without a touch does not run while it is recorded; paused it does, and nothing is lost."""
    person = await _somebody(scene, visit, where, ticking=True)
    await _to_recorder(person)
    minutes = IDLE_MINUTES[where]
    await person.begin_recording()
    for _ in range(3):
        await person.page.clock.fast_forward(minutes * ONE_MINUTE_MS)
        await expect(
            person.page.get_by_text(person.capture("recording"), exact=True)
        ).to_be_visible()
    await person.button(person.capture("pause")).click()
    await person.page.clock.fast_forward(minutes * ONE_MINUTE_MS)
    if where == "assisted":
        await expect(person.heading(person.arriving("left.heading"))).to_be_visible()
        return
    await expect(person.page.get_by_text(person.arriving("back.lockedIdle"))).to_be_visible()
    await person.unlock()
    await expect(_kept(person)).to_have_count(1)


async def test_a_page_that_counts_down_or_plays_is_not_left_alone(
    scene: Scene, visit: Visit
) -> None:
    """While somebody watches what they recorded nothing is touched, and nothing locks."""
    person = await _somebody(scene, visit, "assisted", ticking=True)
    await _to_recorder(person)
    await person.begin_recording()
    await person.button(person.capture("stop")).click()
    preview = person.page.get_by_label(person.capture("preview"))
    await preview.evaluate(_LOOPS)
    for _ in range(3):
        await person.page.clock.fast_forward(3 * ONE_MINUTE_MS)
        await expect(preview).to_be_visible()
    await preview.evaluate("(media) => media.pause()")
    await person.page.clock.fast_forward(3 * ONE_MINUTE_MS)
    await expect(person.heading(person.arriving("left.heading"))).to_be_visible()


async def test_a_console_that_plays_is_not_left_alone(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """A mediator listens for longer than ten minutes without a touch; paused, the console locks."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 5)
    await prepared_video(waiting, sender, waiting.responsible_id, file)
    guest = await visit()
    await guest.context.clock.install()
    console = await MediatorPage.open(guest, scene, scene.mediator)
    await console.see(f"case {waiting.case_id}")
    await console.button("review.soundOnly").click()
    sound = console.page.locator("relay-player audio")
    await sound.evaluate(_LOOPS)
    for _ in range(3):
        await console.page.clock.fast_forward(10 * ONE_MINUTE_MS)
        await expect(sound).to_have_count(1)
    await sound.evaluate("(media) => media.pause()")
    await console.page.clock.fast_forward(10 * ONE_MINUTE_MS)
    await expect(console.page.get_by_text(console.words("unlock.idle"))).to_be_visible()


async def test_a_console_that_saves_captions_is_not_left_alone(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """However long relay takes to answer, what was written is not locked away under way."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 2)
    await prepared_video(waiting, sender, waiting.responsible_id, file)
    await verify_everybody(waiting.mediator, waiting.case_id)
    guest = await visit()
    await guest.context.clock.install()
    console = await MediatorPage.open(guest, scene, scene.mediator)
    await console.take(f"case {waiting.case_id}")
    await console.button("choice.caption").click()
    await console.button("captions.plain").click()
    await console.field("captions.cues").fill(CAPTIONS)
    guest.wire.hold("/captions")
    await console.button("captions.saveDo").click()
    await guest.wire.until_held()
    for _ in range(2):
        await console.page.clock.fast_forward(10 * ONE_MINUTE_MS)
        await expect(console.heading("captions.title")).to_be_visible()
    guest.wire.let_go()
    await expect(console.page.get_by_text(console.words("captions.saved"))).to_be_visible()


# What is recorded is kept.


async def test_a_browser_that_is_killed_loses_seconds_of_a_recording(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """Killed while it records: what there is of it is kept, sealed, can be watched, and is sent."""
    waiting = await scene.waiting()
    profile = tmp_path / "profile"
    async with wire_to(scene.url) as wire:
        async with chromium_with(playwright, profile, wire.url, whole=False) as context:
            await context.grant_permissions(["camera", "microphone"])
            guest = Visitor(context, wire)
            person = await ParticipantPage.begin(guest, waiting.harmed_url)
            await _to_recorder(person)
            await person.begin_recording(5)
            await expect(person.page.get_by_text(person.capture("kept"))).to_be_visible()
            assert leaks.found_in(await leaks.stored(person.page), IN_A_RECORDING) == []
            os.kill(_process_of(profile), signal.SIGKILL)
        async with chromium_with(playwright, profile, wire.url, whole=False) as context:
            guest = Visitor(context, wire)
            address = waiting.harmed_url.partition("#")[0]
            person = ParticipantPage(await guest.open(address), guest, "en")
            await person.unlock()
            await expect(_kept(person)).to_have_count(1)
            await expect(_kept(person)).to_contain_text(re.compile(r"0:0[3-9]"))
            await person.button(person.sending("takes.watch")).click()
            await expect(person.page.locator("relay-takes video")).to_be_visible()
            await person.page.locator("relay-takes video").evaluate(_LOOPS)
            await person.button(person.sending("takes.use")).click()
            await person.button(person.sending("video.send")).click()
            await person.has_arrived()
            await person.shows_state("in-review")
            await expect(_kept(person)).to_have_count(0)
            await person.page.reload()
            await person.unlock()
            await expect(person.button(person.home("home.newVideo"))).to_be_visible()
            await expect(_kept(person)).to_have_count(0)


@pytest.mark.parametrize("where", ["alone", "assisted"])
@pytest.mark.parametrize("way", ["back", "file", "history"])
async def test_who_goes_away_from_a_recording_finds_it_again(
    scene: Scene, visit: Visit, way: str, where: Literal["alone", "assisted"]
) -> None:
    """By a button of the page or of the browser: where they come to, they are told that it is kept."""
    person = await _somebody(scene, visit, where)
    await _to_recorder(person)
    await person.begin_recording(1)
    if way == "history":
        await person.page.go_back()
    elif way == "back":
        await person.button(person.home("home.back")).click()
    else:
        await person.button(person.sending("video.file")).click()
    told = person.page.locator("relay-takes [role=status]")
    await expect(told).to_have_text(person.sending("takes.justKept"))
    kept = {"alone": "lasting", "assisted": "assisted"}[where]
    await expect(_kept(person)).to_contain_text(person.sending(f"takes.{kept}"))
    await person.button(person.sending("takes.use")).click()
    await person.button(person.home("home.back")).click()
    await expect(told).to_be_visible()
    assert await person.page.evaluate(_WOULD_BE_LOST) is (where == "assisted")
    await person.button(person.sending("takes.discard")).click()
    await _answer(person, person.sending("takes.discard"))
    await expect(_kept(person)).to_have_count(0)
    assert await person.page.evaluate(_WOULD_BE_LOST) is False


async def test_who_takes_a_recording_and_goes_back_at_once_is_told_that_it_is_kept(
    scene: Scene, visit: Visit
) -> None:
    """Also before the recording could be read again."""
    person = await _somebody(scene, visit, "alone")
    await _to_recorder(person)
    await person.begin_recording(1)
    await person.button(person.home("home.back")).click()
    await expect(_kept(person)).to_have_count(1)
    await person.page.evaluate(
        _PRESSES_WHILE_STORAGE_IS_BUSY, [person.sending("takes.use"), person.home("home.back")]
    )
    told = person.page.locator("relay-home relay-takes [role=status]")
    await expect(told).to_have_text(person.sending("takes.justKept"))


async def test_who_leaves_in_a_hurry_finds_their_recording_again(
    scene: Scene, visit: Visit
) -> None:
    """It was kept to the last seconds before."""
    person = await _somebody(scene, visit, "alone")
    assert isinstance(person.guest, Visitor)
    await person.guest.may_be_led_to(ELSEWHERE)
    await _to_recorder(person)
    await person.begin_recording(4)
    await person.button(person.arriving("shared.leaveNow")).click()
    await expect(person.page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    await person.page.go_back()
    await person.unlock()
    await expect(_kept(person)).to_contain_text(re.compile(r"0:0[2-9]"))


async def test_a_recording_is_replaced_only_after_a_question_and_when_the_next_one_begins(
    scene: Scene, visit: Visit
) -> None:
    """Who says yes by mistake and goes away still has it; who records again has the new one alone."""
    person = await _somebody(scene, visit, "alone")
    await _to_recorder(person)
    await person.begin_recording(1)
    await person.button(person.capture("stop")).click()
    again = person.button(person.capture("again"))
    await again.click()
    await _answer(person, person.capture("againNot"))
    await expect(person.page.get_by_label(person.capture("preview"))).to_be_visible()
    await again.click()
    await _answer(person, person.capture("again"))
    await person.button(person.capture("video.off")).click()
    await expect(person.page.get_by_label(person.capture("preview"))).to_be_visible()
    await again.click()
    await _answer(person, person.capture("again"))
    await person.button(person.capture("record")).click()
    await expect(person.page.get_by_text(person.capture("recorded", "0:03"))).to_be_visible()
    await person.button(person.home("home.back")).click()
    await expect(_kept(person)).to_have_count(1)
    await expect(_kept(person)).to_contain_text("0:03")


async def test_a_device_without_room_says_that_a_recording_is_not_kept(
    scene: Scene, playwright: Playwright, tmp_path: Path
) -> None:
    """It is said while it is recorded, it continues, is found again within the page, and can be sent."""
    waiting = await scene.waiting()
    async with (
        wire_to(scene.url) as wire,
        chromium_with(playwright, tmp_path, wire.url, whole=False) as context,
    ):
        await context.grant_permissions(["camera", "microphone"])
        await _leave_room(context, scene.url)
        person = await ParticipantPage.begin(Visitor(context, wire), waiting.harmed_url)
        await _to_recorder(person)
        await person.begin_recording(2)
        told = person.page.get_by_text(person.capture("notKept"))
        await expect(told).to_be_visible()
        recorded = person.page.get_by_text(person.capture.pattern("recorded"))
        at = await recorded.inner_text()
        await expect(recorded).not_to_have_text(at)
        await person.button(person.home("home.back")).click()
        await expect(_kept(person)).to_contain_text(person.sending("takes.fleeting"))
        await person.button(person.sending("takes.use")).click()
        await person.button(person.sending("video.send")).click()
        await person.has_arrived()
        await person.shows_state("in-review")


async def test_a_recording_on_its_way_goes_on_without_being_chosen_again(
    scene: Scene, visit: Visit
) -> None:
    """The page is closed while it is sent, though no sealed copy was kept: it lies on the device already."""
    person = await _somebody(scene, visit, "alone")
    await _send_into_a_held_line(person, 3)
    await expect(person.page.get_by_text(person.sending("progress.safe"))).to_be_visible()
    person.guest.expects("net::ERR_")
    await person.page.reload()
    person.guest.wire.let_go()
    await person.unlock()
    await expect(_kept(person)).to_have_count(0)
    await person.button(person.home("home.resume")).click()
    await person.has_arrived()
    await person.shows_state("in-review")
    await expect(_kept(person)).to_have_count(0)


async def test_who_does_not_send_a_recording_after_all_still_has_it(
    scene: Scene, visit: Visit
) -> None:
    """What was sent of it is removed; the recording is kept."""
    person = await _somebody(scene, visit, "assisted")
    await _send_into_a_held_line(person, 1)
    person.guest.expects("net::ERR_")
    await person.button(person.sending("progress.pause")).click()
    person.guest.wire.let_go()
    await person.button(person.sending("progress.cancel")).click()
    await _answer(person, person.sending("progress.cancelDo"))
    await expect(_kept(person)).to_have_count(1)
    await person.button(person.sending("takes.use")).click()
    await person.button(person.sending("video.send")).click()
    await person.has_arrived()


# What gives nothing is said while something can be done.


@pytest.mark.parametrize(("device", "told"), [(_DIGITAL_SILENCE, "unheard"), (_BLACK, "unseen")])
async def test_a_device_that_gives_nothing_is_told_before_and_while_it_is_recorded(
    scene: Scene, visit: Visit, device: str, told: str
) -> None:
    """A microphone in digital silence, or a camera that shows only black."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.add_init_script(device)
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await _to_recorder(person)
    await person.button(person.sending("video.record")).click()
    await person.button(person.capture("video.start")).click()
    warning = person.page.get_by_text(person.capture(told))
    await expect(warning).to_be_visible()
    await person.button(person.capture("record")).click()
    await expect(person.page.get_by_text(person.capture("recorded", "0:01"))).to_be_visible()
    await expect(warning).to_be_visible()
    await person.button(person.capture("stop")).click()
    silent = person.page.get_by_text(person.capture("silent"))
    await expect(silent).to_have_count(1 if told == "unheard" else 0)


async def test_a_microphone_that_gives_nothing_at_all_is_told_and_not_passed_over(
    scene: Scene, visit: Visit
) -> None:
    """Where a browser then records nothing, it is told while it is recorded, and again at its end."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.add_init_script(_NO_SOUND_AT_ALL)
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await _to_recorder(person)
    await person.begin_recording(1)
    await expect(person.page.get_by_text(person.capture("unheard"))).to_be_visible()
    await person.button(person.capture("stop")).click()
    await expect(person.page.get_by_text(person.capture("video.faults.nothing"))).to_be_visible()


@pytest.mark.parametrize(("kind", "told"), [("audio", "unheard"), ("video", "unseen")])
async def test_a_device_that_is_switched_off_is_told_until_it_is_on_again(
    scene: Scene, visit: Visit, kind: str, told: str
) -> None:
    """By a key of the keyboard, or a call: the track says that it is muted."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.add_init_script(_REMEMBER)
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await _to_recorder(person)
    await person.begin_recording(1)
    warning = person.page.get_by_text(person.capture(told))
    mute = """
    ([kind, muted]) => {
      const [track] = globalThis.given.getTracks().filter((one) => one.kind === kind);
      Object.defineProperty(track, 'muted', { value: muted, configurable: true });
    }
    """
    await person.page.evaluate(mute, [kind, True])
    await expect(warning).to_be_visible()
    await person.page.evaluate(mute, [kind, False])
    await expect(warning).to_have_count(0)


async def test_a_device_that_is_unplugged_ends_the_recording_and_keeps_it(
    scene: Scene, visit: Visit
) -> None:
    """What was recorded up to then is there to watch, and the page says why it broke off."""
    waiting = await scene.waiting()
    guest = await visit()
    await guest.context.add_init_script(_REMEMBER)
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await _to_recorder(person)
    await person.begin_recording(2)
    await person.page.evaluate(
        "() => globalThis.given.getAudioTracks()[0].dispatchEvent(new Event('ended'))"
    )
    await expect(person.page.get_by_text(person.capture("video.faults.broken"))).to_be_visible()
    await expect(person.page.get_by_label(person.capture("preview"))).to_be_visible()
    await person.button(person.capture("use")).click()
    await person.button(person.sending("video.send")).click()
    await person.has_arrived()


# A file that is not there any more.


async def test_a_file_that_can_no_longer_be_read_is_asked_for_right_there(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Changed before sending, it has to be chosen again; while it is sent, only the same file continues."""
    person = await _somebody(scene, visit, "alone")
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 3, weighs_bytes=40_000_000)
    await person.choose_video(file)
    os.utime(file, (1, 1))
    await person.button(person.sending("video.send")).click()
    told = person.page.get_by_text(person.sending("video.unreadable"))
    await expect(told).to_be_visible()
    field = person.page.get_by_label(person.sending("video.fileLabel"))
    await field.set_input_files(file)
    person.guest.wire.hold("/v1/uploads")
    await person.button(person.sending("video.send")).click()
    await person.guest.wire.until_held()
    await person.button(person.sending("progress.pause")).click()
    os.utime(file, (2, 2))
    await _forget_segments(person.page)
    person.guest.expects("net::ERR_")
    person.guest.wire.let_go()
    await person.button(person.sending("progress.goOn")).click()
    await expect(told).to_be_visible()
    await field.set_input_files(await asyncio.to_thread(film, tmp_path / "other.mp4", 1))
    await expect(told).to_be_visible()
    await field.set_input_files(file)
    await person.has_arrived()


async def _somebody(
    scene: Scene,
    visit: Visit,
    where: Literal["alone", "assisted"],
    *,
    ticking: bool = False,
) -> ParticipantPage:
    """Somebody inside; `ticking`: where the test may put the page's clock forward."""
    waiting = await scene.waiting()
    guest = await visit()
    if ticking:
        await guest.context.clock.install()
    if where == "assisted":
        return await ParticipantPage.begin_with_staff(guest, waiting.harmed_url, ASSISTANT)
    return await ParticipantPage.begin(guest, waiting.harmed_url)


async def _to_recorder(person: ParticipantPage) -> None:
    await person.button(person.home("home.newVideo")).click()
    await expect(person.heading(person.sending("video.heading"))).to_be_visible()


async def _send_into_a_held_line(person: ParticipantPage, seconds: int) -> None:
    """Record, and send what was recorded, of which relay gets nothing yet."""
    await _to_recorder(person)
    await person.begin_recording(seconds)
    await person.button(person.capture("stop")).click()
    await person.button(person.capture("use")).click()
    person.guest.wire.hold("/v1/uploads")
    await person.button(person.sending("video.send")).click()
    await person.guest.wire.until_held()


def _kept(person: ParticipantPage) -> Locator:
    return person.page.locator("relay-takes li")


async def _answer(person: ParticipantPage, text: str) -> None:
    await person.page.get_by_role("dialog").get_by_role("button", name=text, exact=True).click()


async def _leave_room(context: BrowserContext, origin: str) -> None:
    """The device has little room for this origin, as long as the first page is there."""
    session = await context.new_cdp_session(context.pages[0])
    quota = {"origin": origin, "quotaSize": LITTLE_ROOM_BYTES}
    await session.send("Storage.overrideQuotaForOrigin", quota)


async def _forget_segments(page: Page) -> None:
    """What was sealed is gone from the device, as where there was no room for it."""
    await page.evaluate(
        """
        () => new Promise((good, bad) => {
          const asked = indexedDB.open('relay');
          asked.onsuccess = () => {
            const cleared = asked.result.transaction('segments', 'readwrite').objectStore('segments').clear();
            cleared.onsuccess = () => { asked.result.close(); good(); };
            cleared.onerror = () => bad(cleared.error);
          };
        })
        """
    )


def _process_of(profile: Path) -> int:
    """The browser that was started with this profile; what it starts itself says its type."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            mine = f"--user-data-dir={profile}".encode() in words
            if mine and not any(word.startswith(b"--type=") for word in words):
                return int(folder.name)
    raise AssertionError(f"no browser has the profile {profile}")
