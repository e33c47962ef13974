"""What faults and attacks on media workers begin with."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from relay.settings import Settings
from tests.support.uploads import Sending
from tests.support.videos import VideoCase, video_case
from tests.support.web_process import WebProcess, drafting, web_process


@pytest.fixture
async def videos(
    settings: Settings,
    tmp_path: Path,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[VideoCase]:
    """A relay whose workers are quick to notice."""
    quick = dataclasses.replace(settings, job_lease_seconds=2, job_retry_seconds=1, sweep_seconds=1)
    async with video_case(
        quick, tmp_path, as_worker=as_worker, database_url=database_url, redis_url=redis_url
    ) as opened:
        yield opened


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
