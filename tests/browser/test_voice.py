"""A voice is enough: recorded without a camera or picked, and a voice message on every page."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import pytest
from playwright.async_api import Page, expect

from tests.support.browser.casework import LANGUAGES
from tests.support.browser.inputs import Keyboard, Mouse
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Language, Visit

ASSISTANT: Final = "M. Roy, chaplain"
NOTE: Final = {
    "en": "A short voice message. Somebody speaks to you, calmly.",
    "fr": "Un court message vocal. On vous parle, calmement.",
}
SPOKEN: Final = {
    "en": "I have thought about this for a long time.",
    "fr": "Je pense à cela depuis longtemps.",
}
CALLED_A_VIDEO: Final = re.compile(r"(?<!service )vid[eé]o|caption|sous-titre", re.IGNORECASE)
"""But for a « service vidéo », which is what a media worker is called in French."""

_REMEMBER: Final = """
const devices = navigator.mediaDevices ?? {};
const ask = devices.getUserMedia?.bind(devices);
globalThis.asked = [];
devices.getUserMedia = (wanted) => {
  globalThis.asked.push([wanted.video, wanted.audio !== false]);
  return ask(wanted);
};
"""


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_voice_goes_from_one_person_to_the_other_and_is_called_so(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """Recorded without a camera, reviewed with a transcript, and heard; in French by keyboard alone."""
    by = Keyboard if language == "fr" else Mouse
    waiting = await scene.waiting()
    case = f"case {waiting.case_id}"
    guests = [await visit(language=language) for _ in range(3)]
    for guest in guests:
        guest.keeps_secret(NOTE[language], SPOKEN[language])
    await guests[0].context.add_init_script(_REMEMBER)
    harmed = await ParticipantPage.begin(guests[0], waiting.harmed_url, language, by=by)
    responsible = await ParticipantPage.begin(guests[1], waiting.responsible_url, language, by=by)
    mediator = await MediatorPage.open(guests[2], scene, scene.mediator, language, by=by)
    await mediator.verify_claims(case)

    await harmed.record_voice()
    assert await harmed.page.evaluate("globalThis.asked") == [[False, True]]
    await harmed.shows_state("in-review")
    await expect(harmed.sent(harmed.home("author.in-review.name"))).to_contain_text(
        harmed.home.pattern("formOf.voice")
    )
    await harmed.open_sent("in-review")
    await expect(harmed.heading_like("formOf.voice")).to_be_visible()
    await _is_called_no_video(harmed.page)
    await harmed.go_home()

    await mediator.go("queue")
    await expect(await mediator.entry(case)).to_contain_text(mediator.words("kind.voice"))
    await mediator.take(case)
    await expect(
        mediator.page.get_by_text(mediator.words("voice.review.noCaptions"))
    ).to_be_visible()
    await _is_called_no_video(mediator.page)
    await mediator.caption(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{SPOKEN[language]}\n", voice=True)
    await mediator.input.press(mediator.button("voice.review.soundOnly"))
    await expect(mediator.page.locator("relay-player audio")).to_have_count(1)
    await expect(mediator.page.locator("relay-player video")).to_have_count(0)
    await _is_called_no_video(mediator.page)
    await mediator.approve()
    await mediator.offer(NOTE[language])

    await responsible.is_waiting()
    await responsible.input.press(responsible.button(responsible.home("home.look")))
    await expect(responsible.page.get_by_text(responsible.opening("offer.voice"))).to_be_visible()
    await _is_called_no_video(responsible.page)
    await responsible.go_home()
    await responsible.accept(NOTE[language])
    await responsible.open_step("transcript")
    await expect(responsible.page.get_by_text(SPOKEN[language])).to_be_visible()
    await responsible.open_step("voice")
    player = responsible.page.locator("relay-player")
    await expect(player.get_by_text(SPOKEN[language])).to_be_visible()
    await responsible.play()
    await expect(responsible.page.locator("video")).to_have_count(0)
    await _is_called_no_video(responsible.page)


@pytest.mark.parametrize(
    ("name", "media_type", "codec"),
    [
        ("memo.m4a", "audio/mp4", ("aac",)),
        ("memo.ogg", "audio/ogg", ("libopus",)),
        ("memo.amr", "", ("libopencore_amrnb", "-ar", "8000", "-ac", "1")),
        ("memo.caf", "application/octet-stream", ("alac",)),
    ],
)
async def test_a_voice_memo_of_a_phone_is_a_voice_message(
    scene: Scene, visit: Visit, tmp_path: Path, name: str, media_type: str, codec: tuple[str, ...]
) -> None:
    """Also where the browser has no type for it: its ending says that it is sound."""
    waiting = await scene.waiting()
    content = await asyncio.to_thread(_memo, tmp_path / name, *codec)
    guest = await visit()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await person.choose_video({"name": name, "mimeType": media_type, "buffer": content})
    await person.button(person.sending("video.send")).click()
    await expect(person.page.get_by_text(person.sending("done.voice"))).to_be_visible()
    await person.button(person.sending("done.home")).click()
    await person.shows_state("in-review")
    await expect(person.sent(person.home("author.in-review.name"))).to_contain_text(
        person.home.pattern("formOf.voice")
    )


async def test_a_voice_is_recorded_paused_and_taken_again_through_an_upload_link_at_a_kiosk(
    scene: Scene, visit: Visit
) -> None:
    """With somebody of the staff beside: nothing stays, and the receipt is for a voice message."""
    waiting = await scene.waiting()
    url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
    person = await ParticipantPage.at_kiosk(await visit())
    await person.hand_over(url)
    await person.name_assistant(ASSISTANT)
    await person.button(person.arriving("upload.begin")).click()
    await person.button(person.sending("choose.video")).click()
    await person.begin_recording(1, "voice")
    await expect(person.page.get_by_role("meter", name=person.capture("level"))).to_be_visible()
    await person.button(person.capture("pause")).click()
    await person.button(person.capture("resume")).click()
    await person.button(person.capture("stop")).click()
    await expect(person.page.locator("audio[controls]")).to_be_visible()
    await person.button(person.home("home.back")).click()
    kept = person.page.locator("relay-takes li")
    await expect(kept).to_contain_text(person.sending.pattern("takes.voice"))
    await kept.get_by_role("button", name=person.sending("takes.listen")).click()
    await expect(kept.locator("audio")).to_be_visible()
    await kept.get_by_role("button", name=person.sending("takes.use")).click()
    await person.button(person.sending("video.send")).click()
    await expect(person.page.get_by_text(person.sending("done.voice"))).to_be_visible()
    await expect(person.page.get_by_text(person.sending("done.receiptHeading"))).to_be_visible()
    await person.button(person.arriving("finish")).click()
    await expect(person.heading(person.arriving("left.heading"))).to_be_visible()


def _memo(target: Path, *codec: str) -> bytes:
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error"),
        *("-f", "lavfi", "-i", "sine=frequency=300:duration=3", "-c:a", *codec, str(target)),
    ]
    subprocess.run(command, check=True)
    return target.read_bytes()


async def _is_called_no_video(page: Page) -> None:
    """Nothing on the page speaks of a picture that there is none of."""
    said = await page.locator("main").inner_text()
    assert CALLED_A_VIDEO.findall(said) == [], said
