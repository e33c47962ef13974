"""The only way to relay: calls of the public client, and the two things that can become of one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from example_host.settings import Settings, SettingsWrong
from relay.client.api import (
    CaseRegistration,
    CaseSummary,
    NewParticipant,
    NotificationPage,
    ParticipantRole,
    RelayError,
)
from relay.client.case_system import CaseSystem, FoundCase, ServiceKeys
from relay.client.connection import Connection, Problem
from relay.client.seen import SeenCharters

PATIENCE_SECONDS: Final = 8
"""So long a page waits for relay."""


class RelayAway(Exception):
    """relay cannot be reached, or cannot work now: the same can be tried again later."""


class RelayRefused(Exception):
    """relay will not do this; `code` says why, as docs/problems.md explains."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Relay:
    """What the case system asks of relay. Each call raises RelayAway or RelayRefused."""

    def __init__(self, system: CaseSystem) -> None:
        self._system = system

    async def cases(self) -> dict[uuid.UUID, CaseSummary]:
        """Every case by its identifier, with how much waits in it for whom."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                return {one.case: one for one in await self._system.every_case()}

    async def case(self, case_id: uuid.UUID) -> FoundCase:
        """One case."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._system.case(case_id)

    async def register(
        self,
        case_id: uuid.UUID,
        reference: str,
        people: Sequence[tuple[uuid.UUID, str]],
        mediators: Sequence[uuid.UUID],
        *,
        known: str | None,
    ) -> FoundCase:
        """Make a case known, or with `known`, its ETag, say which mediators it is to have.

        A case that is new is not taken for one that is there. Where an answer got lost, the same registration
        is there already, and is as good as the answer.
        """
        registration = CaseRegistration(
            reference=reference,
            participants=[
                NewParticipant(participant=person, role=ParticipantRole(role))
                for person, role in people
            ],
            mediators=list(mediators),
        )
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                try:
                    return await self._system.register(
                        case_id, registration, known=known, only_new=known is None
                    )
                except Problem as refused:
                    if known is not None or refused.status != HTTPStatus.PRECONDITION_FAILED:
                        raise
                there = await self._system.case(case_id)
        if there.view.reference != reference:
            raise RelayRefused("case-exists")
        return there

    async def make_link(self, case_id: uuid.UUID, person: uuid.UUID) -> tuple[uuid.UUID, str]:
        """A new link to take part: its identifier, and its address, which is a secret of that person."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                address = await self._system.make_link(case_id, person)
        return uuid.UUID(PurePosixPath(urlsplit(address).path).name), address

    async def set_no_contact(
        self, case_id: uuid.UUID, one: uuid.UUID, other: uuid.UUID, *, no_contact: bool
    ) -> None:
        """Set or lift a no-contact fact."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._system.set_no_contact(case_id, one, other, no_contact=no_contact)

    async def set_closed(self, case_id: uuid.UUID, *, closed: bool) -> None:
        """Close a case, or open it again."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._system.set_closed(case_id, closed=closed)

    async def keyring(self, credential: uuid.UUID) -> str:
        """A mediator's sealed keys in Base64, for the console that they open."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                return base64.b64encode(await self._system.keyring(credential)).decode("ascii")

    async def events(self, after: int) -> NotificationPage:
        """What happened after an event, oldest first."""
        with _translated():
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._system.events(after, limit=500)


@contextlib.asynccontextmanager
async def relay_of(settings: Settings) -> AsyncIterator[Relay]:
    """relay, reached as the settings say; SettingsWrong where a key cannot be used."""
    try:
        key = serialization.load_pem_private_key(settings.token_key_file.read_bytes(), None)
        keys = ServiceKeys.read(
            settings.signing_key_file, settings.relay_fingerprint, settings.relay_url
        )
        seen = SeenCharters(settings.seen_file)
    except (OSError, ValueError, TypeError, RelayError) as error:
        raise SettingsWrong(f"a key cannot be used: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsWrong("CASES_TOKEN_KEY_FILE has no Ed25519 key")
    connection = await Connection.open(settings.relay_url)
    try:
        yield Relay(
            CaseSystem(
                connection,
                key,
                kid=settings.token_key_id,
                issuer=settings.token_issuer,
                audience=settings.token_audience,
                keys=keys,
                seen=seen,
            )
        )
    finally:
        await connection.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Whatever goes wrong is one of two things for the pages: later, or not like this."""
    try:
        yield
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise RelayAway from error
    except Problem as refused:
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RelayAway from refused
        raise RelayRefused(refused.code) from refused
    except RelayError as error:  # what relay says does not verify
        raise RelayRefused("unverified") from error
