"""What hostile files meet: a relay, a file that nobody may open, a server that nobody may reach."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from relay.settings import Settings
from tests.support.hostile_media.case import Places
from tests.support.hostile_media.watching import Listener, listening

TRANSCODE_SECONDS: Final = 60
SESSION_SECONDS: Final = 6 * 60 * 60
CANARY: Final = b"WEBVTT\n\nthe words of the canary 8d1f0c\n"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A server on this machine, to which hostile files point."""
    async with listening() as one:
        yield one


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file on this machine, to which hostile files point."""
    folder = tmp_path / "canary"
    folder.mkdir()
    path = folder / "canary.vtt"
    path.write_bytes(CANARY)
    return path


@pytest.fixture
def places(canary: Path, listener: Listener) -> Places:
    """Where hostile files point."""
    return Places(canary=str(canary), url=listener.url)


@pytest.fixture
def video_settings(settings: Settings) -> Settings:
    """Workers that give up early, and people who stay signed in for the whole corpus."""
    return dataclasses.replace(
        settings,
        transcode_seconds=TRANSCODE_SECONDS,
        sweep_seconds=1,
        session_seconds=SESSION_SECONDS,
    )
