"""Stores what somebody is writing, so that it follows them to another device; only its writer's key opens it.

A version takes the place of the one that it was made from and of no other: what two devices wrote at the same
time is never lost by the one being written over the other.
"""

from __future__ import annotations

import uuid

from relay.domain.actors import Mediator, Participant
from relay.domain.unsent import (
    SEALED_MAX_BYTES,
    TEXTS_MAX,
    TEXTS_MAX_BYTES,
    NewUnsentText,
    UnsentChanged,
    UnsentFull,
    UnsentText,
    UnsentTexts,
)
from relay.errors import InvalidRequest, TooLarge
from relay.storage import unsent as stored
from relay.storage.database import Database


async def list_own(database: Database, actor: Participant | Mediator) -> UnsentTexts:
    """Every unsent text of the caller's key."""
    async with database.connection() as connection:
        rows = await stored.list_texts(connection, actor.kid)
    return UnsentTexts(
        texts=[
            UnsentText(
                text=row.text_id, version=row.version, sealed=row.sealed, changed_at=row.changed_at
            )
            for row in rows
        ]
    )


async def keep(
    database: Database, actor: Participant | Mediator, text_id: uuid.UUID, new: NewUnsentText
) -> None:
    """Store a version; UnsentChanged unless it follows the stored one. Repeated, it is stored once."""
    size = len(new.sealed)
    if size == 0:
        raise InvalidRequest("sealed", problem="sealed is empty.")
    if size > SEALED_MAX_BYTES:
        raise TooLarge(f"an unsent text of {size} bytes")
    async with database.transaction() as connection:
        await stored.lock_writer(connection, actor.kid)
        kept = await stored.find_text(connection, actor.kid, text_id)
        if kept is not None and (kept.version, kept.sealed) == (new.version, new.sealed):
            return  # its answer was lost
        if new.version != (1 if kept is None else kept.version + 1):
            raise UnsentChanged(f"version {new.version}")
        others = await stored.measure_texts(connection, actor.kid, text_id)
        if others.texts >= TEXTS_MAX or others.size_bytes + size > TEXTS_MAX_BYTES:
            raise UnsentFull(f"{others.texts} texts, {others.size_bytes} bytes")
        await stored.keep_text(
            connection, actor.kid, text_id, version=new.version, sealed=new.sealed
        )


async def discard(
    database: Database, actor: Participant | Mediator, text_id: uuid.UUID, version: int
) -> None:
    """Remove a text that the caller saw last in this version; UnsentChanged where it was changed since."""
    async with database.transaction() as connection:
        await stored.lock_writer(connection, actor.kid)
        kept = await stored.find_text(connection, actor.kid, text_id)
        if kept is None:
            return
        if kept.version > version:
            raise UnsentChanged(f"version {version}")
        await stored.delete_text(connection, actor.kid, text_id)
