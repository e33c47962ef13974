"""What somebody reads at their pages who has begun more than relay lets one person begin."""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import expect

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.errors import sentences
from tests.support.browser.axe import violations
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit

MOST: Final = 100
"""More than anybody may begin."""
RETRIED_WITHIN_SECONDS: Final = 3
"""In which a page that tries on by itself would have done so."""


async def _begin_all(person: Participant, to: uuid.UUID, code: str) -> None:
    """Begin videos until relay refuses the next one."""

    async def begin() -> None:
        written = address(to, message_id=uuid.uuid4())
        await person.begin_video(written)
        if code == "too-many-uploads":
            upload = Upload(person.session, Retry())
            await upload.create(written.message_id, written.revision, 100)

    async def begin_many() -> None:
        for _ in range(MOST):
            await begin()

    with pytest.raises(Problem) as refused:
        await begin_many()
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("language", "code"), [("en", "too-many-uploads"), ("fr", "too-many-drafts")]
)
async def test_who_has_begun_too_much_is_told_what_to_do(
    scene: Scene, visit: Visit, tmp_path: Path, language: Literal["en", "fr"], code: str
) -> None:
    """In their language, on a narrow screen, beside their video; it is kept, and nothing is tried again."""
    waiting = await scene.waiting()
    harmed = await scene.claim(waiting.harmed_url)
    await _begin_all(harmed, waiting.responsible_id, code)
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", 1)
    guest = await visit(language=language, narrow=True)
    guest.expects("status of 429")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, language)
    await person.unlock()
    await person.choose_video(file)
    await person.input.press(person.button(person.sending("video.send")))
    said = person.page.get_by_role("alert")
    await expect(said).to_contain_text(sentences()[code][language])
    assert await violations(person.page) == []
    await asyncio.sleep(RETRIED_WITHIN_SECONDS)
    refused = [one for one in guest.wire.sent if one.status == HTTPStatus.TOO_MANY_REQUESTS]
    assert len(refused) == 1
    await person.go_home()
    await expect(person.button(person.home("home.see"))).to_be_visible()
