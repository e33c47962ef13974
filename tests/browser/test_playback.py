"""A released video in Chromium: it starts at once anywhere, fetches little, outlives its service worker."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Page

from relay.testing.people import verify_everybody
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.tour import approved_video
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit, Visitor
from tests.support.browser.words import Words

SECONDS: Final = 40
GRAIN: Final = 40
MOST_FETCHED: Final = 0.6
SEEK_MS: Final = 1_000
NOTE: Final = "A video of forty seconds."
PATIENCE_SECONDS: Final = 60

pytestmark = pytest.mark.xdist_group("one video for all of them")

_REFUSING: Final = b"""
addEventListener('install', (event) => event.waitUntil(skipWaiting()));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname.startsWith('/playback/')) {
    event.respondWith(new Response(null, { status: 500 }));
  }
});
"""
_IS_NEAR: Final = """
(video, seconds) => new Promise((good) => {
  const near = () => video.readyState > 1 && Math.abs(video.currentTime - seconds) < 0.5;
  const look = () => (near() ? good() : requestAnimationFrame(look));
  look();
})
"""

_SEEK: Final = """
async (to) => {
  const video = document.querySelector('video');
  const began = performance.now();
  const done = new Promise((good, bad) => {
    video.addEventListener('seeked', good, { once: true });
    video.addEventListener('error', () => bad(new Error(video.error.message)), { once: true });
  });
  video.currentTime = to;
  await done;
  return performance.now() - began;
}
"""
_PLAYS: Final = """
async () => {
  const video = document.querySelector('video');
  const from = video.currentTime;
  await video.play();
  await new Promise((good) => {
    const look = () => (video.currentTime > from + 0.5 ? good() : requestAnimationFrame(look));
    look();
  });
  return video.videoWidth;
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def released(scene: Scene) -> AsyncIterator[str]:
    """The link of somebody who accepted a video that the worker prepared."""
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    recipient = await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    with tempfile.TemporaryDirectory() as folder:
        file = await asyncio.to_thread(film, Path(folder) / "film.mp4", SECONDS, grain=GRAIN)
        video = await approved_video(waiting, sender, waiting.responsible_id, file)
    await waiting.mediator.offer(video, note=NOTE)
    [offered] = (await recipient.correspondence()).received
    await recipient.respond(offered, "accept")
    yield waiting.responsible_url


async def _open(guest: Visitor, url: str) -> Page:
    """Come back through the link and open the video."""
    person = await ParticipantPage.arrive(guest, url)
    await person.unlock()
    opens = [person.home("home.openAgain"), person.home("home.readAgain")]
    await person.button(opens[0]).or_(person.button(opens[1])).click()
    await person.open_step("video")
    await person.page.locator("video").wait_for()
    return person.page


async def test_seeking_starts_within_a_second_and_fetches_little(
    visit: Visit, released: str
) -> None:
    """From the beginning to the middle and the end: shown within a second, most of the file never fetched."""
    guest = await visit()
    page = await _open(guest, released)
    size = await page.evaluate("document.querySelector('relay-player').video.sizeBytes")
    taken = [await page.evaluate(_SEEK, SECONDS * part) for part in (0.5, 0.9, 0.25)]
    assert statistics.median(taken) < SEEK_MS
    carried = sum(one.received_bytes for one in guest.wire.to_relay("/v1/parts/"))
    assert carried < size * MOST_FETCHED
    assert await page.evaluate(_PLAYS) > 0


async def test_a_killed_service_worker_is_made_up_for(visit: Visit, released: str) -> None:
    """The browser may end a service worker at any time; the video continues, and no key was lost with it."""
    guest = await visit()
    page = await _open(guest, released)
    await page.evaluate(_PLAYS)
    session = await guest.context.new_cdp_session(page)
    gone = asyncio.Event()

    def told(update: dict[str, list[dict[str, str]]]) -> None:
        if any(version["runningStatus"] == "stopped" for version in update["versions"]):
            gone.set()

    await session.send("ServiceWorker.enable")
    session.on("ServiceWorker.workerVersionUpdated", told)
    await session.send("ServiceWorker.stopAllWorkers")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await gone.wait()
    await page.evaluate(_SEEK, SECONDS * 0.6)
    assert await page.evaluate(_PLAYS) > 0


async def test_a_service_worker_that_does_not_answer_for_media_is_made_up_for(
    visit: Visit, released: str
) -> None:
    """Where the browser gets an error from the address of the film, it is given the whole film instead."""
    guest = await visit()
    guest.expects("status of 500")
    guest.wire.alter("/sw.js", lambda _: _REFUSING)
    page = await _open(guest, released)
    await page.locator("video[src^='blob:']").wait_for(timeout=PATIENCE_SECONDS * 1000)
    await page.evaluate(_SEEK, SECONDS * 0.6)
    assert await page.evaluate(_PLAYS) > 0


async def test_a_broken_line_is_waited_for(visit: Visit, released: str) -> None:
    """When the line breaks in the middle of a video, it continues from there once the line is back."""
    guest = await visit()
    guest.expects("net::ERR_")
    page = await _open(guest, released)
    await page.evaluate(_PLAYS)
    guest.wire.cut()
    middle = str(SECONDS * 0.7)
    async with page.expect_event("requestfailed", timeout=PATIENCE_SECONDS * 1000):
        position = Words("playback", "en")("position")
        await page.get_by_role("slider", name=position).fill(middle)
    guest.wire.mend()
    await page.locator("video").evaluate(_IS_NEAR, float(middle))
    assert await page.evaluate(_PLAYS) > 0


async def test_it_plays_without_service_workers_too(visit: Visit, released: str) -> None:
    """Where a browser has no service workers, the whole video is fetched, verified to its end, and played."""
    guest = await visit(service_workers="block")
    guest.expects("Service Worker registration blocked")
    page = await _open(guest, released)
    await page.evaluate(_SEEK, SECONDS * 0.6)
    assert await page.evaluate(_PLAYS) > 0


async def test_the_video_has_captions_and_no_download(visit: Visit, released: str) -> None:
    """Captions are there to be shown; nothing offers to save the film."""
    page = await _open(await visit(), released)
    tracks = await page.evaluate("document.querySelector('video').textTracks.length")
    assert tracks == 1
    assert await page.locator("a[download]").count() == 0
