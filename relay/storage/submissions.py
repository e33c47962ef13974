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
    connection: Connection, message_id: uuid.UUID, case_id: uuid.UUID
) -> MessageRow | None:
    """The message, if there is one, locked with its case; who sends under the same identifier waits, too."""
    row = await connection.fetchrow(_SQL["lock_submission"], message_id, case_id)
    return one(row, MessageRow)


async def find_facts(
    connection: Connection,
    *,
    case_id: uuid.UUID,
    sender_id: uuid.UUID,
    recipient_id: uuid.UUID,
    message_id: uuid.UUID,
    statement: Verified[Message] | None,
) -> SubmissionFacts | None:
    """What there is to know of a case and a message; None where the case has no charter yet."""
    row = await connection.fetchrow(
        _SQL["find_submission_facts"],
        case_id,
        sender_id,
        recipient_id,
        message_id,
        None if statement is None else statement.hash,
        None if statement is None else statement.kid,
        None if statement is None else statement.said.at,
    )
    return one(row, SubmissionFacts)


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
