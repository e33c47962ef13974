"""A participant's lists: what one page of them holds, and where the next one begins.

Nothing sealed is in them: bodies, notes and guidance are asked for by the message.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from relay.domain.cases import Consent
from relay.domain.messages import Kind, Language, Processing
from relay.domain.paging import read_place
from relay.domain.transitions import Event
from relay.domain.views import AuthorView, RecipientView
from relay.errors import InvalidRequest

NAMED_MAX: Final = 20
"""So many are asked for by name at once, and named by one live event, which stays below a KiB."""


class Side(StrEnum):
    """One of a participant's two lists."""

    SENT = "sent"
    RECEIVED = "received"


class SentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A message as its author sees it in a list."""

    message: uuid.UUID
    recipient: uuid.UUID = msgspec.field(name="to")
    kind: Kind
    voice: bool
    language: Language
    revision: int
    view: AuthorView
    view_since: datetime
    allowed_actions: tuple[Event, ...]
    created_at: datetime
    failure: str | None
    processing: Processing | None
    has_guidance: bool
    """Whether a mediator's decision came with it: it is in the answer about the message."""


class ReceivedSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A message as its recipient sees it in a list. The offer says, signed, since when."""

    message: uuid.UUID
    sender: uuid.UUID = msgspec.field(name="from")
    kind: Kind
    voice: bool
    language: Language
    view: RecipientView
    allowed_actions: tuple[Event, ...]
    offer_hash: str
    """Of the offer: anyone who has read that one need not ask for it again."""
    offer: str | None
    """Only of what was asked for by name: it is as long as ten summaries."""


class SentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Of what one wrote; `next` asks for the following page."""

    items: list[SentSummary]
    next: str | None


class ReceivedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Of what one was offered; `next` asks for the following page."""

    items: list[ReceivedSummary]
    next: str | None


class Correspondence(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant sees, by pages: what asks them for something first, then the newest."""

    sent: SentPage
    received: ReceivedPage
    consent: Consent | None
    """What they said last about taking part."""
    verified: bool
    """Whether a mediator has verified their claim. Until then they see only what they wrote with it."""
    closed: bool
    """Whether the case is: nothing is begun, sent or offered in it."""


class CorrespondenceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first page of both lists; or with `after` the following page of one; or some messages alone.

    `after` is `next` of the page before. `messages` are at most twenty, with commas between them.
    """

    after: str | None = None
    messages: str | None = None

    @property
    def named(self) -> list[uuid.UUID] | None:
        """The messages that are asked for by name, if they are; InvalidRequest for what are none."""
        if self.messages is None:
            return None
        if self.after is not None:
            raise InvalidRequest("a page of named messages", problem="after or messages, not both")
        try:
            named = [uuid.UUID(text) for text in self.messages.split(",")]
        except ValueError:
            raise InvalidRequest("not identifiers", problem="messages") from None
        if len(named) > NAMED_MAX:
            raise InvalidRequest("too many at once", problem="messages")
        return named

    @property
    def place(self) -> Place | None:
        """Where the page begins; None for the first one."""
        return None if self.after is None else read_place(self.after, Place)


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The place of a message in a list."""

    side: Side
    asks: bool
    """Whether it asks its reader for something, which comes first."""
    since: datetime
    message: uuid.UUID


class MessagesChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant's live feed says: which messages look otherwise now, or are there no more."""

    messages: list[uuid.UUID]
    everything: bool
    """Look at all of it: at first, where consent or claim changed, and where too many did to name them."""
