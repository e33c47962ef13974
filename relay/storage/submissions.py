"""What a sender does: drafts, and the revisions that they send."""

from __future__ import annotations

import uuid

import msgspec

from relay.crypto.statements import Message, Verified
from relay.storage.database import Connection, one
from relay.storage.messages import MessageRow
from relay.storage.queries import named_queries
from relay.storage.statements import Admission

_SQL = named_queries("submissions")


class SubmissionFacts(Admission, frozen=True, kw_only=True):
    """What must be known before words are taken."""

    server_processing: bool
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
    message = row["message"] and {**row["message"], "lease_is_over": row["lease_is_over"]}
    return (
        msgspec.convert(message, MessageRow | None),
        None if row["charter_hash"] is None else msgspec.convert(row, SubmissionFacts),
    )


async def find_carried(connection: Connection, link_id: uuid.UUID) -> uuid.UUID | None:
    """The message of an upload link."""
    found: uuid.UUID | None = await connection.fetchval(_SQL["find_carried"], link_id)
    return found


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
) -> MessageRow | None:
    """Begin a message; None where the identifier is taken."""
    row = await connection.fetchrow(
        _SQL["insert_draft"],
        message_id,
        case_id,
        sender_id,
        recipient_id,
        kind,
        language,
        writer_kid,
    )
    return one(row, MessageRow)


async def store_revision(connection: Connection, statement: Verified[Message]) -> MessageRow:
    """Store signed words as the current revision; a message that is not there yet begins with them."""
    said = statement.said
    row = await connection.fetchrow(
        _SQL["store_revision"],
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
    )
    return msgspec.convert(row, MessageRow)
