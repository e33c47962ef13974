"""What each side is shown of a message: the author's view, the recipient's, the mediators'."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Container, Sequence

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Participant
from relay.domain.allowed import allowed_actions
from relay.domain.gates import closed_gates, is_open
from relay.domain.messages import (
    RELEASED_WITH,
    Audience,
    AuthorMessage,
    Consents,
    History,
    Lease,
    PartRole,
    PartView,
    ReceiptStatus,
    RecipientMessage,
    ReviewMessage,
    SignedConsent,
    SignedRevision,
)
from relay.domain.transitions import RELEASED, Mover
from relay.domain.views import AuthorView, RecipientView, author_view, recipient_view
from relay.errors import NotFound
from relay.services.cases import require_mediator
from relay.storage import cases as stored_cases
from relay.storage import correspondence as stored_lists
from relay.storage import links as stored_links
from relay.storage import messages as stored
from relay.storage import reviews as stored_reviews
from relay.storage import submissions as stored_submissions
from relay.storage.database import Connection, Database
from relay.storage.statements import find_statement


async def read_own(
    database: Database, actor: Participant, message_id: uuid.UUID
) -> AuthorMessage | RecipientMessage:
    """One message, as its author or its recipient sees it; NotFound for everybody else."""
    async with database.snapshot() as connection:
        if await _is_sent(connection, actor, message_id):
            return await author_message(connection, message_id, reader=actor)
        is_reader = actor.link_id is None and actor.is_verified
        if is_reader and await stored_lists.list_received(connection, actor, named=[message_id]):
            shown = await recipient_message(connection, message_id)
        else:
            shown = None
    if shown is None:
        raise NotFound("no such message for this participant")
    return shown


async def review(database: Database, mediator: Mediator, message_id: uuid.UUID) -> ReviewMessage:
    """One message, as the mediators of its case see it."""
    async with database.snapshot() as connection:
        message = await _require_sent(connection, mediator, message_id)
        return await review_message(connection, mediator, message)


async def history(database: Database, mediator: Mediator, message_id: uuid.UUID) -> History:
    """What came before a message: its revisions, and what else the two people sent each other."""
    async with database.snapshot() as connection:
        await _require_sent(connection, mediator, message_id)
        return History(
            revisions=[
                SignedRevision(
                    revision=row.revision,
                    sent_at=row.created_at,
                    statement=await _statement(connection, row.statement_hash) or "",
                    origin=await stored.list_origin(connection, row.statement_hash),
                )
                for row in await stored.list_revisions(connection, message_id)
            ],
            others=await stored.list_between(connection, message_id),
        )


async def read_receipt(database: Database, receipt_hash: bytes) -> ReceiptStatus:
    """The state of the message of a receipt; its code shows the author's view and no more."""
    async with database.snapshot() as connection:
        message_id = await stored.find_by_receipt(connection, receipt_hash)
        if message_id is None:
            raise NotFound("no such receipt")
        message = await author_message(connection, message_id)
    return ReceiptStatus(
        view=message.view,
        view_since=message.view_since,
        failure=message.failure,
        reason=_reason(message.guidance),
    )


def _reason(guidance: str | None) -> str | None:
    if guidance is None:
        return None
    return statements.decode_unverified(guidance, statements.Decision).reason


async def author_message(
    connection: Connection,
    message_id: uuid.UUID,
    *,
    reader: Participant | None = None,
    receipt: str | None = None,
) -> AuthorMessage:
    """A message as its author sees it; for one `reader`, with the way in of an older key of theirs."""
    found = await stored.read_author_message(connection, message_id)
    if found is None:
        raise NotFound("no such message")
    message, parts = found
    is_older = reader is not None and reader.is_verified and message.kid != reader.kid
    origin = await stored.list_origin(connection, message.statement_hash or b"") if is_older else []
    return as_author_message(message, parts, origin=origin, receipt=receipt)


def as_author_message(
    message: stored.AuthorRow,
    parts: list[stored.PartRow],
    *,
    origin: Sequence[str] = (),
    receipt: str | None = None,
) -> AuthorMessage:
    """What is stored of a message, as its author sees it."""
    own = (message.statement_hash,)
    return AuthorMessage(
        message=message.message_id,
        case=message.case_id,
        recipient=message.recipient_id,
        kind=message.kind,
        voice=message.voice,
        language=message.language,
        revision=message.revision,
        view=shown_to_author(message),
        view_since=message.author_view_since,
        allowed_actions=allowed_actions(
            message.state,
            Mover.SENDER,
            dataclasses.replace(message.facts(), case_closed=message.case_closed),
        ),
        created_at=message.created_at,
        failure=message.failure,
        processing=message.processing,
        statement=message.statement,
        guidance=message.guidance,
        parts=[_part(row) for row in parts if row.statement_hash in own or row.header is not None],
        origin=list(origin),
        receipt=receipt,
    )


def shown_to_author(message: stored.MessageRow) -> AuthorView:
    """What the author of a message sees of its state."""
    return author_view(
        message.state,
        withdrawal_asked=message.withdrawal_hash is not None,
        tell_author=message.tell_author,
    )


async def recipient_message(
    connection: Connection, message_id: uuid.UUID
) -> RecipientMessage | None:
    """A message as its recipient sees it; None while there is nothing to see."""
    message = await _require(connection, message_id)
    facts = await stored.gate_facts(connection, message_id)
    view = recipient_view(message.state, gates_open=is_open(facts))
    offer = await _statement(connection, message.offer_hash)
    if view is None or offer is None:
        return None
    is_available = view is not RecipientView.NOT_AVAILABLE
    accepted = message.state in RELEASED and is_available
    parts = await _notes(connection, message) if is_available else []
    parts += await recipient_parts(connection, message, with_headers=False) if accepted else []
    return RecipientMessage(
        message=message_id,
        case=message.case_id,
        sender=message.sender_id,
        kind=message.kind,
        voice=await stored.is_voice(connection, message.message_id),
        language=message.language,
        view=view,
        allowed_actions=allowed_actions(message.state, Mover.RECIPIENT, message.facts(gates=facts)),
        offer=offer,
        statements=await released_statements(connection, message) if accepted else [],
        parts=parts,
    )


async def released_statements(connection: Connection, message: stored.MessageRow) -> list[str]:
    """The message, its rendition and its captions, as far as they exist, as they were signed."""
    hashes = (message.statement_hash, message.rendition_hash, message.captions_hash)
    found = [await _statement(connection, statement_hash) for statement_hash in hashes]
    return [statement for statement in found if statement is not None]


async def recipient_parts(
    connection: Connection, message: stored.MessageRow, *, with_headers: bool
) -> list[PartView]:
    """The parts that were released to the recipient."""
    rows = await stored.list_parts(
        connection, message.message_id, Audience.RECIPIENT, message.recipient_id
    )
    return [
        _part(row, with_header=with_headers)
        for row in released_rows(message, rows)
        if row.header is not None
    ]


def released_rows(message: stored.MessageRow, rows: list[stored.PartRow]) -> list[stored.PartRow]:
    """The parts of a message that are released to its recipient: one of each role at most.

    A mediator's captions, or their reason for none, take the place of the author's own.
    """
    current = (message.statement_hash, message.rendition_hash, message.captions_hash)
    replaced = message.statement_hash if message.captions_hash is not None else None
    return [
        row
        for row in _of(rows, current)
        if row.role in RELEASED_WITH[message.kind]
        and not (row.role is PartRole.CAPTIONS and row.statement_hash == replaced)
    ]


async def review_message(
    connection: Connection, mediator: Mediator, message: stored.MessageRow
) -> ReviewMessage:
    """A message as a mediator of its case sees it."""
    parts = await stored.list_parts(connection, message.message_id, Audience.CASE, message.case_id)
    approvals = await stored_reviews.count_approvals(connection, message.message_id)
    sent = await stored.list_revisions(connection, message.message_id)
    for_offer = await stored.gate_facts(
        connection,
        message.message_id,
        for_new_offer=True,
        mediator_id=mediator.credential_id,
    )
    lease = None
    if message.lease_holder is not None and message.lease_expires_at is not None:
        lease = Lease(holder=message.lease_holder, expires_at=message.lease_expires_at)
    return ReviewMessage(
        message=message.message_id,
        case=message.case_id,
        sender=message.sender_id,
        recipient=message.recipient_id,
        kind=message.kind,
        voice=await stored.is_voice(connection, message.message_id),
        language=message.language,
        state=message.state,
        # The next one may have been begun: what its author has not sent is theirs alone.
        revision=sent[-1].revision if sent else message.revision,
        waiting_since=message.waiting_since,
        state_since=message.state_since,
        waits_for=await stored_reviews.find_turn(
            connection, message.message_id, mediator.credential_id
        ),
        created_at=message.created_at,
        approvals=approvals.approvals,
        approvals_needed=approvals.approvals_needed,
        lease=lease,
        allowed_actions=allowed_actions(
            message.state, Mover.MEDIATOR, message.facts(mediator.credential_id, for_offer)
        ),
        failure=message.failure,
        processing=await stored.find_processing(connection, message.message_id),
        withdrawal_asked=message.withdrawal_hash is not None,
        gates=list(closed_gates(await stored.gate_facts(connection, message.message_id))),
        origin=await stored.list_origin(connection, message.statement_hash or b""),
        consents=Consents(
            sender=await _consent(connection, message.case_id, message.sender_id),
            recipient=await _consent(connection, message.case_id, message.recipient_id),
        ),
        recipient_origin=await _way_in(connection, message.recipient_id),
        statement=await _statement(connection, message.statement_hash),
        rendition=await _statement(connection, message.rendition_hash),
        captions=await _statement(connection, message.captions_hash),
        offer=await _statement(connection, message.offer_hash),
        decisions=await stored_reviews.list_decisions(connection, message.message_id),
        parts=[_part(row) for row in parts if row.header is not None],
    )


async def _is_sent(connection: Connection, actor: Participant, message_id: uuid.UUID) -> bool:
    """Whether it is for the caller to see as its author; through an upload link, the one that it carried."""
    if actor.link_id is not None:
        return await stored_submissions.find_carried(connection, actor.link_id) == message_id
    return bool(await stored_lists.list_sent(connection, actor, named=[message_id]))


async def signed_consent(connection: Connection, consent_hash: bytes) -> SignedConsent:
    """A consent as it was signed, with the way in whose key signed it, where a participant did."""
    return SignedConsent(
        statement=await _statement(connection, consent_hash) or "",
        origin=await stored.list_origin(connection, consent_hash),
    )


async def _consent(
    connection: Connection, case_id: uuid.UUID, participant_id: uuid.UUID
) -> SignedConsent | None:
    row = await stored_cases.read_consent(connection, case_id, participant_id)
    if row is None or row.consent_hash is None:
        return None
    return await signed_consent(connection, row.consent_hash)


async def _way_in(connection: Connection, participant_id: uuid.UUID) -> list[str]:
    """The statements of the verified way in of a participant; none where there is none."""
    claim = await stored_links.current_claim(connection, participant_id)
    return [] if claim is None else await stored_links.list_way_in(connection, claim.statement_hash)


async def _require_sent(
    connection: Connection, mediator: Mediator, message_id: uuid.UUID
) -> stored.MessageRow:
    """A message of a mediator's case; before it is sent it is its author's alone, and NotFound for them."""
    message = await _require(connection, message_id)
    await require_mediator(connection, message.case_id, mediator)
    if message.statement_hash is None:
        raise NotFound("not sent yet")
    return message


async def _require(connection: Connection, message_id: uuid.UUID) -> stored.MessageRow:
    message = await stored.read_message(connection, message_id)
    if message is None:
        raise NotFound("no such message")
    return message


async def _statement(connection: Connection, statement_hash: bytes | None) -> str | None:
    if statement_hash is None:
        return None
    return await find_statement(connection, statement_hash)


async def _notes(connection: Connection, message: stored.MessageRow) -> list[PartView]:
    rows = await stored.list_parts(
        connection, message.message_id, Audience.RECIPIENT, message.recipient_id
    )
    return [
        _part(row)
        for row in _of(rows, (message.offer_hash,))
        if row.role is PartRole.NOTE and row.header is not None
    ]


def _of(rows: list[stored.PartRow], statements: Container[bytes | None]) -> list[stored.PartRow]:
    return [row for row in rows if row.statement_hash in statements]


def _part(row: stored.PartRow, *, with_header: bool = True) -> PartView:
    return PartView(
        commitment=b64u_encode(row.commitment),
        role=row.role,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        body=row.body,
        header=row.header if with_header else None,
    )
