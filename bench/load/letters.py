"""Participants who write letters, at a rate that does not wait for relay; at the end all are read again."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
import uuid
from collections.abc import Sequence
from typing import Final

import aiohttp
import msgspec

from bench.load.crowd import Crowd, Expected, Found
from relay.client.connection import problem
from relay.client.participant import Participant
from relay.client.writing import address
from relay.testing.people import Case

WORDS: Final = (
    "I have carried that night for eleven years. I would like to know why it was our house. "
)
VERIFIED_AT_ONCE: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A letter that was acknowledged."""

    author: Participant
    message_id: uuid.UUID
    text: str


class Letters:
    """What these people write."""

    def __init__(self, http: aiohttp.ClientSession, found: Found, crowd: Crowd) -> None:
        self._http = http
        self._found = found
        self._crowd = crowd
        self._sent: list[Sent] = []

    async def write(self, cases: Sequence[Case], until: float) -> None:
        """Write until that time; ends when every letter is answered."""
        chance = random.Random(f"letters {self._crowd.seed}")  # noqa: S311 - by the seed  # nosec B311
        due = time.monotonic()
        async with asyncio.TaskGroup() as writing:
            while (due := due + chance.expovariate(self._crowd.letters_per_second)) < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                case = chance.choice(cases)
                author, to = chance.sample((case.harmed, case.responsible), 2)
                text = f"{uuid.UUID(int=chance.getrandbits(128))} {WORDS * chance.randint(1, 20)}"
                writing.create_task(self._send(case, author, to, text))

    async def _send(self, case: Case, author: Participant, to: Participant, text: str) -> None:
        with self._found.noting("a letter"):
            bearer = await author.session.bearer()
            written = address(to.participant_id)
            body = msgspec.json.encode(author.hand.letter(written, text))
            asked_at = time.monotonic()
            async with self._http.put(
                author.session.connection.url + written.path,
                data=body,
                headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
            ) as answer:
                content = await answer.read()
                if not answer.ok:
                    raise problem(answer.status, content)
            answered_at = time.monotonic()
            self._found.letters.append(answered_at - asked_at)
            self._sent.append(Sent(author, written.message_id, text))
            self._found.expected += [
                Expected(author.participant_id, written.message_id, asked_at, answered_at),
                Expected(case.mediator.credential_id, case.case_id, asked_at, answered_at),
                Expected(case.colleague.credential_id, case.case_id, asked_at, answered_at),
            ]

    async def verify(self) -> None:
        """Read all of them again, as their authors."""
        left = iter(self._sent)

        async def read() -> None:
            for one in left:
                with self._found.noting("a letter at the end"):
                    message = await one.author.sent(one.message_id)
                    if one.author.own_text(message) != one.text:
                        raise ValueError("has other words")
                    self._found.verified += 1

        await asyncio.gather(*(read() for _ in range(VERIFIED_AT_ONCE)))
