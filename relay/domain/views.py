"""What each side is shown of a message's state: coarser than the state, so that it gives nobody away.

An author cannot tell whether a message was offered, is waited with, was refused, released or opened,
unless the recipient chose to say so. A recipient never learns of an item that was not offered to them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from relay.domain.transitions import State


class AuthorView(StrEnum):
    """What the author of a message is shown."""

    SENDING = "sending"
    PREPARING = "preparing"
    NOT_PREPARED = "not-prepared"
    IN_REVIEW = "in-review"
    SENT_BACK = "sent-back"
    WITH_MEDIATOR = "with-mediator"
    CLOSED = "closed"
    ACCEPTED = "accepted"
    """Shown only where the recipient chose to let the author know."""
    NOT_ACCEPTED = "not-accepted"
    """Shown only where the recipient chose to let the author know."""


class RecipientView(StrEnum):
    """What the recipient of a message is shown, of those that were offered to them."""

    WAITING = "waiting"
    TO_OPEN = "to-open"
    OPENED = "opened"
    NOT_ACCEPTED = "not-accepted"
    NOT_AVAILABLE = "not-available"
    """It was accepted and not opened, and a mediator recalled it, or a gate is closed: which, is not said."""
    CLOSED = "closed"


_AUTHOR: Final = {
    State.DRAFT: AuthorView.SENDING,
    State.PROCESSING: AuthorView.PREPARING,
    State.FAILED: AuthorView.NOT_PREPARED,
    State.QUEUED: AuthorView.IN_REVIEW,
    State.CLAIMED: AuthorView.IN_REVIEW,
    State.HELD: AuthorView.IN_REVIEW,
    State.RETURNED: AuthorView.SENT_BACK,
    State.APPROVED: AuthorView.WITH_MEDIATOR,
    State.OFFERED: AuthorView.WITH_MEDIATOR,
    State.RELEASED: AuthorView.WITH_MEDIATOR,
    State.VIEWED: AuthorView.WITH_MEDIATOR,
    State.REFUSED: AuthorView.WITH_MEDIATOR,
    State.RECALLED: AuthorView.WITH_MEDIATOR,
    State.CLOSED: AuthorView.WITH_MEDIATOR,
    State.DECLINED: AuthorView.CLOSED,
    State.WITHDRAWN: AuthorView.CLOSED,
    State.EXPIRED: AuthorView.CLOSED,
}

_TOLD_AUTHOR: Final = {
    State.RELEASED: AuthorView.ACCEPTED,
    State.VIEWED: AuthorView.ACCEPTED,
    State.RECALLED: AuthorView.ACCEPTED,
    State.CLOSED: AuthorView.ACCEPTED,
    State.REFUSED: AuthorView.NOT_ACCEPTED,
}

_RECIPIENT: Final = {
    State.OFFERED: RecipientView.WAITING,
    State.RELEASED: RecipientView.TO_OPEN,
    State.VIEWED: RecipientView.OPENED,
    State.REFUSED: RecipientView.NOT_ACCEPTED,
    State.RECALLED: RecipientView.NOT_AVAILABLE,
    State.CLOSED: RecipientView.CLOSED,
}


def author_view(state: State, *, withdrawal_asked: bool, tell_author: bool) -> AuthorView:
    """What the author sees.

    A withdrawal that came too late is not refused, because a refusal would tell the author that the
    message was released: it is recorded for the mediator, and the author sees the same `closed` either way.
    `tell_author` is the recipient's choice in their accept or refusal; a wait never shows.
    """
    if withdrawal_asked:
        return AuthorView.CLOSED
    if tell_author and state in _TOLD_AUTHOR:
        return _TOLD_AUTHOR[state]
    return _AUTHOR[state]


def recipient_view(state: State, *, gates_open: bool) -> RecipientView | None:
    """What the recipient sees, or None where they are shown nothing at all.

    An offer behind a closed gate is not shown, as one that a mediator took back is not; one that was
    accepted and not yet opened is not available, as one that a mediator recalled is not. So what they
    see does not tell who closed the gate, or why.
    """
    if state is State.OFFERED and not gates_open:
        return None
    if state is State.RELEASED and not gates_open:
        return RecipientView.NOT_AVAILABLE
    return _RECIPIENT.get(state)
