"""Makes a transition, and writes it to the log; nothing else in relay changes a state."""

from __future__ import annotations

import uuid

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import Audience
from relay.domain.transitions import Act, Mover, Transition, WrongState, find_transition
from relay.domain.views import author_view
from relay.errors import Forbidden, NotFound
from relay.storage import messages as stored
from relay.storage.cases import lock_case
from relay.storage.database import Connection
from relay.storage.events import append_event
from relay.storage.messages import MessageRow

CLOCK_ACTOR = "clock"

_TAKES_GRANTS_BACK = {Act.RETRACT, Act.RECALL, Act.WITHDRAW, Act.CLOSE, Act.REFUSE}
"""After these the recipient's key opens nothing any more."""

_STARTS_WAITING = {Act.SUBMIT_LETTER, Act.SUBMIT_VIDEO, Act.FINISH_PROCESSING}


async def make_transition(
    connection: Connection,
    message: MessageRow,
    act: Act,
    mover: Mover,
    *,
    actor: str,
    statement_hash: bytes | None = None,
    tell_author: bool | None = None,
    lease: tuple[uuid.UUID, int] | None = None,
    failure: str | None = None,
) -> None:
    """Do `act` to `message`, whose row this transaction has locked.

    `lease`: who holds the message after it, and for how many seconds. WrongState where the table
    has no such transition from the message's state, Forbidden where it is somebody else's to make.
    """
    transition = find_transition(act, message.state)
    if transition.mover is not mover:
        raise Forbidden(f"{act} is for the {transition.mover}")
    holder, seconds = lease or (None, 0)
    if transition.target is not transition.source:
        moved = await stored.change_state(
            connection,
            message_id=message.message_id,
            transition=transition,
            author_view_changes=_author_view_changes(message, transition, tell_author=tell_author),
            starts_waiting=act in _STARTS_WAITING,
            lease_holder=holder,
            lease_seconds=seconds,
            failure=failure,
        )
        if not moved:
            raise WrongState(f"{act} raced")
    if act in _TAKES_GRANTS_BACK:
        await stored.delete_grants(connection, message.message_id, Audience.RECIPIENT)
    await append_event(
        connection,
        case_id=message.case_id,
        kind=act.replace(" ", "-"),
        actor=actor,
        message_id=message.message_id,
        statement_hash=statement_hash,
    )


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


async def require_message(connection: Connection, message_id: uuid.UUID) -> MessageRow:
    """The message, locked for this transaction and its case with it; NotFound where there is none.

    Everybody locks in this order: a message, its case, and then whatever else. What is read of the case
    afterwards (its mediators, what its charter asks for, consents) is as it will be when this is done.
    """
    message = await stored.lock_message(connection, message_id)
    if message is None:
        raise NotFound("no such message")
    await lock_case(connection, message.case_id)
    return message


async def reload(connection: Connection, message: MessageRow) -> MessageRow:
    """A message that this transaction has locked, as it is by now."""
    found = await stored.lock_message(connection, message.message_id)
    if found is None:
        raise NotFound("no such message")
    return found


def require_same_words(message: MessageRow, said: statements.Decision | statements.Offer) -> None:
    """Go on only if a decision or an offer is about exactly what is there now; WrongState otherwise."""
    current = (message.statement_hash, message.rendition_hash, message.captions_hash)
    named = (said.source, said.rendition, said.captions)
    if said.revision != message.revision or named != tuple(
        None if digest is None else b64u_encode(digest) for digest in current
    ):
        raise WrongState("about other words")
