"""A host that takes webhooks, and the database as whoever sends them comes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay.embedded import Access, Services
from relay.settings import Settings
from relay.storage.database import Database
from tests.support.receivers import ReceivingHost, receiving_host
from tests.support.service_users import database_as


@pytest.fixture
async def deliverer(relay_settings: Settings, services: Services) -> AsyncIterator[Database]:
    """The database, as whoever sends events comes to it."""
    url = database_as(Access.DELIVERER, relay_settings.database_url, services)
    database = await Database.connect(url, connections=4)
    yield database
    await database.close()


@pytest.fixture
async def host() -> AsyncIterator[ReceivingHost]:
    """A host that takes what comes."""
    async with receiving_host() as receiving:
        yield receiving
