"""The participant's way, a release and a video with seeks, in Firefox ESR and in WebKitGTK."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from relay.demo.cast import PASSPHRASE, verify_everybody
from relay.demo.story import LETTER, NOTE
from tests.browser.engines import Hands, firefox, webkit
from tests.browser.films import film
from tests.browser.leaks import needles_of, needles_of_link
from tests.browser.scene import Scene
from tests.browser.tour import approved_video
from tests.browser.wire import wire_to
from tests.browser.words import Words

ENGINES: Final[dict[str, Callable[[str], contextlib.AbstractAsyncContextManager[Hands]]]] = {
    "firefox": firefox,
    "webkit": webkit,
}
OWN_HOSTS: Final = (".mozilla.com:443", ".mozilla.org:443", ".mozilla.net:443")
"""Whom Firefox itself asks, whatever page it shows."""
FILM_SECONDS: Final = 10
GRAIN: Final = 40

ARRIVING: Final = Words("participant/arriving", "en")
HOME: Final = Words("participant/home", "en")
SENDING: Final = Words("participant/sending", "en")
OPENING: Final = Words("participant/opening", "en")

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
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_participant_writes_accepts_and_watches(
    scene: Scene, tmp_path: Path, engine: str
) -> None:
    """Claim, letter, release by the mediator, accept, play, seek back and forth; only sealed bytes leave."""
    waiting = await scene.waiting()
    other = await scene.claim(waiting.responsible_url)
    async with wire_to(scene.url) as wire, ENGINES[engine](wire.url) as hands:
        await hands.go(waiting.harmed_url)
        await hands.fill(ARRIVING("choose.field"), PASSPHRASE)
        await hands.click("button", ARRIVING("choose.begin"))
        await hands.see("heading", HOME("home.heading"))
        await hands.click("button", HOME("home.newLetter"))
        await hands.fill(SENDING("letter.field"), LETTER)
        await hands.click("button", SENDING("letter.preview"))
        await hands.click("button", SENDING("preview.send"))
        await hands.see("heading", SENDING("done.heading"))
        await hands.click("button", SENDING("done.home"))

        await verify_everybody(waiting.mediator, waiting.case_id)
        [letter] = (await waiting.mediator.queue(case=str(waiting.case_id), state="queued")).items
        leased = await waiting.mediator.lease(letter.message)
        assert await waiting.mediator.read_letter(leased) == LETTER
        file = await asyncio.to_thread(film, tmp_path / "film.mp4", FILM_SECONDS, grain=GRAIN)
        video = await approved_video(waiting, other, waiting.harmed_id, file)
        await waiting.mediator.offer(video, note=NOTE)

        await hands.click("button", HOME("home.look"))
        await hands.see("text", NOTE)
        await hands.click("button", OPENING("offer.accept"))
        await hands.see("heading", OPENING("steps.heading"))
        await hands.click("button", f"{OPENING('steps.show')} {OPENING('steps.video')}")
        await hands.see("video", "")
        assert await hands.script(_PLAYS) == [True, True]

        assert await hands.script("location.href") == waiting.harmed_url.partition("#")[0]
        assert await hands.wrong() == []
        assert [one for one in wire.foreign if not one.endswith(OWN_HOSTS)] == []
        needles = [*needles_of([LETTER, PASSPHRASE, NOTE]), *needles_of_link(waiting.harmed_url)]
        assert await asyncio.to_thread(wire.find, needles) == []
