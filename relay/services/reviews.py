"""What a mediator does in review: take an item, let it go, decide, add captions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Service
from relay.domain.messages import (
    Audience,
    PartRole,
    QueuePage,
    ReviewMessage,
    ReviewRequest,
    StatementMismatch,
)
from relay.domain.paging import read_place, write_place
from relay.domain.reviews import (
    BEGINNING,
    END,
    ENDED,
    CaseMessagesQuery,
    QueueFigures,
    QueuePlace,
    QueueQuery,
)
from relay.domain.transitions import Event, Mover, State, Transition
from relay.errors import NotFound
from relay.queue import Queue
from relay.services.cases import require_mediator
from relay.services.message_views import review_message
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
from relay.services.verifiable import require_verifiable
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import messages as stored
from relay.storage import reviews as stored_reviews
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement


async def queue(database: Database, mediator: Mediator, query: QueueQuery) -> QueuePage:
    """A page of the review queue of a mediator: what waits, oldest first; what has ended, newest first."""
    wanted = stored_reviews.QueueFilter(
        mediator_id=mediator.credential_id,
        since_before=datetime.now(UTC) - timedelta(seconds=query.older_than_seconds),
        language=query.language,
        case_id=query.case,
        limit=query.limit + 1,
    )
    after = None if query.after is None else _place(query.after)
    async with database.snapshot() as connection:
        if query.state in ENDED and query.waits_for is None:
            found = await stored_reviews.ended_of_state(
                connection, wanted, query.state, after or END
            )
        elif query.state is None and query.waits_for is not None:
            found = await stored_reviews.queue_of_turn(
                connection, wanted, query.waits_for, after or BEGINNING
            )
        else:
            state = query.state or State.QUEUED
            found = await stored_reviews.queue_of_state(
                connection, wanted, state, query.waits_for, after or BEGINNING
            )
        return await _page(connection, mediator, found, query.limit)


async def of_case(
    database: Database, mediator: Mediator, case_id: uuid.UUID, query: CaseMessagesQuery
) -> QueuePage:
    """A page of every message of a case that was ever sent, in every state, newest first."""
    before = END if query.after is None else _place(query.after)
    async with database.snapshot() as connection:
        await require_mediator(connection, case_id, mediator)
        found = await stored_reviews.messages_of_case(
            connection, case_id, mediator.credential_id, before, query.limit + 1
        )
        return await _page(connection, mediator, found, query.limit)


def _place(text: str) -> tuple[datetime, uuid.UUID]:
    place = read_place(text, QueuePlace)
    return place.since, place.message


async def _page(
    connection: Connection, mediator: Mediator, found: list[stored_reviews.Place], limit: int
) -> QueuePage:
    """The items at so many places, one of which may be the first of the next page."""
    shown = found[:limit]
    items = await stored_reviews.queue_items(
        connection, [place.message for place in shown], mediator.credential_id
    )
    if len(found) <= limit:
        return QueuePage(items=items, next=None)
    return QueuePage(
        items=items, next=write_place(QueuePlace(since=shown[-1].since, message=shown[-1].message))
    )


async def figures(database: Database, actor: Mediator | Service) -> QueueFigures:
    """How much waits: in the cases of a mediator, or everywhere for the case system."""
    mediator_id = actor.credential_id if isinstance(actor, Mediator) else None
    async with database.connection() as connection:
        return QueueFigures(figures=await stored_reviews.queue_figures(connection, mediator_id))


async def take(
    database: Database, settings: Settings, mediator: Mediator, message_id: uuid.UUID
) -> ReviewMessage:
    """Lease an item, or renew the lease that one holds. If two race, exactly one gets it."""
    async with database.transaction() as connection:
        message = await _require_reviewable(connection, mediator, message_id)
        await make_transition(
            connection,
            message,
            await _require(connection, mediator, message, Event.LEASE),
            actor=str(mediator),
            lease=(mediator.credential_id, settings.lease_seconds),
        )
        return await review_message(connection, mediator, await reload(connection, message))


async def let_go(database: Database, mediator: Mediator, message_id: uuid.UUID) -> None:
    """Give an item back to the queue."""
    async with database.transaction() as connection:
        message = await _require_reviewable(connection, mediator, message_id)
        given_back = await _require(connection, mediator, message, Event.LET_GO)
        await make_transition(connection, message, given_back, actor=str(mediator))


async def decide(
    database: Database,
    queue: Queue,
    settings: Settings,
    mediator: Mediator,
    message_id: uuid.UUID,
    request: ReviewRequest,
) -> ReviewMessage:
    """Carry a signed decision out; the same statement again answers as the first time did.

    A decision names by hash exactly what was in front of the mediator: new words, another rendition or
    other captions make it void before it is stored.
    """
    decision = statements.verified(request.statement, statements.Decision, mediator.signer)
    said = decision.said
    job_id = None
    async with database.transaction() as connection:
        message = await _require_reviewable(connection, mediator, message_id)
        require_about(message, said)
        if not await is_new(connection, settings, decision):
            return await review_message(connection, mediator, message)
        require_same_words(message, said)
        made = await _require(connection, mediator, message, Event(said.decision))
        if made.known_sender:
            await require_verifiable(connection, settings, message)
        await insert_statement(connection, decision)
        await _keep_notes(connection, settings, message, decision, request)
        await stored_reviews.insert_decision(connection, _new_decision(message, mediator, decision))
        await make_transition(
            connection, message, made, actor=str(mediator), statement_hash=decision.hash
        )
        if made.event is Event.REOPEN:
            await stored.raise_round(connection, message_id)
        if made.event is Event.RETRY:
            job_id = await stored.insert_job(connection, message_id, message.revision)
        answer = await review_message(connection, mediator, await reload(connection, message))
    if job_id is not None:
        await queue.wake(job_id)
    return answer


async def caption(
    database: Database,
    settings: Settings,
    mediator: Mediator,
    message_id: uuid.UUID,
    request: ReviewRequest,
) -> ReviewMessage:
    """Add captions to a video under review, or the reason why it needs none.

    They are part of what is released, so an approval given before does not count for them.
    """
    captions = statements.verified(request.statement, statements.Captions, mediator.signer)
    said = captions.said
    async with database.transaction() as connection:
        message = await _require_reviewable(connection, mediator, message_id)
        require_about(message, said)
        if not await is_new(connection, settings, captions):
            return await review_message(connection, mediator, message)
        await _require(connection, mediator, message, Event.CAPTION)
        if (said.revision, said.source, said.rendition) != (
            message.revision,
            _text(message.statement_hash),
            _text(message.rendition_hash),
        ):
            raise StatementMismatch("captions for other words")
        await insert_statement(connection, captions)
        parts = []
        if said.part is not None:
            if said.part.role != "captions":
                raise StatementMismatch("captions are one part of that role")
            case = (Audience.CASE, message.case_id)
            check_grants({said.part.commit}, request.grants, Readers(required=frozenset({case})))
            parts.append(checked_text(said.part, request.bodies, settings))
        elif request.grants or request.bodies:
            raise StatementMismatch("an exception has no parts")
        await store_parts(
            connection,
            message_id=message_id,
            statement_hash=captions.hash,
            parts=parts,
            grants=request.grants,
        )
        await stored_reviews.insert_captions(
            connection,
            statement_hash=captions.hash,
            message_id=message_id,
            source_hash=message.statement_hash or b"",
            exception=said.exception,
        )
        await stored.set_captions(connection, message_id, captions.hash)
        await append_event(
            connection,
            case_id=message.case_id,
            kind="captions-added" if parts else "captions-excepted",
            actor=str(mediator),
            message_id=message_id,
            statement_hash=captions.hash,
        )
        return await review_message(connection, mediator, await reload(connection, message))


async def _require_reviewable(
    connection: Connection, mediator: Mediator, message_id: uuid.UUID
) -> stored.MessageRow:
    """The message, locked, for a mediator of its case; for any other it does not exist."""
    message = await require_message(connection, message_id)
    await require_mediator(connection, message.case_id, mediator)
    return message


async def _require(
    connection: Connection, mediator: Mediator, message: stored.MessageRow, event: Event
) -> Transition:
    return await require_transition(
        connection, message, event, Mover.MEDIATOR, mediator_id=mediator.credential_id
    )


async def _keep_notes(
    connection: Connection,
    settings: Settings,
    message: stored.MessageRow,
    decision: statements.Verified[statements.Decision],
    request: ReviewRequest,
) -> None:
    """Store the mediator's own words to the sender, or to the case; for a retry, the worker's new grant."""
    said = decision.said
    grants = request.grants
    if said.decision == "retry":
        await _grant_retry(connection, message, request)
        grants = []
    # Words to the author about a retraction or a recall would tell them of the offer.
    is_secret = said.decision in {"retract", "recall"}
    author = frozenset({(Audience.AUTHOR, message.sender_id)})
    readers = Readers(
        required=frozenset({(Audience.CASE, message.case_id)}),
        allowed=frozenset() if is_secret else author,
    )
    check_grants({note.commit for note in said.notes}, grants, readers)
    await store_parts(
        connection,
        message_id=message.message_id,
        statement_hash=decision.hash,
        parts=[checked_text(note, request.bodies, settings) for note in said.notes],
        grants=grants,
    )


async def _grant_retry(
    connection: Connection, message: stored.MessageRow, request: ReviewRequest
) -> None:
    """Let the media workers open the original once more: their grant ended with the failure."""
    parts = await stored.list_parts(connection, message.message_id, Audience.CASE, message.case_id)
    originals = {
        b64u_encode(part.commitment)
        for part in parts
        if part.role is PartRole.ORIGINAL and part.statement_hash == message.statement_hash
    }
    if not originals:
        raise NotFound("nothing to try again")
    media = await stored_cases.list_media(connection, message.case_id)
    workers = frozenset((Audience.MEDIA, worker) for worker in media)
    check_grants(originals, request.grants, Readers(required=frozenset(), one_of=workers))
    await store_grants(connection, request.grants)


def _new_decision(
    message: stored.MessageRow,
    mediator: Mediator,
    decision: statements.Verified[statements.Decision],
) -> stored_reviews.NewDecision:
    return stored_reviews.NewDecision(
        statement_hash=decision.hash,
        message_id=message.message_id,
        review_round=message.review_round,
        mediator_id=mediator.credential_id,
        decision=decision.said.decision,
        reason=decision.said.reason,
        source_hash=message.statement_hash or b"",
        rendition_hash=message.rendition_hash,
        captions_hash=message.captions_hash,
    )


def _text(digest: bytes | None) -> str | None:
    return None if digest is None else b64u_encode(digest)
