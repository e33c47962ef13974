"""The keyring behind a link, asked for by whoever found the link."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator

import asyncpg

from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import stretch_passphrase
from relay.crypto.links import parse_link_url
from relay.testing.people import PASSPHRASE, Organization
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.requests import Answer, ask


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The keyring behind a link, and somebody who tries to get it."""

    people: Organization
    url: str
    database_url: str
    """For a superuser."""

    @property
    def link(self) -> uuid.UUID:
        """Which link it is."""
        return parse_link_url(self.url).id

    @property
    def path(self) -> str:
        """Where the keyring is asked for."""
        return f"/v1/links/{self.link}/keyring"

    @property
    def bearer(self) -> str:
        """What anyone who found the link can show."""
        address = parse_link_url(self.url)
        return b64u_encode(address.secret.auth(address.id))

    @property
    def proof(self) -> bytes:
        """The right proof."""
        address = parse_link_url(self.url)
        unlock = address.secret.unlock(address.id)
        return stretch_passphrase(PASSPHRASE, unlock, WORK_FACTOR_LOG2).proof

    async def knock(self, proof: bytes, *, language: str = "en") -> Answer:
        """One try."""
        return await ask(
            self.people.connection,
            "POST",
            self.path,
            {"proof": proof},
            bearer=self.bearer,
            headers={"Accept-Language": language},
        )

    async def wait(self) -> None:
        """Let the time pass for which the link is closed."""
        async with self.rows() as connection:
            await connection.execute(
                "update claims set closed_until = clock_timestamp() where link_id = $1", self.link
            )

    @contextlib.asynccontextmanager
    async def rows(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """The database behind relay."""
        connection = await asyncpg.connect(self.database_url)
        try:
            yield connection
        finally:
            await connection.close()


def limits_of(answer: Answer) -> list[str]:
    """What an answer says of limits."""
    return sorted(value for name, value in answer.headers if name.lower().startswith("ratelimit"))
