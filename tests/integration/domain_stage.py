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
from relay.demo.cast import Case, Organization, open_case, organization
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Database
from tests.integration.domain_model import MEDIATORS
from tests.relays import WORK_FACTOR_LOG2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running relay, and those who are the same in every example."""

    run: asyncio.Runner
    settings: Settings
    database: Database
    people: Organization
    mediators: dict[str, Mediator]
    worker: MediaWorker
    other: Case


@contextlib.asynccontextmanager
async def staged(
    settings: Settings, root: Signer, key: Ed25519PrivateKey
) -> AsyncIterator[tuple[Database, Organization, dict[str, Mediator], MediaWorker, Case]]:
    """A relay that serves an organization with three mediators, a media worker and another case."""
    async with contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(settings), handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
        database = await Database.connect(settings.database_url, connections=2)
        stack.push_async_callback(database.close)
        people = await stack.enter_async_context(
            organization(settings.public_url, root, key, work_factor_log2=WORK_FACTOR_LOG2)
        )
        credential_id, keyring = await people.enrol("media")
        worker = MediaWorker(credential_id=credential_id, keyring=keyring)
        mediators = {name: await people.mediator() for name in MEDIATORS}
        pair = (mediators["third"], await people.mediator())
        other = await open_case(people, mediators=pair)
        yield database, people, mediators, worker, other
