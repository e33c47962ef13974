"""A relay with a case, for tests of what workers do with its videos."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from relay.settings import Settings
from tests.support.videos import VideoCase, video_case


@pytest.fixture
async def videos(
    settings: Settings,
    tmp_path: Path,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[VideoCase]:
    """A relay with a case."""
    async with video_case(
        settings, tmp_path, as_worker=as_worker, database_url=database_url, redis_url=redis_url
    ) as opened:
        yield opened
