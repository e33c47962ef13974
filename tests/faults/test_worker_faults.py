"""Media workers that are killed, raced, lied to and left without Redis: every video still ends well, once."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.domain.moves import State
from relay.settings import Settings
from tests.videos import Studio, film, studio


@pytest.fixture
async def stage(settings: Settings, tmp_path: Path) -> AsyncIterator[Studio]:
    """A relay whose workers are quick to notice."""
    async with studio(settings, tmp_path, job_lease_seconds=3, sweep_seconds=1) as opened:
        yield opened


async def test_a_worker_stops_cleanly(stage: Studio) -> None:
    """A worker that is told to stop ends with 0."""
    worker = stage.start_worker()
    message_id = await stage.send(film(stage.folder))
    await stage.until_state(message_id, State.QUEUED)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0, stage.said()
    print(stage.said())
