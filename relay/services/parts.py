"""Reading the sealed bytes of a part, for those who may."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator

from relay.domain.actors import Mediator, Participant
from relay.domain.parts import ReadFacts, may_read
from relay.errors import NotFound
from relay.storage import parts as stored
from relay.storage.database import Database
from relay.storage.objects import Objects


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SealedBody:
    """The sealed bytes of a part, from the database or the store; the caller was allowed to read it."""

    database: Database
    objects: Objects
    commitment: bytes
    size_bytes: int
    object_prefix: str | None

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """The bytes `start` to `stop` (not included) as a stream; close it if it is left early."""
        if self.object_prefix is None:
            async with self.database.connection() as connection:
                body = await stored.read_body(connection, self.commitment, start, stop)
            yield body
            return
        async with contextlib.aclosing(
            self.objects.read(self.object_prefix, start, stop)
        ) as chunks:
            async for chunk in chunks:
                yield chunk


async def find_body(
    database: Database, objects: Objects, actor: Mediator | Participant, commitment: bytes
) -> SealedBody:
    """The body of a part; NotFound alike where there is none and where the caller may not read it."""
    participant = actor if isinstance(actor, Participant) else None
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    async with database.connection() as connection:
        part = await stored.find_part(
            connection, commitment, participant=participant, mediator_id=mediator_id
        )
    if part is None or not may_read(_facts(part)):
        raise NotFound("no such part for this caller")
    return SealedBody(
        database=database,
        objects=objects,
        commitment=commitment,
        size_bytes=part.size_bytes,
        object_prefix=part.object_prefix,
    )


def _facts(part: stored.ReadablePart) -> ReadFacts:
    return ReadFacts(
        reader=part.reader,
        role=part.role,
        state=part.state,
        is_current=part.is_current,
        has_grant=part.has_grant,
    )
