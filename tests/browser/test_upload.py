"""A large video that continues where it stopped, sealed all the way."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from relay.settings import MIB
from relay.testing.searching import needles_of_file
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit

FILE_BYTES: Final = 96 * MIB
CUT_AFTER_BYTES: Final = 36 * MIB
SLOW_MS: Final = 10_000
"""Three seconds, and what a busy machine adds."""
SENT_TWICE_BYTES: Final = 32 * MIB
"""At most what was under way when the line broke: a few segments."""


async def test_a_cut_and_reloaded_upload_goes_on_where_it_stopped(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """A large film is cut on the way, the page is reloaded, and what had arrived is not sent again."""
    waiting = await scene.waiting()
    file = await asyncio.to_thread(film, tmp_path / "long.mp4", weighs_bytes=FILE_BYTES)
    guest = await visit()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    guest.expects("net::ERR_")
    guest.wire.cut_after(CUT_AFTER_BYTES)
    await person.choose_video(file)
    await person.button(person.sending("video.send")).click()
    await expect(person.heading(person.sending("progress.heading"))).to_be_visible()
    await guest.wire.until_cut()
    guest.wire.mend()
    await person.page.reload()
    await person.unlock()
    await person.go_on_sending(file)
    await person.has_arrived()
    assert FILE_BYTES < guest.wire.carried_bytes < FILE_BYTES + SENT_TWICE_BYTES
    assert await asyncio.to_thread(guest.wire.find, needles_of_file(file)) == []


@pytest.mark.parametrize("status", [403, 405, 501])
async def test_a_proxy_that_knows_no_patch_and_no_large_body_lets_a_film_through(
    scene: Scene, visit: Visit, tmp_path: Path, status: int
) -> None:
    """As in institutions: a PATCH is refused, and whatever has more than 1 MB; it goes by POST, in pieces."""
    waiting = await scene.waiting()
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 3, weighs_bytes=3 * MIB)
    guest = await visit()
    guest.expects(f"status of {status}", "status of 413")
    guest.wire.refuse("PATCH", status)
    guest.wire.take_at_most(1_000_000)
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await person.choose_video(file)
    await person.button(person.sending("video.send")).click()
    await person.has_arrived()
    sent = guest.wire.to_relay("/v1/uploads/", "POST")
    assert sum(one.sent_bytes for one in sent if one.status == HTTPStatus.NO_CONTENT) > 3 * MIB
    assert max(one.sent_bytes for one in sent) <= 1_000_000


async def test_a_proxy_that_lets_nothing_through_is_told(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Where not even small pieces by POST are let through, the page says so and does not try for ever."""
    waiting = await scene.waiting()
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 3)
    guest = await visit()
    guest.expects("status of 413")
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await person.choose_video(file)
    guest.wire.take_at_most(30_000)
    await person.button(person.sending("video.send")).click()
    await expect(person.page.get_by_role("alert")).to_be_visible()
    tries = guest.wire.to_relay("/v1/uploads/", "P")
    assert 1 < len(tries) < 20


@pytest.mark.parametrize("media_type", ["model/vnd.mts", "application/mp4", ""])
async def test_a_film_of_an_unknown_type_is_looked_at_by_relay(
    scene: Scene, visit: Visit, tmp_path: Path, media_type: str
) -> None:
    """What a device calls a file is no reason to refuse it."""
    waiting = await scene.waiting()
    content = (await asyncio.to_thread(film, tmp_path / "film.mp4", 3)).read_bytes()
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    await person.choose_video({"name": "00001.MTS", "mimeType": media_type, "buffer": content})
    await person.button(person.sending("video.send")).click()
    await person.has_arrived()


async def test_a_picture_or_a_text_is_no_film(scene: Scene, visit: Visit) -> None:
    """What is certainly none is told at once, before it is sealed."""
    waiting = await scene.waiting()
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    for media_type in ("image/jpeg", "application/pdf", "text/plain"):
        await person.choose_video({"name": "file", "mimeType": media_type, "buffer": b"words"})
        await expect(person.page.get_by_text(person.sending("video.notVideo"))).to_be_visible()
        await person.go_home()


async def test_an_upload_that_stands_still_is_said_to_be_slow(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Within some seconds, and it is said no more when it continues; before, it is being sent."""
    waiting = await scene.waiting()
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 3)
    guest = await visit()
    person = await ParticipantPage.begin(guest, waiting.harmed_url)
    await person.choose_video(file)
    guest.wire.hold("/v1/uploads")
    await person.button(person.sending("video.send")).click()
    await guest.wire.until_held()
    slow = person.page.get_by_text(person.sending("progress.stage.slow"))
    await expect(slow).to_be_visible(timeout=SLOW_MS)
    guest.wire.let_go()
    await person.has_arrived()
