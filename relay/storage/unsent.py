"""Unsent texts: opaque bytes of one key each."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries

_SQL = named_queries("unsent")


class TextRow(msgspec.Struct, frozen=True, kw_only=True):
    """One text, as it is kept."""

    text_id: uuid.UUID
    version: int
    sealed: bytes
    changed_at: datetime


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is."""

    texts: int
    size_bytes: int


async def lock_writer(connection: Connection, kid: str) -> None:
    """Make other changes of this key's texts wait until the transaction ends."""
    await connection.execute(_SQL["lock_writer"], kid)


async def list_texts(connection: Connection, kid: str) -> list[TextRow]:
    """The texts of a key, the latest first."""
    return many(await connection.fetch(_SQL["list_texts"], kid), TextRow)


async def find_text(connection: Connection, kid: str, text_id: uuid.UUID) -> TextRow | None:
    """One text of a key."""
    return one(await connection.fetchrow(_SQL["find_text"], kid, text_id), TextRow)


async def measure_texts(connection: Connection, kid: str, without: uuid.UUID) -> Measure:
    """How much a key has beside one of its texts."""
    found = one(await connection.fetchrow(_SQL["measure_texts"], kid, without), Measure)
    return found or Measure(texts=0, size_bytes=0)


async def keep_text(
    connection: Connection, kid: str, text_id: uuid.UUID, *, version: int, sealed: bytes
) -> None:
    """Keep a version in the place of the one before."""
    await connection.execute(_SQL["keep_text"], kid, text_id, version, sealed)


async def delete_text(connection: Connection, kid: str, text_id: uuid.UUID) -> None:
    """Remove a text."""
    await connection.execute(_SQL["delete_text"], kid, text_id)


async def delete_old(connection: Connection, seconds: int) -> None:
    """Remove the texts that nobody changed for `seconds`."""
    await connection.execute(_SQL["delete_old"], seconds)
