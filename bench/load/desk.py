"""Mediators at the queue, and those whom they offer letters to."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.load.crowd import Crowd, Expected, Found
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.domain.messages import Kind, QueueItem, ReviewMessage
from relay.testing.letters import GUIDANCE, NOTE
from relay.testing.people import Case

LOOKED_THROUGH: Final = 8
"""Of the items at the beginning of the queue, one is taken."""
ACTS: Final = (("approve", 70), ("return", 12), ("hold", 8), ("let go", 10))
"""What is done with a letter, and how often."""


class Desk:
    """Mediators who review, each in the cases that they opened, so that none takes another's item."""

    def __init__(self, found: Found, crowd: Crowd, cases: Sequence[Case]) -> None:
        self._found = found
        self._crowd = crowd
        self._cases = {case.case_id: case for case in cases}
        self._reading: set[asyncio.Task[None]] = set()

    async def work(self, until: float) -> None:
        """Review until that time; ends when those who are reading have read."""
        mediators = {case.mediator.credential_id: case.mediator for case in self._cases.values()}
        async with asyncio.TaskGroup() as working:
            for number, mediator in enumerate(mediators.values()):
                chance = random.Random(f"mediator {number} {self._crowd.seed}")  # noqa: S311 - by the seed  # nosec B311
                working.create_task(self._review_all(mediator, chance, until))
        await asyncio.gather(*self._reading)

    async def _review_all(self, mediator: Mediator, chance: random.Random, until: float) -> None:
        while (
            pause := chance.expovariate(1 / self._crowd.pause_seconds)
        ) < until - time.monotonic():
            await asyncio.sleep(pause)
            with self._found.noting("a review"):
                await self._review(mediator, chance)

    async def _review(self, mediator: Mediator, chance: random.Random) -> None:
        page = await mediator.queue()
        own = [item for item in page.items if self._is_own(mediator, item)]
        if not own:
            return None
        item = chance.choice(own[:LOOKED_THROUGH])
        case = self._cases[item.case]
        leased = await mediator.lease(item.message)
        if leased.kind is not Kind.LETTER:
            return await self._watch(case, leased)
        await mediator.read_letter(leased)
        [act] = chance.choices([name for name, _ in ACTS], [often for _, often in ACTS])
        self._count(act)
        match act:
            case "approve":
                await self._offer(case, await mediator.decide(leased, "approve"), chance)
            case "return":
                await self._return(case, leased)
            case "hold":
                held = await mediator.decide(leased, "hold", reason="readiness")
                await mediator.decide(held, "resume")
            case _:
                await mediator.let_go(leased.message)
        return None

    def _count(self, act: str) -> None:
        self._found.reviewed[act] = self._found.reviewed.get(act, 0) + 1

    def _is_own(self, mediator: Mediator, item: QueueItem) -> bool:
        return item.lease is None and self._cases[item.case].mediator is mediator

    async def _watch(self, case: Case, leased: ReviewMessage) -> None:
        """Fetch and open a video as it was prepared; send it back."""
        with tempfile.TemporaryDirectory() as folder:
            await case.mediator.save(leased, "rendition", Path(folder) / "rendition")
        self._count("watch")
        await self._return(case, leased)

    async def _return(self, case: Case, leased: ReviewMessage) -> None:
        author = self._person(case, leased.sender)
        asked_at = time.monotonic()
        await case.mediator.decide(
            leased,
            "return",
            reason="needs-a-question",
            words=GUIDANCE,
            author=author.hand.recipient,
        )
        self._expect(author, leased, asked_at)

    async def _offer(self, case: Case, approved: ReviewMessage, chance: random.Random) -> None:
        recipient = self._person(case, approved.recipient)
        asked_at = time.monotonic()
        await case.mediator.offer(approved, note=NOTE)
        self._expect(recipient, approved, asked_at)
        reading = asyncio.create_task(self._read(recipient, approved.message, chance.random()))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    def _expect(self, person: Participant, message: ReviewMessage, asked_at: float) -> None:
        self._found.expected.append(
            Expected(person.participant_id, message.message, asked_at, time.monotonic())
        )

    async def _read(self, recipient: Participant, message_id: UUID, hesitates: float) -> None:
        """Say yes, open it and read it."""
        await asyncio.sleep(hesitates * self._crowd.pause_seconds)
        with self._found.noting("a letter is read"):
            offered = await recipient.offered(message_id)
            released = await recipient.respond(offered, "accept", tell_author=True)
            if not recipient.read_text(await recipient.open(released)):
                raise ValueError("has no words")
            self._found.read += 1

    def _person(self, case: Case, participant: UUID) -> Participant:
        people: Mapping[UUID, Participant] = {
            one.participant_id: one for one in (case.harmed, case.responsible)
        }
        return people[participant]
