"""Messages, their revisions, parts and grants. Nothing here decides: services do, by the transition table."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from relay.domain.allowed import Facts, Holder
from relay.domain.gates import NOT_ASKED, GateFacts
from relay.domain.messages import Audience, Kind, Language, PartRole, PastMessage, Processing
from relay.domain.transitions import State, Transition
from relay.storage.database import Connection, many, one
from relay.storage.queries import named_queries
from relay.tracing import spans

_SQL = named_queries("messages")


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message with everything that a transition depends on."""

    message_id: uuid.UUID
    case_id: uuid.UUID
    sender_id: uuid.UUID
    recipient_id: uuid.UUID
    kind: Kind
    language: Language
    state: State
    revision: int
    review_round: int
    statement_hash: bytes | None
    rendition_hash: bytes | None
    captions_hash: bytes | None
    offer_hash: bytes | None
    withdrawal_hash: bytes | None
    writer_kid: str
    """The key of whoever began it."""
    tell_author: bool
    failure: str | None
    lease_holder: uuid.UUID | None
    lease_expires_at: datetime | None
    lease_is_over: bool
    waiting_since: datetime | None
    author_view_since: datetime
    state_since: datetime
    created_at: datetime

    def facts(self, mediator_id: uuid.UUID | None = None, gates: GateFacts = NOT_ASKED) -> Facts:
        """What a transition depends on, for the mediator who asks, or for somebody else."""
        return Facts(
            kind=self.kind,
            revision=self.revision,
            withdrawal_asked=self.withdrawal_hash is not None,
            holder=Holder.of(self.lease_holder, mediator_id, is_over=self.lease_is_over),
            gates=gates,
        )


class GateRow(GateFacts, frozen=True, kw_only=True):
    """What the gates look at, and from when an offer is for."""

    message_id: uuid.UUID
    not_before: datetime | None


class RevisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A revision that was submitted."""

    revision: int
    statement_hash: bytes
    created_at: datetime


class PartRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part, with the caller's grant where they have one."""

    commitment: bytes
    statement_hash: bytes
    role: PartRole
    media_type: str
    size_bytes: int
    body: bytes | None
    header: bytes | None


class NewPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part to be kept: text in the row, anything else in the object store."""

    commitment: bytes
    role: PartRole
    media_type: str
    size_bytes: int
    segments: list[bytes]
    body: bytes | None
    object_prefix: str | None


class NewGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A header to be kept for an audience."""

    commitment: bytes
    audience: Audience
    audience_id: uuid.UUID
    header: bytes


class AuthorRow(MessageRow, frozen=True, kw_only=True):
    """A message with all that its author is shown of it but its parts."""

    voice: bool
    statement: str | None
    kid: str | None
    """The key that signed it."""
    guidance: str | None
    stage: str | None
    fraction: float | None
    case_closed: bool

    @property
    def processing(self) -> Processing | None:
        """How far the media worker is."""
        if self.stage is None:
            return None
        return Processing(stage=self.stage, fraction=self.fraction or 0.0)


def message_of(row: asyncpg.Record | None) -> MessageRow | None:
    """The message of a row that has it as one value; None where there is none."""
    if row is None or row["message"] is None:
        return None
    return msgspec.convert({**row["message"], "lease_is_over": row["lease_is_over"]}, MessageRow)


async def lock_message(
    connection: Connection, message_id: uuid.UUID, participant_id: uuid.UUID | None = None
) -> MessageRow | None:
    """The message, which nobody else changes until this transaction ends.

    With a participant only one that they sent or were offered; any other is not looked at.
    """
    return message_of(await connection.fetchrow(_SQL["lock_message"], message_id, participant_id))


async def read_message(connection: Connection, message_id: uuid.UUID) -> MessageRow | None:
    """The message as it is, for reading."""
    return message_of(await connection.fetchrow(_SQL["read_message"], message_id))


async def read_author_message(
    connection: Connection, message_id: uuid.UUID
) -> tuple[AuthorRow, list[PartRow]] | None:
    """The message as its author is shown it, for reading, with every part and the author's grants."""
    rows = await connection.fetch(_SQL["read_author_message"], message_id)
    return author_rows(rows) if rows else None


def author_rows(rows: Sequence[asyncpg.Record]) -> tuple[AuthorRow, list[PartRow]]:
    """A message as its author is shown it, from the rows of its parts, or one row where it has none."""
    parts = [
        msgspec.convert({**row["part"], "header": row["header"]}, PartRow)
        for row in rows
        if row["part"] is not None
    ]
    return msgspec.convert({**rows[0]["message"], **rows[0]}, AuthorRow), parts


async def change_state(
    connection: Connection,
    *,
    message_id: uuid.UUID,
    transition: Transition,
    author_view_changes: bool,
    lease_holder: uuid.UUID | None,
    lease_seconds: int,
    failure: str | None,
    actor: str,
    statement_hash: bytes | None,
) -> bool:
    """Make a transition and log it; False where the message is not in the state that it starts from."""
    if transition.target is None:
        deleted = _SQL["delete_draft"]
        return bool(await connection.fetchval(deleted, message_id, transition.event, actor))
    changed = await connection.fetchval(
        _SQL["change_state"],
        message_id,
        transition.source,
        transition.target,
        author_view_changes,
        transition.starts_waiting,
        lease_holder,
        lease_seconds,
        failure,
        transition.event if transition.logged else None,
        actor,
        statement_hash,
    )
    return bool(changed)


async def begin_revision(connection: Connection, message_id: uuid.UUID) -> None:
    """Count one revision more."""
    await connection.execute(_SQL["begin_revision"], message_id)


async def set_rendition(
    connection: Connection, message_id: uuid.UUID, rendition_hash: bytes
) -> None:
    """Keep what the media worker signed."""
    await connection.execute(_SQL["set_rendition"], message_id, rendition_hash)


async def set_captions(connection: Connection, message_id: uuid.UUID, captions_hash: bytes) -> None:
    """Make these captions, or this exception, the current one."""
    await connection.execute(_SQL["set_captions"], message_id, captions_hash)


async def set_offer(connection: Connection, message_id: uuid.UUID, offer_hash: bytes) -> None:
    """Make this offer the current one."""
    await connection.execute(_SQL["set_offer"], message_id, offer_hash)


async def set_tell_author(
    connection: Connection, message_id: uuid.UUID, *, tell_author: bool
) -> None:
    """Keep whether the recipient lets the author know."""
    await connection.execute(_SQL["set_tell_author"], message_id, tell_author)


async def set_withdrawal(
    connection: Connection, message_id: uuid.UUID, statement_hash: bytes
) -> bool:
    """Keep that the author withdrew; False where they did before."""
    return bool(await connection.fetchval(_SQL["set_withdrawal"], message_id, statement_hash))


async def raise_round(connection: Connection, message_id: uuid.UUID) -> None:
    """Start the review over: older approvals count no more."""
    await connection.execute(_SQL["raise_round"], message_id)


async def renew_lease(connection: Connection, message_id: uuid.UUID, seconds: int) -> None:
    """Let a lease run for `seconds` from now."""
    await connection.execute(_SQL["renew_lease"], message_id, seconds)


async def set_receipt(connection: Connection, message_id: uuid.UUID, receipt_hash: bytes) -> None:
    """Keep the hash of a receipt code."""
    await connection.execute(_SQL["set_receipt"], message_id, receipt_hash)


async def find_by_receipt(connection: Connection, receipt_hash: bytes) -> uuid.UUID | None:
    """The message of a receipt code."""
    found: uuid.UUID | None = await connection.fetchval(_SQL["find_by_receipt"], receipt_hash)
    return found


async def list_revisions(connection: Connection, message_id: uuid.UUID) -> list[RevisionRow]:
    """The revisions that were submitted, oldest first."""
    return many(await connection.fetch(_SQL["list_revisions"], message_id), RevisionRow)


async def list_between(connection: Connection, message_id: uuid.UUID) -> list[PastMessage]:
    """The other messages between the two people of a message, the newest first."""
    return many(await connection.fetch(_SQL["list_between"], message_id), PastMessage)


async def insert_parts(
    connection: Connection,
    message_id: uuid.UUID,
    statement_hash: bytes,
    parts: Sequence[NewPart],
    grants: Sequence[NewGrant],
) -> bool:
    """Store new parts under the statement that declares them, with their grants.

    False where a part of the same commitment is known, and then no grant is stored.
    """
    return bool(
        await connection.fetchval(
            _SQL["insert_parts"],
            message_id,
            statement_hash,
            *part_columns(parts),
            *grant_columns(grants),
        )
    )


async def insert_grants(connection: Connection, grants: Sequence[NewGrant]) -> None:
    """Store grants of older parts; a newer header for the same audience takes the place of the older."""
    await connection.execute(_SQL["insert_grants"], *grant_columns(grants))


def part_columns(parts: Sequence[NewPart]) -> tuple[list[object], ...]:
    """New parts as a query takes them: a list for each column."""
    return (
        [part.commitment for part in parts],
        [part.role for part in parts],
        [part.media_type for part in parts],
        [part.size_bytes for part in parts],
        [b"".join(part.segments) for part in parts],
        [part.body for part in parts],
        [part.object_prefix for part in parts],
    )


def grant_columns(grants: Sequence[NewGrant]) -> tuple[list[object], ...]:
    """New grants as a query takes them: a list for each column."""
    return (
        [grant.commitment for grant in grants],
        [grant.audience for grant in grants],
        [grant.audience_id for grant in grants],
        [grant.header for grant in grants],
    )


async def delete_grants(connection: Connection, message_id: uuid.UUID, audience: Audience) -> None:
    """Take every grant of an audience on a message away."""
    await connection.execute(_SQL["delete_grants"], message_id, audience)


async def list_parts(
    connection: Connection, message_id: uuid.UUID, audience: Audience, audience_id: uuid.UUID
) -> list[PartRow]:
    """Every part of a message, with the grants of one audience."""
    rows = await connection.fetch(_SQL["list_parts"], message_id, audience, audience_id)
    return many(rows, PartRow)


async def gate_facts(
    connection: Connection,
    message_id: uuid.UUID,
    *,
    for_new_offer: bool = False,
    mediator_id: uuid.UUID | None = None,
) -> GateFacts:
    """What the gates look at, as it is in this transaction.

    `for_new_offer`: whatever key an earlier offer was for, and from when. `mediator_id`: who asks.
    """
    found = await list_gate_facts(
        connection, [message_id], for_new_offer=for_new_offer, mediator_id=mediator_id
    )
    return found[message_id]


async def list_gate_facts(
    connection: Connection,
    messages: Sequence[uuid.UUID],
    *,
    for_new_offer: bool = False,
    mediator_id: uuid.UUID | None = None,
) -> dict[uuid.UUID, GateRow]:
    """The same for each of some messages, by one query."""
    rows = await connection.fetch(_SQL["gate_facts"], messages, for_new_offer, mediator_id)
    return {row.message_id: row for row in many(rows, GateRow)}


async def list_origin(connection: Connection, statement_hash: bytes) -> list[str]:
    """Whose signature is on a statement: claim and verification, or upload link, as they were signed."""
    rows = await connection.fetch(_SQL["list_origin"], statement_hash)
    return [row["compact"] for row in rows]


async def is_voice(connection: Connection, message_id: uuid.UUID) -> bool:
    """Whether a message is a voice alone, as far as that is known."""
    return bool(await connection.fetchval(_SQL["is_voice"], message_id))


async def find_processing(connection: Connection, message_id: uuid.UUID) -> Processing | None:
    """How far the media worker is."""
    return one(await connection.fetchrow(_SQL["find_processing"], message_id), Processing)


async def insert_job(connection: Connection, message_id: uuid.UUID, revision: int) -> uuid.UUID:
    """Note that a video waits for a media worker, and in which trace; by a span of relay's own, or none."""
    trace = spans.current()
    job_id: uuid.UUID = await connection.fetchval(
        _SQL["insert_job"], message_id, revision, None if trace is None else str(trace)
    )
    return job_id


async def cancel_jobs(connection: Connection, message_id: uuid.UUID) -> None:
    """Take the work on a video away from the workers."""
    await connection.execute(_SQL["cancel_jobs"], message_id)


async def orphan_objects(connection: Connection, message_id: uuid.UUID) -> None:
    """Note every object of a message for removal."""
    await connection.execute(_SQL["orphan_objects"], message_id)
