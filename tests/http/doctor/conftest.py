"""Set-ups at which nothing is wrong, for a test to break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.webhooks import new_shared_secret
from relay.embedded import Access, Services
from relay.settings import Settings
from relay.storage.database import migrate
from relay.testing.people import Case, Organization
from tests.support.doctor import SOON_SECONDS, environment_of
from tests.support.service_users import database_as


@pytest.fixture
async def owner(
    database_url: str, services: Services
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A superuser, on a server that is as durable as it should be; the other tests turn that off.

    The database is a copy, which does not have the rights to databases of the one that was copied.
    """
    await migrate(database_as(Access.OWNER, database_url, services))
    connection = await asyncpg.connect(database_url)
    await connection.execute("alter system set fsync = on")
    await connection.execute("select pg_reload_conf()")
    async with asyncio.timeout(SOON_SECONDS):
        while await connection.fetchval("show fsync") != "on":  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.01)
    yield connection
    await connection.execute("alter system set fsync = off")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


@pytest.fixture
def of_web(case: Case, owner: object, relay_settings: Settings) -> dict[str, str]:
    """The environment of a web service at which nothing is wrong."""
    return environment_of(relay_settings, "web")


@pytest.fixture
def of_deliverer(
    case: Case, owner: object, database_url: str, services: Services, tmp_path: Path
) -> dict[str, str]:
    """That of whoever sends events."""
    receivers = tmp_path / "webhooks.toml"
    receivers.write_text(
        f'[[receiver]]\nname = "case-system"\nurl = "https://cases.example.org/events"\n'
        f'secrets = ["{new_shared_secret()}"]\n',
        "utf-8",
    )
    return {
        "RELAY_DATABASE_URL": database_as(Access.DELIVERER, database_url, services),
        "RELAY_WEBHOOKS_FILE": str(receivers),
    }


@pytest.fixture
async def of_worker(
    case: Case, people: Organization, owner: object, worker_settings: Settings, tmp_path: Path
) -> dict[str, str]:
    """That of a worker."""
    credential_id, keyring = await people.enrol("media")
    save_keyring_file(tmp_path / "media.keys", keyring, credential_id)
    return environment_of(
        worker_settings, "worker", RELAY_MEDIA_KEY_FILE=str(tmp_path / "media.keys")
    )
