"""Closing a case: nothing is begun, sent, offered or released in it until it is opened again."""

from __future__ import annotations

import uuid

from relay.domain.actors import Mediator, Service
from relay.services.cases import require_case, require_mediator
from relay.storage import cases as stored
from relay.storage.database import Database
from relay.storage.events import append_event


async def set_closed(
    database: Database, actor: Mediator | Service, case_id: uuid.UUID, *, closed: bool
) -> None:
    """Close a case, or open it again; what is so already is not logged.

    Whatever is under way in the case ends first, or is refused: it is locked, as it is by all of that.
    """
    async with database.transaction() as connection:
        await stored.lock_case(connection, case_id)
        if isinstance(actor, Mediator):
            await require_mediator(connection, case_id, actor)
        await require_case(connection, case_id)
        if await stored.set_closed(connection, case_id, closed=closed):
            await append_event(
                connection,
                case_id=case_id,
                kind="case-closed" if closed else "case-reopened",
                actor=str(actor),
            )
