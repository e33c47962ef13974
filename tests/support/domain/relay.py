"""A running relay with its organization, for a property test that has a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.app import create_app
from relay.client.mediator import Mediator
from relay.crypto.signing import Signer
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case, organization
from tests.support.domain.model import MEDIATORS
from tests.support.relays import WORK_FACTOR_LOG2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DomainRelay:
    """A running relay, and those who are the same in every example."""

    run: asyncio.Runner
    settings: Settings
    database: Database
    """For a superuser."""
    worker_database: Database
    people: Organization
    mediators: dict[str, Mediator]
    worker: MediaWorker
    other: Case


@contextlib.asynccontextmanager
async def domain_relay(
    settings: Settings,
    worker_settings: Settings,
    database_url: str,
    root: Signer,
    key: Ed25519PrivateKey,
) -> AsyncIterator[tuple[Database, Database, Organization, dict[str, Mediator], MediaWorker, Case]]:
    """A relay that serves an organization with three mediators, a media worker and another case."""
    async with contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(settings), handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
        database = await Database.connect(database_url, connections=2)
        stack.push_async_callback(database.close)
        of_worker = await Database.connect(worker_settings.database_url, connections=2)
        stack.push_async_callback(of_worker.close)
        people = await stack.enter_async_context(
            organization(settings.public_url, root, key, work_factor_log2=WORK_FACTOR_LOG2)
        )
        credential_id, keyring = await people.enrol("media")
        worker = MediaWorker(credential_id=credential_id, keyring=keyring)
        mediators = {name: await people.mediator() for name in MEDIATORS}
        pair = (mediators["third"], await people.mediator())
        other = await open_case(people, mediators=pair)
        yield database, of_worker, people, mediators, worker, other
