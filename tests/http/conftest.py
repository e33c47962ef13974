"""A running relay, and the people of a case who talk to it through the client.

The relay is one for the whole session; each test finds its database empty, and has people and a case of its
own on it. A test marked `own_relay` has a relay, a database, a bucket and a Redis of its own: it changes the
settings, or takes a service away.

What tests leave behind is held to an audit: whatever is done through relay is as it must be. A test marked
`tampers` changes the database itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.app import create_app
from relay.client.certifying import key_set
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import ISSUER, KEY_ID, Case, Organization, open_case, organization
from tests.support.audits import findings
from tests.support.hostile import HostileCase, HostileSender, HostileWorker
from tests.support.openapi import ApiMonitor
from tests.support.relays import WORK_FACTOR_LOG2, SharedRelay, served


@pytest.fixture(scope="session")
def root() -> Signer:
    """The organization root of these tests."""
    return Signer.generate()


@pytest.fixture(scope="session")
def token_key() -> Ed25519PrivateKey:
    """The key with which the case system signs its tokens."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def jwks_file(token_key: Ed25519PrivateKey, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file in which relay finds the key of the case system."""
    path = tmp_path_factory.mktemp("case-system") / "jwks.json"
    path.write_text(key_set(token_key, KEY_ID))
    return str(path)


@pytest.fixture(scope="session")
def shared_relay(
    shared_settings: Settings,
    root: Signer,
    token_key: Ed25519PrivateKey,
    jwks_file: str,
    unused_tcp_port_factory: Callable[[], int],
) -> Iterator[SharedRelay]:
    """The relay of all tests that need none of their own."""
    settings = _on_loopback(shared_settings, root, jwks_file, unused_tcp_port_factory())
    with served(settings) as monitor:
        yield SharedRelay(settings=settings, root=root, token_key=token_key, monitor=monitor)


@pytest.fixture
def worker_settings(
    relay_settings: Settings, as_worker: Callable[[Settings], Settings]
) -> Settings:
    """The settings of a media worker of that relay."""
    return as_worker(relay_settings)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The database of this test's relay, for a superuser."""
    name = "own_database_url" if _is_own(request) else "shared_database_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """The settings of this test's own database, Redis and bucket, or of those that are shared."""
    found = request.getfixturevalue("own_settings" if _is_own(request) else "shared_settings")
    assert isinstance(found, Settings)
    return found


@pytest.fixture
def relay_settings(
    settings: Settings, root: Signer, jwks_file: str, request: pytest.FixtureRequest
) -> Settings:
    """The settings of a relay that serves this organization on loopback."""
    if _is_own(request):
        return _on_loopback(settings, root, jwks_file, request.getfixturevalue("unused_tcp_port"))
    assert settings is request.getfixturevalue("shared_settings"), (
        "a test that changes the settings needs pytest.mark.own_relay"
    )
    shared: SharedRelay = request.getfixturevalue("shared_relay")
    request.getfixturevalue("empty_shared_database")()
    return shared.settings


@pytest.fixture
async def relay_url(relay_settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a relay that is held to the description of the API all the time."""
    async with contextlib.AsyncExitStack() as stack:
        if _is_own(request):
            monitor = await stack.enter_async_context(_serving(relay_settings))
        else:
            shared: SharedRelay = request.getfixturevalue("shared_relay")
            monitor = shared.monitor
            monitor.violations.clear()
        yield relay_settings.public_url
    assert monitor.violations == []
    if request.node.get_closest_marker("tampers") is None:
        assert await findings(relay_settings) == []


@pytest.fixture
async def people(
    relay_url: str, root: Signer, token_key: Ed25519PrivateKey, request: pytest.FixtureRequest
) -> AsyncIterator[Organization]:
    """The organization, connected."""
    async with organization(
        relay_url, root, token_key, work_factor_log2=WORK_FACTOR_LOG2
    ) as connected:
        await connected.enrol("media")
        yield connected


@pytest.fixture
async def case(people: Organization) -> Case:
    """An open case that asks for one approval."""
    return await open_case(people)


@pytest.fixture
async def elsewhere(
    own_settings: Settings, root: Signer, jwks_file: str, unused_tcp_port: int
) -> AsyncIterator[Settings]:
    """A second relay of the same organization beside the shared one, on data of its own."""
    settings = _on_loopback(own_settings, root, jwks_file, unused_tcp_port)
    async with _serving(settings) as monitor:
        yield settings
    assert monitor.violations == []
    assert await findings(settings) == []


@contextlib.asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[ApiMonitor]:
    application = create_app(settings)
    monitor = ApiMonitor()
    monitor.watch(application)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    yield monitor
    await runner.cleanup()


@pytest.fixture
async def hostile_case(
    people: Organization, worker_settings: Settings, database_url: str
) -> AsyncIterator[HostileCase]:
    """An open case with a media worker that its charter names, whose results a test makes."""
    credential_id, keyring = await people.enrol("media")
    worker = MediaWorker(credential_id=credential_id, keyring=keyring)
    database = await Database.connect(worker_settings.database_url, connections=2)
    case = await open_case(people)
    media = HostileWorker(
        database=database, settings=worker_settings, owner_url=database_url, worker=worker
    )
    yield HostileCase(case=case, sender=await HostileSender.of(case), media=media)
    await database.close()


def _is_own(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("own_relay") is not None


def _on_loopback(settings: Settings, root: Signer, jwks_file: str, port: int) -> Settings:
    return dataclasses.replace(
        settings,
        root_public_keys=b64u_encode(root.public_key),
        service_jwks=jwks_file,
        service_issuer=ISSUER,
        public_url=f"http://127.0.0.1:{port}",
        listen_port=port,
    )
