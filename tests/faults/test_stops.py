"""Closing, a withdrawal and a no-contact fact, while offers and answers come to two web processes.

`STOPS=400 STOPS_AT_ONCE=50` makes as many rounds of each stop, and as many offers and answers in each.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest

from relay.client.connection import Problem
from relay.domain.messages import RecipientMessage, ReviewMessage
from relay.domain.tokens import Scope
from relay.services.log import LogPage
from relay.testing.people import Case, Organization, open_case, organization
from relay.testing.relays import running_relay
from tests.support.disturbances import web_member
from tests.support.offers import OfferRequest, offer_request
from tests.support.proxies import front
from tests.support.relays import WORK_FACTOR_LOG2

ROUNDS: Final = int(os.environ.get("STOPS", "5"))
AT_ONCE: Final = int(os.environ.get("STOPS_AT_ONCE", "12"))
ROUND_SECONDS: Final = 30
"""More than any one round takes, on a busy machine too."""
ROUNDS_OF_A_CASE: Final = 25
ACT_SECONDS: Final = 0.0005
"""How much later the stop comes at most, for each of the others: all wait for one another anyway."""
STOPPED: Final = frozenset({"case-closed", "consent-withdrawn", "no-contact-set"})
RELEASING: Final = frozenset({"offer", "accept", "open"})
REFUSED: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})

Act = Callable[[], Awaitable[bool]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What keeps every message of a case from going on, and what lets them go on again."""

    begin: Callable[[Case, Organization], Awaitable[object]]
    end: Callable[[Case, Organization], Awaitable[object]]
    ends_offers: bool = False
    """Whether what was offered has to be offered again."""


async def _set_no_contact(case: Case, people: Organization, *, no_contact: bool) -> None:
    pair = (case.harmed.participant_id, case.responsible.participant_id)
    await people.case_system.set_no_contact(case.case_id, *pair, no_contact=no_contact)


STOPS: Final = {
    "close": Stop(
        begin=lambda case, _people: case.mediator.set_closed(case.case_id, closed=True),
        end=lambda case, _people: case.mediator.set_closed(case.case_id, closed=False),
    ),
    "withdraw": Stop(
        begin=lambda case, _people: case.responsible.consent("withdrawn"),
        end=lambda case, _people: case.responsible.consent("active"),
        ends_offers=True,
    ),
    "forbid": Stop(
        begin=lambda case, people: _set_no_contact(case, people, no_contact=True),
        end=lambda case, people: _set_no_contact(case, people, no_contact=False),
    ),
}


@dataclasses.dataclass(slots=True)
class Supply:
    """Letters of one case that can be offered, each with its offer, and letters that were offered."""

    case: Case
    approved: dict[uuid.UUID, OfferRequest] = dataclasses.field(default_factory=dict)
    offered: set[uuid.UUID] = dataclasses.field(default_factory=set)

    async def fill(self, each: int) -> None:
        """Let there be so many of both."""
        while len(self.approved) + len(self.offered) < 2 * each:
            await self._write()
        while len(self.offered) < each:
            message, request = self.approved.popitem()
            assert await _offered(request)
            self.offered.add(message)
        while len(self.approved) < each:
            await self._take_back(self.offered.pop())

    async def _write(self) -> None:
        mediator, to = self.case.mediator, self.case.responsible.participant_id
        sent = await self.case.harmed.send_letter(to, "Words.")
        await self._approved(await mediator.decide(await mediator.lease(sent.message), "approve"))

    async def _approved(self, message: ReviewMessage) -> None:
        self.approved[message.message] = await offer_request(self.case, message)

    async def _take_back(self, offered: uuid.UUID) -> None:
        mediator = self.case.mediator
        await self._approved(await mediator.decide(await mediator.read(offered), "retract"))

    async def take_all_back(self) -> None:
        """Retract every offer, and read again what an offer rests on."""
        for message in self.approved:
            await self._approved(await self.case.mediator.read(message))
        while self.offered:
            await self._take_back(self.offered.pop())

    async def acts(self) -> dict[uuid.UUID, Act]:
        """What offers each letter, or accepts it; whether relay took it."""
        acts: dict[uuid.UUID, Act] = {
            message: partial(_offered, request) for message, request in self.approved.items()
        }
        for entry in (await self.case.responsible.correspondence()).received:
            if entry.message in self.offered:
                acts[entry.message] = partial(_accepted, self.case, entry)
        assert len(acts) == len(self.approved) + len(self.offered)
        return acts

    def went(self, through: AbstractSet[uuid.UUID]) -> None:
        """These were offered now, or accepted."""
        self.offered ^= through
        for message in self.offered & self.approved.keys():
            del self.approved[message]


async def _accepted(case: Case, one: RecipientMessage) -> bool:
    try:
        await case.responsible.respond(one, "accept")
    except Problem as refused:
        if refused.status not in REFUSED:
            raise
        return False
    return True


async def _offered(request: OfferRequest) -> bool:
    status, code = await request.send(request.act(datetime.now(UTC)))
    assert status in {HTTPStatus.OK, *REFUSED}, code
    return status == HTTPStatus.OK


async def _kinds(people: Organization, case: Case, after: int) -> tuple[list[str], int]:
    """The rows of the log after this one, by kinds, and how far it has come."""
    bearer = people.case_system.token(Scope.LOG_READ)
    kinds: list[str] = []
    while True:
        path = f"/v1/cases/{case.case_id}/log?after={after}"
        page = await people.connection.call("GET", path, bearer=bearer, into=LogPage)
        if not page.rows:
            return kinds, after
        kinds += [row.kind for row in page.rows]
        after = page.rows[-1].seq


@pytest.fixture
async def people() -> AsyncIterator[Organization]:
    """The organization of a relay of two web processes behind nginx, which takes each by turns."""
    with tempfile.TemporaryDirectory(prefix="relay-stops-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with front(folder) as nginx:
            async with running_relay(
                folder / "data", port=nginx.ports[0], public_url=nginx.url, worker=False
            ) as running:
                await web_member(running, "web-2", nginx.ports[1]).start()
                async with organization(
                    running.url,
                    running.root,
                    running.token_key,
                    work_factor_log2=WORK_FACTOR_LOG2,
                ) as people:
                    yield people


@pytest.mark.timeout(60 + ROUNDS * ROUND_SECONDS)
@pytest.mark.parametrize("name", STOPS)
async def test_nothing_is_released_after_a_stop_was_acknowledged(
    people: Organization, name: str, chance: random.Random
) -> None:
    """Each of the offers and answers that race it is before it in the log, or refused."""
    for first in range(0, ROUNDS, ROUNDS_OF_A_CASE):
        supply, seen = Supply(await open_case(people)), 0
        for _ in range(first, min(first + ROUNDS_OF_A_CASE, ROUNDS)):
            moment = chance.uniform(0, AT_ONCE * ACT_SECONDS)
            seen = await _race(people, supply, STOPS[name], moment, seen)


async def _race(people: Organization, supply: Supply, stop: Stop, moment: float, seen: int) -> int:
    """One round, in which the stop comes so many seconds after the rest; the last row of the log by now."""
    case = supply.case
    await supply.fill(AT_ONCE // 2)
    acts = await supply.acts()
    _, seen = await _kinds(people, case, seen)

    async def begin() -> None:
        await asyncio.sleep(moment)
        await stop.begin(case, people)

    _, *done = await asyncio.gather(begin(), *(act() for act in acts.values()))
    assert not any(await asyncio.gather(*(act() for act in acts.values())))

    kinds, seen = await _kinds(people, case, seen)
    [ended] = [place for place, kind in enumerate(kinds) if kind in STOPPED]
    assert RELEASING.isdisjoint(kinds[ended:]), kinds
    assert RELEASING.issuperset(kinds[:ended]), kinds
    assert done.count(True) == ended
    supply.went({one for one, through in zip(acts, done, strict=True) if through})
    await stop.end(case, people)
    if stop.ends_offers:
        await supply.take_all_back()
    return seen
