"""Asks whether a transition may be made, makes it, and writes it to the log; nothing else changes a state."""

from __future__ import annotations

import uuid

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.allowed import PASSES_GATES, Facts, transition
from relay.domain.gates import NOT_ASKED
from relay.domain.messages import Audience, Kind, StatementMismatch
from relay.domain.transitions import Event, Mover, State, Transition, WrongState
from relay.domain.views import author_view
from relay.errors import NotFound
from relay.storage import messages as stored
from relay.storage.cases import lock_case
from relay.storage.database import Connection
from relay.storage.events import append_event
from relay.storage.messages import MessageRow

CLOCK_ACTOR = "clock"


async def require_transition(
    connection: Connection,
    message: MessageRow,
    event: Event,
    by: Mover,
    *,
    mediator_id: uuid.UUID | None = None,
) -> Transition:
    """The transition that `by` may make now with `event`; refused as the transition table has it.

    `mediator_id`: of a mediator. The row of the message is locked by this transaction.
    """
    gates = (
        await stored.gate_facts(
            connection,
            message.message_id,
            for_new_offer=by is Mover.MEDIATOR,
            mediator_id=mediator_id,
        )
        if by in PASSES_GATES
        else NOT_ASKED
    )
    return transition(message.state, event, by, message.facts(mediator_id, gates))


def submitted(kind: Kind, revision: int) -> Transition:
    """The transition that a sender makes with signed words: of a draft, or of a message begun by them."""
    event = Event.SUBMIT_LETTER if kind is Kind.LETTER else Event.SUBMIT_VIDEO
    facts = Facts(kind=kind, revision=revision, withdrawal_asked=False)
    return transition(State.DRAFT, event, Mover.SENDER, facts)


async def make_transition(
    connection: Connection,
    message: MessageRow,
    made: Transition,
    *,
    actor: str,
    statement_hash: bytes | None = None,
    tell_author: bool | None = None,
    lease: tuple[uuid.UUID, int] | None = None,
    failure: str | None = None,
) -> None:
    """Make a transition that `require_transition` found, with everything that follows from it.

    `lease`: who holds the message after it, and for how many seconds. WrongState where it was made before.
    """
    if made.source is State.QUEUED and message.state is State.CLAIMED:
        await lapse(connection, message)
    holder, seconds = lease or (None, 0)
    if made.target is not made.source:
        moved = await stored.change_state(
            connection,
            message_id=message.message_id,
            transition=made,
            author_view_changes=_author_view_changes(message, made, tell_author=tell_author),
            lease_holder=holder,
            lease_seconds=seconds,
            failure=failure,
            actor=actor,
            statement_hash=statement_hash,
        )
        if not moved:
            raise WrongState(f"{made.event} raced")
    elif holder is not None:
        await stored.renew_lease(connection, message.message_id, seconds)
    elif made.logged:
        await append_event(
            connection,
            case_id=message.case_id,
            kind=made.event,
            actor=actor,
            message_id=message.message_id,
            statement_hash=statement_hash,
        )
    if made.ends_grants:
        await stored.delete_grants(connection, message.message_id, Audience.RECIPIENT)


async def lapse(connection: Connection, message: MessageRow) -> None:
    """Put an item whose lease ran out back into the queue."""
    made = await require_transition(connection, message, Event.LAPSE, Mover.CLOCK)
    await make_transition(connection, message, made, actor=CLOCK_ACTOR)


def _author_view_changes(
    message: MessageRow, transition: Transition, *, tell_author: bool | None
) -> bool:
    if transition.target is None:
        return False
    asked = message.withdrawal_hash is not None
    told = message.tell_author if tell_author is None else tell_author
    before = author_view(transition.source, withdrawal_asked=asked, tell_author=message.tell_author)
    after = author_view(transition.target, withdrawal_asked=asked, tell_author=told)
    return before is not after


async def require_message(
    connection: Connection, message_id: uuid.UUID, participant_id: uuid.UUID | None = None
) -> MessageRow:
    """The message, locked for this transaction and its case with it; NotFound where there is none.

    For a participant there is none that they did not send and were not offered: it takes as long to say so.

    Everybody locks in this order: a message, its case, and then whatever else. What is read of the case
    afterwards (its mediators, what its charter asks for, consents) is as it will be when this is done.
    """
    message = await stored.lock_message(connection, message_id, participant_id)
    if message is None:
        raise NotFound("no such message")
    await lock_case(connection, message.case_id)
    return message


async def reload(connection: Connection, message: MessageRow) -> MessageRow:
    """A message that this transaction has locked, read again."""
    found = await stored.lock_message(connection, message.message_id)
    if found is None:
        raise NotFound("no such message")
    return found


def require_about(
    message: MessageRow,
    said: statements.Decision | statements.Captions | statements.Offer | statements.Response,
) -> None:
    """Require a statement about this message; StatementMismatch otherwise."""
    if (said.case, said.message) != (message.case_id, message.message_id):
        raise StatementMismatch("about another message")


def require_same_words(message: MessageRow, said: statements.Decision | statements.Offer) -> None:
    """Require that a decision or an offer is about exactly what is there now; WrongState otherwise."""
    current = (message.statement_hash, message.rendition_hash, message.captions_hash)
    named = (said.source, said.rendition, said.captions)
    if said.revision != message.revision or named != tuple(
        None if digest is None else b64u_encode(digest) for digest in current
    ):
        raise WrongState("about other words")
