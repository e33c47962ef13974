"""What a sender does: drafts, and the revisions that they send."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from relay.crypto.statements import Message, Verified
from relay.domain.transitions import Transition
from relay.storage.database import Connection
from relay.storage.messages import (
    AuthorRow,
    MessageRow,
    NewGrant,
    NewPart,
    PartRow,
    author_rows,
    grant_columns,
    message_of,
    part_columns,
)
from relay.storage.queries import named_queries
from relay.storage.statements import Admission

_SQL = named_queries("submissions")


class SubmissionFacts(Admission, frozen=True, kw_only=True):
    """What must be known before words are taken."""

    server_processing: bool
    is_closed: bool
    charter_hash: bytes
    """Of the charter in force."""
    media: list[uuid.UUID]
    is_pair: bool
    revisions: list[bytes]
    """The statements of those that were sent, from the first on."""


async def lock_submission(
    connection: Connection,
    message_id: uuid.UUID,
    case_id: uuid.UUID,
    *,
    sender_id: uuid.UUID,
    recipient_id: uuid.UUID,
    statement: Verified[Message] | None,
) -> tuple[MessageRow | None, SubmissionFacts | None]:
    """The message, if there is one, and what must be known; both locked, with the identifier and the case.

    Who sends under the same identifier waits. There are no facts where the case has no charter yet.
    """
    [row] = await connection.fetch(
        _SQL["lock_submission"],
        message_id,
        case_id,
        sender_id,
        recipient_id,
        None if statement is None else statement.hash,
        None if statement is None else statement.kid,
        None if statement is None else statement.said.at,
    )
    return (
        message_of(row),
        None if row["charter_hash"] is None else msgspec.convert(row, SubmissionFacts),
    )


async def find_carried(connection: Connection, link_id: uuid.UUID) -> uuid.UUID | None:
    """The message of an upload link."""
    found: uuid.UUID | None = await connection.fetchval(_SQL["find_carried"], link_id)
    return found


async def count_drafts(connection: Connection, sender_id: uuid.UUID, most: int) -> int:
    """How many messages a participant has begun and not sent, counted up to `most`."""
    count: int = await connection.fetchval(_SQL["count_drafts"], sender_id, most)
    return count


async def insert_draft(
    connection: Connection,
    *,
    message_id: uuid.UUID,
    case_id: uuid.UUID,
    sender_id: uuid.UUID,
    recipient_id: uuid.UUID,
    kind: str,
    language: str,
    writer_kid: str,
) -> bool:
    """Begin a message; False where the identifier is taken."""
    begun = await connection.fetchval(
        _SQL["insert_draft"],
        message_id,
        case_id,
        sender_id,
        recipient_id,
        kind,
        language,
        writer_kid,
    )
    return begun is not None


async def submit_revision(
    connection: Connection,
    statement: Verified[Message],
    parts: Sequence[NewPart],
    grants: Sequence[NewGrant],
    *,
    transition: Transition,
    actor: str,
) -> tuple[AuthorRow, list[PartRow]] | None:
    """Store signed words as the current revision and make the transition of a draft that is sent.

    A message that is not there yet begins with them. None where a part of the same commitment is known: the
    transaction is not to be kept.
    """
    said = statement.said
    rows = await connection.fetch(
        _SQL["submit_revision"],
        said.message,
        said.case,
        said.sender,
        said.recipient,
        said.kind,
        said.language,
        said.revision,
        statement.hash,
        said.typ,
        statement.kid,
        statement.compact,
        *part_columns(parts),
        *grant_columns(grants),
        transition.target,
        transition.starts_waiting,
        transition.event,
        actor,
    )
    return author_rows(rows) if rows[0]["is_stored"] else None
