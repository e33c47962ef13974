"""The review queue: what is asked of it, and how much it holds."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from relay.domain.messages import Language, WaitsFor
from relay.domain.transitions import State

BEGINNING = (datetime.min.replace(tzinfo=UTC), uuid.UUID(int=0))
"""The place before the oldest item."""


END = (datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1))
"""The place after the newest item."""


ENDED: Final = frozenset(list(State)[list(State).index(State.VIEWED) :])
"""The states in which a message waits for nobody: they are looked up, the newest first."""


class QueueQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The filters of the queue; `older_than_seconds` is an age, `after` is `next` of the page before.

    With `waits_for` alone the states are taken together; with neither, what waits for review is meant.
    A draft is one of a message that was sent before: its author is changing it.
    """

    state: State | None = None
    waits_for: WaitsFor | None = None
    case: uuid.UUID | None = None
    language: Language | None = None
    older_than_seconds: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class CaseMessagesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the messages of a case; `after` is `next` of the page before."""

    after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class QueuePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The place of a message in the queue, or among those of a case."""

    since: datetime
    message: uuid.UUID


class QueueFigure(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages are in a state, for whom they wait, and since when the oldest of them waits."""

    state: State
    waits_for: WaitsFor | None
    """None for the case system, which is none of the mediators."""
    messages: int
    oldest: datetime | None


class QueueFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is to do."""

    figures: list[QueueFigure]


class QueueChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What a mediator's live feed says: in which of their cases something happened."""

    cases: list[uuid.UUID]
    everything: bool
    """Look at all of it: at first, and where too many changed to name them."""
