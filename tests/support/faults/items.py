"""What is under way in a run: letters and videos, each with the fate that its people have in mind for it."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import random
import tempfile
import uuid
from pathlib import Path
from typing import Final

from relay.client.mediator import DecisionKind, Mediator
from relay.client.participant import Participant
from relay.client.sealing import seal_file
from relay.client.uploading import Retry, upload_body
from relay.client.writing import Address, Answer, address
from relay.domain.messages import Kind, RecipientMessage, ReviewMessage
from relay.domain.transitions import State
from relay.domain.views import AuthorView, RecipientView
from relay.testing.people import Case
from tests.support.faults.browser import Sender
from tests.support.faults.patience import Patience

LETTERS: Final = (14, 18)
VIDEOS: Final = (2, 3)
BEGIN_SECONDS: Final = 13.0
"""In which items are begun."""
PAUSE_SECONDS: Final = 2.5
"""At most, before each thing that somebody does."""
LOOK_SECONDS: Final = 0.3
FATES: Final = ("release", "release", "release", "refuse", "decline", "return", "withdraw", "keep")
ENDS: Final = {
    "release": State.VIEWED,
    "refuse": State.REFUSED,
    "decline": State.DECLINED,
    "return": State.VIEWED,
    "withdraw": State.WITHDRAWN,
    "keep": State.QUEUED,
}
RETRY: Final = Retry(attempts=1000, longest_pause_seconds=1, stall_seconds=5)
"""Of somebody who has all day; the disturbances are over sooner."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Item:
    """A letter or a video on its way."""

    number: int
    case: Case
    author: Participant
    recipient: Participant
    reviewer: Mediator
    kind: Kind
    fate: str
    begin: float
    """Seconds after the first item was begun."""
    content: bytes
    """Of a video; the words of a letter in UTF-8."""
    message_id: uuid.UUID
    """Drawn; where the pages choose another, that one once it has arrived."""
    is_at_pages: bool
    """Whether its author sends it in a browser."""
    pauses: random.Random = dataclasses.field(repr=False)
    """By which people take their time."""
    revision: int = 1
    is_acknowledged: bool = False
    is_over: bool = False
    released: bytes | None = None
    """What the mediator let on, opened by the mediator."""
    opened: bytes | None = None
    """The same, opened by the recipient."""

    def __str__(self) -> str:
        """As a finding names it."""
        return f"{self.kind.value} {self.number} ({self.fate})"


def draw(chance: random.Random, cases: list[Case], films: list[Path]) -> list[Item]:
    """The items of a run, by its seed; identifiers are the seed's too. The first video is sent at pages."""
    letters, videos = chance.randint(*LETTERS), chance.randint(*VIDEOS)
    kinds = [Kind.LETTER] * letters + [Kind.VIDEO] * videos
    items = []
    for number, kind in enumerate(kinds):
        case = chance.choice(cases)
        people = [case.harmed, case.responsible]
        chance.shuffle(people)
        words = f"Letter {number}. " + "Words, and more of them. " * chance.randint(1, 60)
        is_at_pages = number == letters
        film = films[-1 if is_at_pages else number % len(films)].read_bytes()
        items.append(
            Item(
                number=number,
                case=case,
                author=people[0],
                recipient=people[1],
                reviewer=chance.choice((case.mediator, case.colleague)),
                kind=kind,
                fate=chance.choice(FATES if kind is Kind.LETTER else ("release", "keep")),
                begin=round(chance.uniform(0, BEGIN_SECONDS if kind is Kind.LETTER else 5), 2),
                content=words.encode() if kind is Kind.LETTER else film,
                message_id=uuid.UUID(int=chance.getrandbits(128), version=4),
                is_at_pages=is_at_pages,
                pauses=random.Random(chance.getrandbits(32)),  # noqa: S311 - no secret
            )
        )
    return items


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where one item of a run is sent in a browser."""

    sender: Sender
    drawn: frozenset[uuid.UUID]
    """The identifiers of all items, as they were drawn."""


class Story:
    """Carries one item through, whatever fails on the way."""

    def __init__(
        self, item: Item, patience: Patience, folder: Path, pages: Pages | None = None
    ) -> None:
        self._item = item
        self._patience = patience
        self._folder = folder
        self._pages = pages

    async def tell(self) -> None:
        """From the first word to the end that the item's fate has."""
        item = self._item
        await asyncio.sleep(item.begin)
        written = address(item.recipient.participant_id, message_id=item.message_id)
        if self._pages is not None:
            await self._film_at_pages(self._pages)
        elif item.kind is Kind.LETTER:
            await self._write(written)
        else:
            await self._film(written)
        item.is_acknowledged = True
        await self._until_prepared()
        await self._think()
        if item.fate == "withdraw":
            await self._withdraw()
        elif item.fate == "decline":
            await self._decide("decline", State.DECLINED, reason="unclear")
        elif item.fate == "return":
            await self._revise()
        if item.fate in {"release", "refuse", "return"}:
            await self._release()
        item.is_over = True

    async def _think(self) -> None:
        await asyncio.sleep(self._item.pauses.uniform(0, PAUSE_SECONDS))

    async def _write(self, written: Address) -> None:
        """Seal it once, and send the very same until relay has it."""
        item = self._item
        submission = item.author.hand.letter(written, item.content.decode())
        await self._patience.repeat(
            f"{item}: send", lambda: item.author.submit(written.path, lambda: submission)
        )

    async def _film(self, written: Address) -> None:
        item = self._item
        with tempfile.TemporaryFile() as file:
            source = io.BytesIO(item.content)
            sealed = seal_file(item.case.case_id, "original", source, "video/mp4", file)
            await self._patience.repeat(f"{item}: begin", lambda: item.author.begin_video(written))
            await upload_body(
                item.author.session,
                written.message_id,
                written.revision,
                file,
                sealed.part.size,
                retry=RETRY,
            )
        submission = item.author.hand.video(written, sealed)
        await self._patience.repeat(
            f"{item}: send", lambda: item.author.submit(written.path, lambda: submission)
        )

    async def _film_at_pages(self, pages: Pages) -> None:
        """The pages choose the identifier: it is the one among the author's that nobody drew."""
        item = self._item
        film = self._folder / f"{item.number}-chosen.mp4"
        film.write_bytes(item.content)
        await pages.sender.send(film)
        self._patience.broken += pages.sender.pressed
        sent = await self._patience.repeat(f"{item}: look", item.author.correspondence)
        [item.message_id] = {one.message for one in sent.sent} - pages.drawn

    async def _read(self) -> ReviewMessage:
        return await self._item.reviewer.read(self._item.message_id)

    async def _until_prepared(self) -> None:
        """A video that could not be prepared, as everything failed for too long, is tried again."""

        async def wait(seen: ReviewMessage) -> None:
            if seen.state is State.FAILED:
                await self._item.reviewer.decide(seen, "retry")
            await asyncio.sleep(LOOK_SECONDS)

        await self._patience.until(
            f"{self._item}: prepare", self._read, lambda seen: seen.state is State.QUEUED, wait
        )

    async def _withdraw(self) -> None:
        item = self._item
        await self._patience.until(
            f"{item}: withdraw",
            lambda: item.author.sent(item.message_id),
            lambda seen: seen.view is AuthorView.CLOSED,
            lambda _seen: item.author.withdraw(item.message_id),
        )

    async def _decide(
        self, decision: DecisionKind, end: State, reason: str | None = None
    ) -> ReviewMessage:
        item = self._item

        async def decide(_seen: ReviewMessage) -> None:
            leased = await item.reviewer.lease(item.message_id)
            await item.reviewer.decide(leased, decision, reason=reason)

        return await self._patience.until(
            f"{item}: {decision}", self._read, lambda seen: seen.state is end, decide
        )

    async def _revise(self) -> None:
        """It comes back, and its author writes it once more."""
        item = self._item
        await self._decide("return", State.RETURNED, reason="tone")
        await self._think()
        before = await self._patience.repeat(
            f"{item}: look at what came back", lambda: item.author.sent(item.message_id)
        )
        item.content += b" And once more."
        item.revision += 1
        await self._write(address(item.recipient.participant_id, revises=before))

    async def _release(self) -> None:
        item = self._item
        approved = await self._decide("approve", State.APPROVED)
        await self._think()
        item.released = await self._patience.repeat(
            f"{item}: read as a mediator", lambda: self._reviewed(approved)
        )
        await self._patience.until(
            f"{item}: offer",
            self._read,
            lambda seen: seen.state is State.OFFERED,
            item.reviewer.offer,
        )
        await self._think()
        answer: Answer = "refuse" if item.fate == "refuse" else "accept"
        view = RecipientView.NOT_ACCEPTED if item.fate == "refuse" else RecipientView.TO_OPEN
        offered = await self._patience.until(
            f"{item}: {answer}",
            lambda: item.recipient.offered(item.message_id),
            lambda seen: seen.view is view,
            lambda seen: item.recipient.respond(seen, answer),
        )
        await self._think()
        if item.fate != "refuse":
            item.opened = await self._patience.repeat(f"{item}: open", lambda: self._open(offered))

    async def _reviewed(self, message: ReviewMessage) -> bytes:
        item = self._item
        if item.kind is Kind.LETTER:
            return (await item.reviewer.read_letter(message)).encode()
        target = self._folder / f"{item.number}-reviewed.mp4"
        await item.reviewer.save(message, "rendition", target)
        return target.read_bytes()

    async def _open(self, offered: RecipientMessage) -> bytes:
        item = self._item
        received = await item.recipient.open(offered)
        if item.kind is Kind.LETTER:
            return item.recipient.read_text(received).encode()
        target = self._folder / f"{item.number}-opened.mp4"
        await item.recipient.save(received, "rendition", target)
        return target.read_bytes()
