"""What the case system asks about its webhooks, and what makes events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from relay.domain.tokens import Scope
from relay.domain.webhooks import DeadLetterPage, Receivers, ReceiverStatus, Redelivery
from relay.testing.people import Case, Organization


async def write(case: Case, letters: int = 1) -> None:
    """Letters, each of which waits for review."""
    for _ in range(letters):
        await case.harmed.send_letter(case.responsible.participant_id, "Words.")


async def send_test(people: Organization) -> None:
    """An event that is of no case."""
    token = people.case_system.token(Scope.WEBHOOKS_WRITE)
    await people.connection.call("POST", "/v1/events/test", bearer=token)


async def receivers(people: Organization) -> Receivers:
    """How far each receiver is."""
    token = people.case_system.token(Scope.WEBHOOKS_READ)
    return await people.connection.call("GET", "/v1/webhooks", bearer=token, into=Receivers)


async def looks(people: Organization) -> AsyncIterator[ReceiverStatus]:
    """The one receiver, looked at until the caller has seen what it waits for; AssertionError."""
    for _ in range(200):
        [found] = (await receivers(people)).receivers
        yield found
        await asyncio.sleep(0.1)
    raise AssertionError("it stays as it is")


async def dead_letters(people: Organization, query: str = "") -> DeadLetterPage:
    """What the receiver of these tests did not take."""
    token = people.case_system.token(Scope.WEBHOOKS_READ)
    path = f"/v1/webhooks/case-system/dead-letters{query}"
    return await people.connection.call("GET", path, bearer=token, into=DeadLetterPage)


async def redeliver(people: Organization, **body: object) -> list[int]:
    """Have dead letters sent again."""
    token = people.case_system.token(Scope.WEBHOOKS_WRITE)
    path = "/v1/webhooks/case-system/redeliveries"
    sent = await people.connection.call("POST", path, body=body, bearer=token, into=Redelivery)
    return sent.events
