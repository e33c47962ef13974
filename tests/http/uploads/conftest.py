"""A draft at a running relay, for the stories of its upload."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case
from tests.support.uploads import Sending, sending


@pytest.fixture
async def draft(case: Case, relay_settings: Settings, database_url: str) -> AsyncIterator[Sending]:
    """A video's draft, its sender, and a look behind the scenes."""
    async with sending(case, relay_settings, database_url) as begun:
        yield begun


@pytest.fixture
async def worker_database(worker_settings: Settings) -> AsyncIterator[Database]:
    """The database as the workers reach it, who sweep."""
    database = await Database.connect(worker_settings.database_url, connections=1)
    yield database
    await database.close()
