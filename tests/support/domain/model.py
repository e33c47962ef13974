"""What should happen to a message, said once more from the description of the product alone.

Nothing in here looks at the rules in relay/domain: the property test compares the two with each other.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

PARTICIPANTS: Final = ("anna", "boris", "carla")
"""Carla is of another case."""
MEDIATORS: Final = ("first", "second", "third")
"""The third is a mediator of Carla's case alone."""
PEOPLE: Final = PARTICIPANTS + MEDIATORS
OWN_MEDIATORS: Final = ("first", "second")

TOO_LATE_TO_TAKE_BACK: Final = frozenset(
    {"released", "viewed", "declined", "refused", "withdrawn", "recalled", "expired", "closed"}
)
WITH_THE_RECIPIENT: Final = frozenset({"offered", "released", "viewed"})
ANYBODY_DECIDES: Final = {
    "resume": ("held", "queued"),
    "reopen": ("approved", "queued"),
    "retract": ("offered", "approved"),
    "recall": ("released", "recalled"),
    "retry": ("failed", "processing"),
}
"""What every mediator of the case may do without a lease, from which state to which."""


class Verdict(enum.Enum):
    """What relay should say to an act."""

    DONE = "done"
    NOTHING = "nothing changes, whatever the answer"
    REFUSED = "refused"
    ABSENT = "refused as if there were nothing"
    NOT_THEIRS = "refused for the role"


@dataclasses.dataclass
class Item:
    """A message as it should be."""

    kind: str
    sender: str
    recipient: str
    state: str = "draft"
    revision: int = 1
    source: str | None = None
    rendition: str | None = None
    captions: str | None = None
    approvals: set[str] = dataclasses.field(default_factory=set)
    """Who approved what is there now."""
    holder: str | None = None
    lease_is_over: bool = False
    offer: str | None = None
    early: bool = False
    tells: str | None = None
    """What the recipient let the author know."""
    taken_back: bool = False
    guidance: str | None = None

    @property
    def granted(self) -> bool:
        """Whether the recipient's key opens it."""
        return self.state in WITH_THE_RECIPIENT

    @property
    def author_view(self) -> str:
        """What the author should read."""
        if self.taken_back:
            return "closed"
        if self.tells is not None and self.state not in {"offered", "approved"}:
            return self.tells
        return {
            "draft": "sending",
            "processing": "preparing",
            "failed": "not-prepared",
            "queued": "in-review",
            "claimed": "in-review",
            "held": "in-review",
            "returned": "sent-back",
            "declined": "closed",
        }.get(self.state, "with-mediator")

    @property
    def author_facts(self) -> tuple[object, ...]:
        """While these stay, not a byte of what the author is shown may change."""
        return (self.author_view, self.taken_back, self.revision, self.source, self.guidance)

    def new_words(self, source: str) -> None:
        """The sender sent a revision: whatever was made or said of the one before is void."""
        self.source, self.rendition, self.captions = source, None, None
        self.approvals = set()
        self.guidance = None

    def move(self, state: str) -> None:
        """Every transition ends a lease."""
        self.state = state
        self.holder, self.lease_is_over = None, False


@dataclasses.dataclass
class Model:
    """One case: its rules, what the people in it said, and their messages."""

    approvals_needed: int
    captions_required: bool
    consents: dict[str, str] = dataclasses.field(
        default_factory=lambda: {"anna": "active", "boris": "active"}
    )
    own: dict[str, bool] = dataclasses.field(default_factory=lambda: {"anna": True, "boris": True})
    """Whether they said so themselves."""
    no_contact: bool = False

    def consent(self, actor: str, person: str, status: str) -> Verdict:
        """Somebody says whether a person takes part; what they ended themselves, only they begin again."""
        if actor not in {person, *OWN_MEDIATORS}:
            return Verdict.ABSENT
        order = ("active", "paused", "withdrawn")
        raises = order.index(status) < order.index(self.consents[person])
        if raises and self.own[person] and actor != person:
            return Verdict.REFUSED
        self.consents[person], self.own[person] = status, actor == person
        return Verdict.DONE

    def gates_open(self, item: Item) -> bool:
        """Whether anything keeps it from its recipient."""
        captions = item.kind == "letter" or not self.captions_required or item.captions is not None
        return (
            all(status == "active" for status in self.consents.values())
            and not self.no_contact
            and len(item.approvals) >= self.approvals_needed
            and captions
        )

    def recipient_view(self, item: Item) -> str | None:
        """What the recipient should read, or None where they should see nothing at all."""
        if item.state == "offered":
            return "waiting" if self.gates_open(item) and not item.early else None
        if item.state == "released" and not self.gates_open(item):
            return "not-available"
        return {
            "released": "to-open",
            "viewed": "opened",
            "refused": "not-accepted",
            "recalled": "not-available",
            "closed": "closed",
        }.get(item.state)

    # The sender.

    def begin(self, actor: str, item: Item, revision: int) -> Verdict:
        """Begin the next revision of a message that came back, or look at a draft again."""
        if actor in MEDIATORS:
            return Verdict.NOT_THEIRS
        if actor != item.sender:
            return Verdict.ABSENT
        if revision == item.revision and item.state == "draft":
            return Verdict.NOTHING
        if revision == item.revision + 1 and item.state in {"returned", "failed"}:
            item.revision += 1
            item.move("draft")
            return Verdict.DONE
        return Verdict.REFUSED

    def send(self, actor: str, item: Item, revision: int, source: str, *, right: bool) -> Verdict:
        """Send a revision; a mediator who signs in their own name is nobody whose message it could be."""
        if actor != item.sender:
            return Verdict.ABSENT
        if revision == item.revision and item.source is not None and item.state != "draft":
            return Verdict.REFUSED
        begun = item.state == "draft" and revision == item.revision
        # A video's next revision is begun first: before that there is nowhere for it to arrive.
        back = item.kind == "letter" and item.state in {"returned", "failed"}
        anew = back and revision == item.revision + 1
        if not right or not (begun or anew):
            return Verdict.REFUSED
        item.revision = revision
        item.new_words(source)
        item.move("queued" if item.kind == "letter" else "processing")
        return Verdict.DONE

    def discard(self, actor: str, item: Item) -> Verdict:
        """Throw a draft away that was never sent; what was sent once is withdrawn."""
        if actor in MEDIATORS:
            return Verdict.NOT_THEIRS
        if actor != item.sender:
            return Verdict.ABSENT
        if item.state != "draft" or item.revision != 1:
            return Verdict.REFUSED
        item.state = "gone"
        return Verdict.DONE

    def take_back(self, actor: str, item: Item, *, right: bool) -> Verdict:
        """Withdraw: before release it ends the message; later it is a wish, and looks the same."""
        if actor in {"carla", "third", item.recipient}:
            return Verdict.ABSENT
        if not right:
            return Verdict.REFUSED
        if item.taken_back or item.author_view == "closed":
            return Verdict.NOTHING
        item.taken_back = True
        if item.state not in TOO_LATE_TO_TAKE_BACK:
            item.move("withdrawn")
        return Verdict.DONE

    # The worker and the clock.

    def prepared(self, item: Item, rendition: str | None) -> bool:
        """A worker hands in a rendition, or gives up; whether that counts."""
        if item.state != "processing":
            return False
        item.rendition, item.captions = rendition, None
        item.move("failed" if rendition is None else "queued")
        return True

    def lease_ends(self, item: Item) -> None:
        """The time of a lease is over."""
        if item.state == "claimed":
            item.lease_is_over = True

    def sweep(self, item: Item) -> None:
        """What was left lying goes back into the queue."""
        if item.state == "claimed" and item.lease_is_over:
            item.move("queued")

    # The mediators.

    def _reviewer(self, actor: str) -> Verdict | None:
        if actor in PARTICIPANTS:
            return Verdict.NOT_THEIRS
        return Verdict.ABSENT if actor not in OWN_MEDIATORS else None

    def _holds(self, actor: str, item: Item) -> bool:
        return item.state == "claimed" and item.holder == actor and not item.lease_is_over

    def lease(self, actor: str, item: Item) -> Verdict:
        """Take an item, or renew."""
        if refused := self._reviewer(actor):
            return refused
        free = item.state == "queued" or (item.state == "claimed" and item.lease_is_over)
        if not free and not self._holds(actor, item):
            return Verdict.REFUSED
        item.state, item.holder, item.lease_is_over = "claimed", actor, False
        return Verdict.DONE

    def let_go(self, actor: str, item: Item) -> Verdict:
        """Give an item back."""
        if refused := self._reviewer(actor):
            return refused
        if not self._holds(actor, item):
            return Verdict.REFUSED
        item.move("queued")
        return Verdict.DONE

    def decide(
        self, actor: str, item: Item, decision: str, compact: str, *, right: bool
    ) -> Verdict:
        """A decision on what is there now, if it is `right`; or on something else, or not theirs."""
        if refused := self._reviewer(actor):
            return refused
        source, target = ANYBODY_DECIDES.get(decision, ("", ""))
        if right and item.state == source:
            item.approvals = set() if decision == "reopen" else item.approvals
            item.move(target)
            return Verdict.DONE
        is_theirs = self._holds(actor, item) or (decision, item.state) == ("decline", "held")
        is_second = decision == "approve" and actor in item.approvals
        if not right or target or not is_theirs or is_second:
            return Verdict.REFUSED
        if decision == "approve":
            item.approvals.add(actor)
            item.move("approved" if len(item.approvals) >= self.approvals_needed else "queued")
        else:
            item.move({"return": "returned", "decline": "declined", "hold": "held"}[decision])
            item.guidance = item.guidance if decision == "hold" else compact
        return Verdict.DONE

    def caption(self, actor: str, item: Item, compact: str, *, right: bool) -> Verdict:
        """Captions, or why there are none; anyone who approved before has not approved these."""
        if refused := self._reviewer(actor):
            return refused
        if not right or item.kind != "video" or not self._holds(actor, item):
            return Verdict.REFUSED
        item.captions = compact
        item.approvals = set()
        return Verdict.DONE

    def offer(self, actor: str, item: Item, compact: str, *, early: bool, right: bool) -> Verdict:
        """Let it wait for its recipient."""
        if refused := self._reviewer(actor):
            return refused
        if right and item.state in {"released", "viewed"} and self.gates_open(item):
            item.offer = compact  # granted again, to somebody who lost their key: nothing moves
            return Verdict.DONE
        if not right or item.state != "approved" or not self.gates_open(item):
            return Verdict.REFUSED
        item.offer, item.early, item.tells = compact, early, None
        item.move("offered")
        return Verdict.DONE

    # The recipient.

    def answer(self, actor: str, item: Item, answer: str, *, tell: bool, right: bool) -> Verdict:
        """What the recipient says to an offer."""
        if actor in MEDIATORS:
            return Verdict.NOT_THEIRS
        if actor != item.recipient or item.offer is None:
            return Verdict.ABSENT
        if not right or self.recipient_view(item) is None:
            return Verdict.REFUSED
        if item.state != ("viewed" if answer == "close" else "offered"):
            return Verdict.REFUSED
        if answer == "wait":
            return Verdict.DONE
        item.move({"accept": "released", "refuse": "refused", "close": "closed"}[answer])
        if tell and answer != "close":
            item.tells = {"accept": "accepted", "refuse": "not-accepted"}[answer]
        return Verdict.DONE

    def open(self, actor: str, item: Item) -> Verdict:
        """The recipient opens what was released."""
        if actor in MEDIATORS:
            return Verdict.NOT_THEIRS
        if actor != item.recipient or item.offer is None:
            return Verdict.ABSENT
        if item.state not in {"released", "viewed"}:
            return Verdict.REFUSED
        if item.state == "released" and not self.gates_open(item):
            return Verdict.REFUSED
        item.move("viewed")
        return Verdict.DONE
