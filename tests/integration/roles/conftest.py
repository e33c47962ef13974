"""A database, its superuser, and a connection of each role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from relay.embedded import Access, Services
from relay.storage.database import (
    Connection,
    migrate,
)
from tests.support.rights import DELIVERER, WEB, WORKER
from tests.support.service_users import database_as


@pytest_asyncio.fixture
async def url(empty_database_url: str) -> str:
    """The address of a migrated database, for its owner."""
    await migrate(empty_database_url)
    return empty_database_url


@pytest_asyncio.fixture
async def administrator(url: str, services: Services) -> AsyncIterator[Connection]:
    """A superuser."""
    connection = await asyncpg.connect(database_as(Access.ADMINISTRATOR, url, services))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def roles(url: str, services: Services) -> AsyncIterator[dict[str, Connection]]:
    """A connection of each role."""
    accesses = {WEB: Access.WEB, WORKER: Access.WORKER, DELIVERER: Access.DELIVERER}
    opened = {
        role: await asyncpg.connect(database_as(access, url, services))
        for role, access in accesses.items()
    }
    yield opened
    for connection in opened.values():
        await connection.close()
