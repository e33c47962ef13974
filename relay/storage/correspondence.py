"""A participant's two lists, a page at a time or whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from relay.domain.actors import Participant
from relay.domain.correspondence import Place
from relay.domain.messages import Kind, Language
from relay.domain.transitions import State
from relay.storage.database import Connection, many
from relay.storage.queries import named_queries

_SQL = named_queries("correspondence")


class SentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message that somebody wrote, as a list of theirs shows it."""

    message: uuid.UUID
    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    voice: bool
    language: Language
    revision: int
    state: State
    tell_author: bool
    withdrawal_asked: bool
    view_since: datetime
    created_at: datetime
    failure: str | None
    stage: str | None
    fraction: float | None
    has_guidance: bool
    asks: bool


class ReceivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was offered to somebody, as a list of theirs shows it."""

    message: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    kind: Kind
    voice: bool
    language: Language
    state: State
    offer_hash: bytes
    offered_at: datetime
    asks: bool


async def list_sent(
    connection: Connection,
    actor: Participant,
    *,
    named: Sequence[uuid.UUID] | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[SentRow]:
    """What a participant wrote, or of that what is `named`; by any of their keys, if they are verified."""
    rows = await connection.fetch(
        _SQL["list_sent"], actor.participant_id, actor.only_kid, named, *_of(after), limit
    )
    return many(rows, SentRow)


async def list_received(
    connection: Connection,
    actor: Participant,
    *,
    named: Sequence[uuid.UUID] | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[ReceivedRow]:
    """What was offered to a participant, or of that what is `named`; a closed gate hides nothing here."""
    rows = await connection.fetch(
        _SQL["list_received"], actor.participant_id, named, *_of(after), limit
    )
    return many(rows, ReceivedRow)


async def list_statements(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, str]:
    """The texts of some statements by their hashes."""
    rows = await connection.fetch(_SQL["list_statements"], list(hashes))
    return {row["statement_hash"]: row["compact"] for row in rows}


def _of(after: Place | None) -> tuple[bool | None, datetime | None, uuid.UUID | None]:
    return (None, None, None) if after is None else (after.asks, after.since, after.message)
