"""One video through the media worker, on real services and in the real jail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.domain.moves import State
from relay.settings import Settings
from tests.videos import Studio, film, studio


@pytest.fixture
async def stage(settings: Settings, tmp_path: Path) -> AsyncIterator[Studio]:
    """A relay with a case."""
    async with studio(settings, tmp_path) as opened:
        yield opened


async def test_a_video_is_prepared_for_the_case_alone(stage: Studio) -> None:
    """After the worker the message waits for review, with a rendition that only the case can open."""
    message_id = await stage.send(film(stage.folder))

    await stage.transcoder.run(await stage.job_of(message_id))

    message = await stage.message(message_id)
    assert message.state is State.QUEUED
    assert message.rendition_hash is not None
    leased = await stage.case.mediator.lease(message_id)
    await stage.case.mediator.save(leased, "rendition", stage.folder / "rendition.mp4")
