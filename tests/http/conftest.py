"""A running relay for each test, and the people of a case who talk to it through the client."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.app import create_app
from relay.client.case_system import key_set
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.demo.cast import ISSUER, KEY_ID, Case, Organization, open_case, organization
from relay.settings import Settings
from tests.openapi import Witness


@pytest.fixture
def root() -> Signer:
    """The organization root of this test."""
    return Signer.generate()


@pytest.fixture
def token_key() -> Ed25519PrivateKey:
    """The key with which the case system signs its tokens."""
    return Ed25519PrivateKey.generate()


@pytest.fixture
def relay_settings(
    settings: Settings,
    root: Signer,
    token_key: Ed25519PrivateKey,
    tmp_path: Path,
    unused_tcp_port: int,
) -> Settings:
    """The settings of a relay that serves this organization on loopback."""
    key_file = tmp_path / "jwks.json"
    key_file.write_text(key_set(token_key, KEY_ID))
    return dataclasses.replace(
        settings,
        root_public_keys=b64u_encode(root.public_key),
        service_jwks=str(key_file),
        service_issuer=ISSUER,
        public_url=f"http://127.0.0.1:{unused_tcp_port}",
        listen_port=unused_tcp_port,
    )


@pytest.fixture
def worker_settings(
    relay_settings: Settings, as_worker: Callable[[Settings], Settings]
) -> Settings:
    """The settings of a media worker of that relay."""
    return as_worker(relay_settings)


@pytest.fixture
async def relay_url(relay_settings: Settings) -> AsyncIterator[str]:
    """The address of a relay of this test's own, which is held to the description of the API all the time."""
    application = create_app(relay_settings)
    witness = Witness()
    witness.attend(application)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, relay_settings.listen_host, relay_settings.listen_port).start()
    yield relay_settings.public_url
    await runner.cleanup()
    assert witness.violations == []


@pytest.fixture
async def people(
    relay_url: str, root: Signer, token_key: Ed25519PrivateKey
) -> AsyncIterator[Organization]:
    """The organization, connected."""
    async with organization(relay_url, root, token_key) as connected:
        await connected.enrol("media")
        yield connected


@pytest.fixture
async def case(people: Organization) -> Case:
    """An open case that asks for one approval."""
    return await open_case(people)
