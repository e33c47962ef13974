"""Reading parts: which there are, who asks, and the sealed bytes of those that are kept in a row."""

from __future__ import annotations

import uuid

import msgspec

from relay.domain.actors import Participant
from relay.domain.messages import PartRole
from relay.domain.parts import Reader
from relay.domain.transitions import State
from relay.storage.database import Connection, one
from relay.storage.queries import named_queries

_SQL = named_queries("parts")


class ReadablePart(msgspec.Struct, frozen=True, kw_only=True):
    """A part, and what decides whether its caller may read it."""

    size_bytes: int
    object_prefix: str | None
    """Where its segments lie; None where the row itself holds the body."""
    role: PartRole
    state: State
    reader: Reader
    is_current: bool
    has_grant: bool


async def find_part(
    connection: Connection,
    commitment: bytes,
    *,
    participant: Participant | None,
    mediator_id: uuid.UUID | None,
) -> ReadablePart | None:
    """The part of this commitment, as this caller stands to it; None where there is none."""
    row = await connection.fetchrow(
        _SQL["find_part"],
        commitment,
        None if participant is None else participant.participant_id,
        mediator_id,
        None if participant is None else participant.only_kid,
    )
    return one(row, ReadablePart)


async def read_body(connection: Connection, commitment: bytes, start: int, stop: int) -> bytes:
    """The bytes `start` to `stop` of a body that is kept in its row."""
    body: bytes = await connection.fetchval(_SQL["read_body"], commitment, start + 1, stop - start)
    return body
