"""From approval to the recipient: the offer, the answer, the opening, each with a look at the gates."""

from __future__ import annotations

import hashlib
import uuid

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Participant
from relay.domain.messages import (
    Answer,
    Audience,
    ConsentsChanged,
    NotAvailableNow,
    NotVerifiable,
    Opening,
    RecipientMessage,
    ReviewMessage,
    ReviewRequest,
    StatementMismatch,
)
from relay.domain.transitions import RELEASED, Event, Mover
from relay.errors import NotFound
from relay.services.cases import require_latest_charter, require_mediator
from relay.services.message_views import (
    recipient_message,
    recipient_parts,
    released_rows,
    released_statements,
    review_message,
    signed_consent,
)
from relay.services.statements import is_new
from relay.services.stored_parts import (
    Readers,
    check_grants,
    checked_text,
    store_grants,
    store_parts,
)
from relay.services.transitions import (
    make_transition,
    reload,
    require_about,
    require_message,
    require_same_words,
    require_transition,
)
from relay.services.verifiable import require_readable
from relay.settings import Settings
from relay.storage import links as stored_links
from relay.storage import messages as stored
from relay.storage import reviews as stored_reviews
from relay.storage.cases import read_consent
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import find_statement, insert_statement


async def offer(
    database: Database,
    settings: Settings,
    mediator: Mediator,
    message_id: uuid.UUID,
    request: ReviewRequest,
) -> ReviewMessage:
    """Let an approved message wait for its recipient, with the grants that open it to their key alone.

    The gates are checked in the transaction of the transition, and again when the recipient accepts and
    opens. The case is locked meanwhile, as by somebody who closes a gate: one of the two comes first.
    What was released before is granted again in the same way, to somebody who lost their link and has a
    new key; no state changes then, and what they answered stands.
    """
    offered = statements.verified(request.statement, statements.Offer, mediator.signer)
    said = offered.said
    async with database.transaction() as connection:
        message = await require_message(connection, message_id)
        await require_mediator(connection, message.case_id, mediator)
        require_about(message, said)
        if not await is_new(connection, settings, offered):
            return await review_message(connection, mediator, message)
        made = await require_transition(
            connection,
            message,
            Event.GRANT_AGAIN if message.state in RELEASED else Event.OFFER,
            Mover.MEDIATOR,
            mediator_id=mediator.credential_id,
        )
        require_same_words(message, said)
        await require_latest_charter(connection, message.case_id, said.charter)
        consents = await _require_consents(connection, message, said)
        claim = await stored_links.current_claim(connection, message.recipient_id)
        if claim is None:
            raise StatementMismatch("an offer to a key that nobody verified")
        if (said.claim, said.recipient) != (b64u_encode(claim.statement_hash), claim.recipient):
            raise StatementMismatch("an offer to another key than the recipient's")
        notes = {note.commit for note in said.notes}
        await _check_offer_grants(connection, message, said, request, notes)
        await require_readable(connection, settings, message, request.statement, consents)
        await insert_statement(connection, offered)
        await store_parts(
            connection,
            message_id=message_id,
            statement_hash=offered.hash,
            parts=[checked_text(note, request.bodies, settings) for note in said.notes],
            grants=[grant for grant in request.grants if grant.commitment in notes],
        )
        await store_grants(
            connection, [grant for grant in request.grants if grant.commitment not in notes]
        )
        await stored_reviews.insert_offer(
            connection,
            statement_hash=offered.hash,
            message_id=message_id,
            mediator_id=mediator.credential_id,
            claim_hash=claim.statement_hash,
            consents=consents,
            not_before=said.not_before,
        )
        await stored.set_offer(connection, message_id, offered.hash)
        await make_transition(
            connection, message, made, actor=str(mediator), statement_hash=offered.hash
        )
        if made.event is Event.GRANT_AGAIN:
            await append_event(
                connection,
                case_id=message.case_id,
                kind="granted-again",
                actor=str(mediator),
                message_id=message_id,
                statement_hash=offered.hash,
            )
        return await review_message(connection, mediator, await reload(connection, message))


async def respond(
    database: Database,
    settings: Settings,
    actor: Participant,
    message_id: uuid.UUID,
    compact: str,
) -> RecipientMessage:
    """Carry out what a recipient answers; the same statement again answers as the first time did."""
    response = statements.verified(compact, statements.Response, actor.signer)
    async with database.transaction() as connection:
        message = await _require_own(connection, actor, message_id)
        require_about(message, response.said)
        if await is_new(connection, settings, response):
            await _answer(connection, settings, actor, message, response)
        shown = await recipient_message(connection, message_id)
        if shown is None:
            raise NotAvailableNow
        return shown


async def open_message(
    database: Database, settings: Settings, actor: Participant, message_id: uuid.UUID
) -> Opening:
    """Give the recipient the headers of what was released; the first time ends the mediator's recall.

    What their program would refuse is not given, and not called opened.
    """
    async with database.transaction() as connection:
        message = await _require_own(connection, actor, message_id)
        opened = await require_transition(connection, message, Event.OPEN, Mover.RECIPIENT)
        await _require_readable(connection, settings, message)
        await make_transition(connection, message, opened, actor=str(actor))
        return Opening(
            statements=await released_statements(connection, message),
            approvals=await stored_reviews.list_approvals(connection, message_id),
            origin=await stored.list_origin(connection, message.statement_hash or b""),
            consents=[
                await signed_consent(connection, consent_hash)
                for consent_hash in await stored_reviews.find_offer_consents(
                    connection, message.offer_hash or b""
                )
                or ()
            ],
            parts=await recipient_parts(connection, message, with_headers=True),
        )


async def _require_readable(
    connection: Connection, settings: Settings, message: stored.MessageRow
) -> None:
    """Require an offer that the recipient's program believes; they are not told what is wrong."""
    offer_hash = message.offer_hash or b""
    offered = await find_statement(connection, offer_hash) or ""
    consents = await stored_reviews.find_offer_consents(connection, offer_hash) or ()
    try:
        await require_readable(connection, settings, message, offered, consents)
    except NotVerifiable as error:
        raise NotAvailableNow(error.detail) from None


async def _require_own(
    connection: Connection, actor: Participant, message_id: uuid.UUID
) -> stored.MessageRow:
    """A message that was offered to this participant; any other does not exist for them."""
    message = await require_message(connection, message_id, actor.participant_id)
    if message.recipient_id != actor.participant_id or message.offer_hash is None:
        raise NotFound("not offered to this participant")
    if not actor.is_verified:
        raise NotFound("offered to this participant, whom nobody has verified yet")
    return message


async def _require_consents(
    connection: Connection, message: stored.MessageRow, said: statements.Offer
) -> tuple[bytes, bytes]:
    """The hashes of the consents in force, if the offer names them; ConsentsChanged otherwise."""
    hashes = []
    for participant_id in (message.sender_id, message.recipient_id):
        row = await read_consent(connection, message.case_id, participant_id)
        hashes.append(row.consent_hash if row is not None and row.consent_hash else b"")
    if said.consents != [b64u_encode(consent_hash) for consent_hash in hashes]:
        raise ConsentsChanged
    return hashes[0], hashes[1]


async def _answer(
    connection: Connection,
    settings: Settings,
    actor: Participant,
    message: stored.MessageRow,
    response: statements.Verified[statements.Response],
) -> None:
    said = response.said
    answer = Answer(said.answer)
    made = await require_transition(connection, message, Event(answer), Mover.RECIPIENT)
    if said.offer != b64u_encode(message.offer_hash or b""):
        raise StatementMismatch("an answer to another offer")
    if answer is Answer.ACCEPT:
        await _require_readable(connection, settings, message)
    await insert_statement(connection, response)
    await stored_reviews.insert_response(
        connection,
        statement_hash=response.hash,
        message_id=message.message_id,
        offer_hash=message.offer_hash or b"",
        answer=answer,
    )
    tell_author = message.tell_author
    if answer in {Answer.ACCEPT, Answer.REFUSE}:
        tell_author = said.tell_author
        await stored.set_tell_author(connection, message.message_id, tell_author=tell_author)
    await make_transition(
        connection,
        message,
        made,
        actor=str(actor),
        statement_hash=response.hash,
        tell_author=tell_author,
    )


async def _check_offer_grants(
    connection: Connection,
    message: stored.MessageRow,
    said: statements.Offer,
    request: ReviewRequest,
    notes: set[str],
) -> None:
    """Hold the grants against what is released, and against the hashes that the mediator signed."""
    rows = await stored.list_parts(connection, message.message_id, Audience.CASE, message.case_id)
    released = {b64u_encode(row.commitment) for row in released_rows(message, rows)}
    recipient = (Audience.RECIPIENT, message.recipient_id)
    case = (Audience.CASE, message.case_id)
    to_recipient = [grant for grant in request.grants if grant.audience is Audience.RECIPIENT]
    to_case = [grant for grant in request.grants if grant.audience is not Audience.RECIPIENT]
    check_grants(released | notes, to_recipient, Readers(required=frozenset({recipient})))
    check_grants(notes, to_case, Readers(required=frozenset({case})))
    signed = {(grant.commit, grant.header) for grant in said.grants}
    given = {
        (grant.commitment, b64u_encode(hashlib.sha256(grant.header).digest()))
        for grant in to_recipient
    }
    if signed != given:
        raise StatementMismatch("grants that are not those that were signed")
