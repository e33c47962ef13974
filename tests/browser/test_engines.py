"""A video with seeks, in Firefox ESR and in WebKitGTK; test_story.py tells the whole story there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from relay.testing.letters import NOTE
from relay.testing.people import verify_everybody
from tests.support.browser import engines
from tests.support.browser.inputs import Keyboard
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.remote import expect
from tests.support.browser.scene import Scene
from tests.support.browser.tour import approved_video
from tests.support.browser.video_files import film

FILM_SECONDS: Final = 10
GRAIN: Final = 40

_PLAYS: Final = """
(async () => {
  const video = document.querySelector('video');
  await video.play();
  const once = (name) => new Promise((good) => video.addEventListener(name, good, { once: true }));
  await once('timeupdate');
  for (const to of [5, 9, 2, 6]) {
    const seeked = once('seeked');
    video.currentTime = to;
    await seeked;
  }
  while (video.currentTime < 6.3) await once('timeupdate');
  return [video.videoWidth > 0, video.currentTime > 6];
})()
"""


# Selenium complains of how Selenium calls itself.
@pytest.mark.filterwarnings("ignore:setting remote_server_addr")
@pytest.mark.parametrize("engine", ["firefox", "webkit"])
async def test_a_video_plays_and_seeks_back_and_forth(
    scene: Scene, tmp_path: Path, engine: engines.Engine
) -> None:
    """One that is too large to be fetched at once, decrypted piece by piece; only sealed bytes leave."""
    waiting = await scene.waiting()
    other = await scene.claim(waiting.responsible_url)
    async with engines.visitor(engine, scene.url, "en") as guest:
        guest.keeps_secret(NOTE)
        person = await ParticipantPage.begin(guest, waiting.harmed_url, by=Keyboard)
        await verify_everybody(waiting.mediator, waiting.case_id)
        file = await asyncio.to_thread(film, tmp_path / "film.mp4", FILM_SECONDS, grain=GRAIN)
        video = await approved_video(waiting, other, waiting.harmed_id, file)
        await waiting.mediator.offer(video, note=NOTE)
        await person.accept(NOTE)
        await person.open_step("video")
        await expect(person.page.locator("video")).to_be_visible()
        assert await person.page.evaluate(_PLAYS) == [True, True]
