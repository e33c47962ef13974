"""A message as the rows of a log lead to it, and who may read its parts."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from relay.crypto import statements
from relay.crypto.fields import Part
from relay.domain.messages import RELEASED_WITH, Audience, PartRole
from relay.domain.messages import Kind as MessageKind
from relay.domain.transitions import State
from relay.services.audit.keys import WayIn

BEGINS: Final = {"draft-begun", "submit-letter", "submit-video"}
SECRET: Final = {"retract", "recall"}
"""Decisions whose notes are for the case alone."""

AUTHOR: Final = frozenset({Audience.AUTHOR})
RECIPIENT: Final = frozenset({Audience.RECIPIENT})
NOBODY: Final = frozenset[Audience]()
OF_MESSAGES: Final[Mapping[str, frozenset[Audience]]] = {
    PartRole.BODY: AUTHOR | RECIPIENT,
    PartRole.CAPTIONS: AUTHOR | RECIPIENT,
    PartRole.ORIGINAL: AUTHOR | {Audience.MEDIA},
    PartRole.NOTE: AUTHOR,
}
"""Who besides the case may read what a sender sealed."""
OF_RENDITIONS: Final[Mapping[str, frozenset[Audience]]] = {
    PartRole.RENDITION: RECIPIENT,
    PartRole.POSTER: RECIPIENT,
}
OF_CAPTIONS: Final[Mapping[str, frozenset[Audience]]] = {PartRole.CAPTIONS: RECIPIENT}


@dataclasses.dataclass(slots=True)
class Item:
    """A message as the rows so far lead to it."""

    sender: uuid.UUID | None = None
    recipient: uuid.UUID | None = None
    kind: str | None = None
    language: str | None = None
    state: State | None = None
    """None where it is not there: not begun, or discarded."""
    revision: int = 1
    round: int = 1
    source: bytes | None = None
    rendition: bytes | None = None
    captions: bytes | None = None
    offer: bytes | None = None
    withdrawal: bytes | None = None
    tell_author: bool = False
    holder: uuid.UUID | None = None
    relayed: bool = False
    """A mediator wrote the words down that are there now."""
    way: WayIn | None = None
    """The way in whose key signed them; None where a mediator did."""
    own_captions: frozenset[str] = frozenset()
    """The commitment of captions that came with the video; a mediator's take their place."""
    released: dict[bytes | None, frozenset[str]] = dataclasses.field(default_factory=dict)
    """By statement: the parts of it that a release grants."""
    approvals: set[tuple[uuid.UUID | None, tuple[object, ...]]] = dataclasses.field(
        default_factory=set
    )
    offered: statements.Offer | None = None
    grants: dict[bytes, bytes] = dataclasses.field(default_factory=dict)
    """The recipient's: hash of the header by commitment."""

    @property
    def words(self) -> tuple[object, ...]:
        """What an approval is of."""
        return self.round, self.source, self.rendition, self.captions

    def approvers(self) -> int:
        """How many different people approved what is there now."""
        return len({who for who, words in self.approvals if words == self.words})


def released_parts(kind: str, parts: Iterable[Part]) -> frozenset[str]:
    """The commitments of the parts that a release grants."""
    roles = RELEASED_WITH[MessageKind(kind)]
    return frozenset(part.commit for part in parts if part.role in roles)
