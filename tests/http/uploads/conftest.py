"""A draft at a running relay, for the stories of its upload."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay.demo.cast import Case
from relay.settings import Settings
from tests.uploads import Sending, sending


@pytest.fixture
async def draft(case: Case, relay_settings: Settings) -> AsyncIterator[Sending]:
    """A video's draft, its sender, and a look behind the scenes."""
    async with sending(case, relay_settings) as begun:
        yield begun
