"""What faults and attacks on media workers begin with."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.settings import Settings
from tests.support.uploads import Sending
from tests.support.web_process import WebProcess, drafting, web_process


@pytest.fixture
def video_settings(settings: Settings) -> Settings:
    """Workers that are quick to notice."""
    return dataclasses.replace(settings, job_lease_seconds=2, job_retry_seconds=1, sweep_seconds=1)


@pytest.fixture
async def web(
    settings: Settings, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[WebProcess]:
    """A web process of this test's own."""
    started = web_process(settings, tmp_path, unused_tcp_port)
    await started.start()
    yield started
    await started.kill()


@pytest.fixture
async def draft(web: WebProcess, settings: Settings, database_url: str) -> AsyncIterator[Sending]:
    """A video's draft at the web process."""
    async with drafting(web, settings, database_url) as begun:
        yield begun
