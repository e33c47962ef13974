"""The example case system at work beside a relay, with staff and a case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from example_host.settings import Settings
from relay.testing.people import Organization
from tests.support.example_host import Office, served, settings_for


@pytest.fixture
async def signing(people: Organization) -> Organization:
    """The organization, whose case system signs."""
    return await people.with_case_system_keys()


@pytest.fixture
def host_settings(
    signing: Organization,
    token_key: Ed25519PrivateKey,
    empty_database_url: str,
    tmp_path: Path,
) -> Settings:
    """Settings of a case system with a database of its own."""
    return settings_for(signing, token_key, empty_database_url, tmp_path)


@pytest.fixture
async def office(host_settings: Settings, signing: Organization) -> AsyncIterator[Office]:
    """The case system at work, with a case."""
    async with served(host_settings) as host:
        yield await Office.begin(host, signing)
