"""A whole relay with its organization, two mediators with sealed keyrings, and cases whose links wait."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import web

from relay.client.casework import DEFAULT_POLICY
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import generate_keyring, seal_keyring
from relay.crypto.statements import Policy
from relay.testing.people import PASSPHRASE, Organization, organization, register_case
from relay.testing.relays import RunningRelay, running_relay
from tests.support.node import build_pages
from tests.support.relays import WORK_FACTOR_LOG2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """A mediator with the Python client, and the sealed file that a browser imports."""

    client: Mediator
    keyring_file: Path
    passphrase: str = PASSPHRASE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An open case of a person harmed and a person responsible who have not come yet."""

    case_id: uuid.UUID
    harmed_id: uuid.UUID
    responsible_id: uuid.UUID
    harmed_url: str
    responsible_url: str
    mediator: Mediator


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all browser tests play on."""

    running: RunningRelay
    people: Organization
    mediator: Reviewer
    colleague: Reviewer
    embedding_url: str
    """A page of another origin that may embed the console, as the case system's is."""
    third_party_url: str
    """The same page on another site, so that a browser sees a third party in relay."""
    forged_url: str
    """The same page on an origin that may not."""

    @property
    def url(self) -> str:
        """Where relay is."""
        return self.running.url

    @property
    def console_url(self) -> str:
        """The console, with the fingerprint of the root that it is to trust."""
        return f"{self.url}/console#{b64u_encode(self.people.administrator.fingerprint)}"

    async def waiting(self, policy: Policy = DEFAULT_POLICY) -> Waiting:
        """A new case, open, with a link for each of the two."""
        mediator = self.mediator.client
        case_id, harmed_id, responsible_id = await register_case(
            self.people, mediator, self.colleague.client
        )
        await mediator.open_case(
            case_id, colleagues=[self.colleague.client.credential_id], policy=policy
        )
        return Waiting(
            case_id=case_id,
            harmed_id=harmed_id,
            responsible_id=responsible_id,
            harmed_url=await mediator.make_link(case_id, harmed_id),
            responsible_url=await mediator.make_link(case_id, responsible_id),
            mediator=mediator,
        )

    async def claim(self, url: str) -> Participant:
        """Somebody who claims a link and says yes, with the Python client."""
        person = await self.people.claim(url)
        await person.consent("active")
        return person


@contextlib.asynccontextmanager
async def scene(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    port: int = 0,
    public_url: str | None = None,
) -> AsyncIterator[Scene]:
    """Everything up, on a data folder of its own; `settings` are further `RELAY_…` ones.

    `public_url`: the origin of the proxy that leads to `port`, where there is one.
    """
    await asyncio.to_thread(build_pages)
    async with contextlib.AsyncExitStack() as stack:
        names = ("127.0.0.1", "localhost", "127.0.0.1")
        hosts = [await stack.enter_async_context(_another_origin(name)) for name in names]
        may_embed = ",".join(host.origin for host in hosts[:2])
        running = await stack.enter_async_context(
            running_relay(
                folder / "data",
                port=port,
                public_url=public_url,
                settings={"RELAY_EMBED_ORIGINS": may_embed, **(settings or {})},
            )
        )
        for host in hosts:
            host.relay = running.url
        people = await stack.enter_async_context(
            # What people claim through here a page opens: with the work factor of the protocol.
            organization(running.url, running.root, running.token_key)
        )
        yield Scene(
            running=running,
            people=people,
            mediator=await new_reviewer(people, folder / "mediator.keyring"),
            colleague=await new_reviewer(people, folder / "colleague.keyring"),
            embedding_url=f"{hosts[0].origin}/",
            third_party_url=f"{hosts[1].origin}/",
            forged_url=f"{hosts[2].origin}/",
        )


async def new_reviewer(people: Organization, keyring_file: Path) -> Reviewer:
    """Another mediator of the organization, with no case yet."""
    keyring = generate_keyring()
    credential_id, _ = await people.enrol("mediator", keyring)
    keyring_file.write_bytes(seal_keyring(keyring, PASSPHRASE, WORK_FACTOR_LOG2))
    client = Mediator(
        people.connection,
        keyring,
        credential_id,
        root_fingerprint=people.administrator.fingerprint,
        audience=people.audience,
    )
    return Reviewer(client=client, keyring_file=keyring_file)


async def with_mediators_of_its_own(scene: Scene, folder: Path) -> Scene:
    """The same, where nothing but what a test puts there is in the queue of its mediators."""
    mediator = await new_reviewer(scene.people, folder / "mediator.keyring")
    colleague = await new_reviewer(scene.people, folder / "colleague.keyring")
    return dataclasses.replace(scene, mediator=mediator, colleague=colleague)


@dataclasses.dataclass(slots=True)
class _Host:
    origin: str
    relay: str = ""


@contextlib.asynccontextmanager
async def _another_origin(name: str) -> AsyncIterator[_Host]:
    """A page that embeds the console as docs/embedding says, served on a port of its own."""
    host = _Host("")

    async def page(_request: web.Request) -> web.Response:
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Case system</title>"
            "<link rel=icon href=data:,>"
            f'<script src="{host.relay}/embed.js"></script>'
            "<h1>Case system</h1><div id=place></div></html>"
        )
        return web.Response(text=text, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.origin = f"http://{name}:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()
