"""Server-sent events: what changes is named at once to those whom it concerns, and to nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import pytest

from relay.client.administrator import publish_revocation
from relay.crypto.links import parse_link_url
from relay.domain.correspondence import NAMED_MAX
from relay.domain.messages import RecipientMessage
from relay.services.feed import LOOK_SECONDS
from relay.settings import Settings
from relay.storage.queries import named_queries, query_files
from relay.testing.people import Case, Organization, open_case
from tests.support.query_counts import Queries, counted
from tests.support.requests import Caller, caller_of

pytestmark = pytest.mark.own_relay
KEEPALIVE_SECONDS = 1
KIB: Final = 1024
QUERIES: Final = {text for file in query_files() for text in named_queries(file).values()}
SESSION: Final = named_queries("sessions")["find_session"]
"""What each request asks, and each sign of life."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As ever, with a sign of life every second."""
    return dataclasses.replace(settings, events_keepalive_seconds=KEEPALIVE_SECONDS)


@pytest.fixture
def queries() -> Iterator[Queries]:
    """What the relay of this test asks its database; it is opened after this."""
    with counted() as found:
        yield found


class Stream:
    """An open stream of events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.heard: list[tuple[float, bytes]] = []
        """When each block came, and what it said."""

    async def next(self) -> bytes:
        """The next block, an event or a comment; none where the stream has ended."""
        block = b""
        while not block.endswith(b"\n\n"):
            line = await self._response.content.readline()
            if not line:
                return b""
            block += line
        self.heard.append((asyncio.get_running_loop().time(), block))
        return block

    async def event(self, seconds: float = 2) -> dict[str, Any]:
        """The data of the next event, which has to come in time."""
        async with asyncio.timeout(seconds):
            while not (block := await self.next()).startswith(b"event:"):
                assert block, "the stream has ended"
        assert len(block) <= KIB
        found: dict[str, Any] = json.loads(block.partition(b"data: ")[2])
        return found

    async def begins(self) -> dict[str, Any]:
        """The data of the first event; what happened just before may be told once more, and is passed by."""
        first = await self.event()
        while await self.next() != b": still here\n\n":
            pass
        return first

    async def ends(self, seconds: float) -> bool:
        """Whether it ends in time."""
        try:
            async with asyncio.timeout(seconds):
                while await self.next():
                    pass
        except TimeoutError:
            return False
        return True


@contextlib.asynccontextmanager
async def listening(caller: Caller, path: str) -> AsyncIterator[Stream]:
    """A stream that somebody listens to."""
    connection = caller.signed.connection
    headers = {"Authorization": f"Bearer {await caller.signed.bearer()}"}
    async with connection.http.get(f"{connection.url}{path}", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def offered(case: Case) -> RecipientMessage:
    """The one message that waits for its recipient."""
    [message] = (await case.responsible.correspondence()).received
    return message


async def test_a_change_is_named_within_a_second(case: Case) -> None:
    """What the sender does is heard by the sender and by the mediator; each asks for what they may see."""
    async with (
        listening(caller_of(case.harmed), "/v1/messages/events") as own,
        listening(caller_of(case.mediator), "/v1/queue/events") as queue,
    ):
        assert await own.begins() == {"messages": [], "everything": True}
        assert await queue.begins() == {"cases": [], "everything": True}

        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")

        assert await own.event(1) == {"messages": [str(sent.message)], "everything": False}
        assert await queue.event(1) == {"cases": [str(case.case_id)], "everything": False}


async def test_what_somebody_says_of_taking_part_is_everything_to_them(case: Case) -> None:
    """Consent and claim are no message: their reader looks at all of it, and nobody else hears of it."""
    async with (
        listening(caller_of(case.harmed), "/v1/messages/events") as own,
        listening(caller_of(case.responsible), "/v1/messages/events") as other,
    ):
        await own.event()
        await other.event()
        await case.harmed.consent("paused")
        assert await own.event(1) == {"messages": [], "everything": True}
        assert await other.next() == b": still here\n\n"


async def test_an_author_hears_nothing_of_what_they_may_not_know(case: Case) -> None:
    """From the offer to the opening not a byte comes, and the signs of life keep their time."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
    async with listening(caller_of(case.harmed), "/v1/messages/events") as stream:
        await stream.event()

        async def step(number: int) -> None:
            if number == 0:
                await case.mediator.offer(approved)
            elif number == 1:
                await case.responsible.respond(await offered(case), "accept")
            else:
                await case.responsible.open(await offered(case))

        for number in range(3):
            assert await stream.next() == b": still here\n\n"
            # In the middle between two signs of life, so that one that is put off would show.
            await asyncio.sleep(KEEPALIVE_SECONDS / 2)
            await step(number)
        assert await stream.next() == b": still here\n\n"

    # Four signs of life are three seconds apart; each that was put off would add half a second.
    (first, _), *_, (last, _) = stream.heard[1:]
    assert last - first < 3.9 * KEEPALIVE_SECONDS


async def test_a_recipient_hears_of_an_offer_and_not_of_a_review(case: Case) -> None:
    """The review makes no sound for the recipient; the offer does, and so does its end."""
    async with listening(caller_of(case.responsible), "/v1/messages/events") as stream:
        await stream.event()
        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        await case.mediator.lease(sent.message)
        approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
        await case.mediator.offer(approved)
        named = {"messages": [str(sent.message)], "everything": False}
        assert await stream.event(1) == named
        [waiting] = (await case.responsible.lists(messages=str(sent.message))).received.items
        assert waiting.view == "waiting"

        await case.harmed.withdraw(sent.message)
        assert await stream.event(1) == named
        assert (await case.responsible.lists(messages=str(sent.message))).received.items == []


async def test_nobody_hears_of_another_case(
    queries: Queries, case: Case, people: Organization
) -> None:
    """Neither its people nor its mediators, not by a sign of life too many; and nothing is asked for them."""
    other = await open_case(people)

    async def asked_by_a_letter() -> Counter[str]:
        queries.asked.clear()
        await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        await asyncio.sleep(2 * LOOK_SECONDS)
        return Counter(query for query in queries.asked if query in QUERIES - {SESSION})

    await asked_by_a_letter()
    alone = await asked_by_a_letter()
    async with contextlib.AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(listening(caller_of(person), f"/v1/{path}/events"))
            for person, path in (
                (other.harmed, "messages"),
                (other.responsible, "messages"),
                (other.mediator, "queue"),
                (other.colleague, "queue"),
            )
        ]
        for stream in streams:
            await stream.event()
        assert await asked_by_a_letter() == alone
        for stream in streams:
            assert await stream.next() == b": still here\n\n"


async def test_a_mediator_who_is_dismissed_hears_of_it(case: Case, people: Organization) -> None:
    """Their queue is another one now; and of what happens in the case after that they hear nothing."""
    async with (
        listening(caller_of(case.colleague), "/v1/queue/events") as gone,
        listening(caller_of(case.mediator), "/v1/queue/events") as staying,
    ):
        named = {"cases": [str(case.case_id)], "everything": False}
        await gone.begins()
        await staying.begins()
        await case.mediator.change_charter(case.case_id, mediators=[case.mediator.credential_id])
        assert await gone.event(1) == await staying.event(1) == named
        again = await people.unlock(case.harmed_url)
        await again.send_letter(case.responsible.participant_id, "Words.")
        assert await staying.event(1) == named
        assert await gone.next() == b": still here\n\n"


async def test_what_is_offered_for_later_is_told_when_its_time_comes(case: Case) -> None:
    """Without anything else happening in the case; and not before."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(leased, "approve")
    async with listening(caller_of(case.responsible), "/v1/messages/events") as stream:
        await stream.event()
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
        await case.mediator.offer(approved, not_before=due)
        assert await stream.event(6) == {"messages": [str(sent.message)], "everything": False}
        assert datetime.now(UTC) >= due
        [waiting] = (await case.responsible.lists()).received.items
        assert waiting.message == sent.message


async def test_too_many_to_name_are_everything(case: Case, people: Organization) -> None:
    """An event stays below a KiB: after a pause in which much changed it says to look at all of it."""
    to = case.responsible.participant_id
    for _ in range(NAMED_MAX + 1):
        sent = await case.harmed.send_letter(to, "Words.")
        leased = await case.mediator.lease(sent.message)
        await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    async with listening(caller_of(case.responsible), "/v1/messages/events") as stream:
        await stream.event()
        await case.harmed.consent("paused")
        assert await stream.event(1) == {"messages": [], "everything": True}
        await case.harmed.consent("active")
        assert await stream.event(1) == {"messages": [], "everything": True}


async def test_a_stream_ends_with_the_session(case: Case, people: Organization) -> None:
    """Logging out, a revoked link and a revoked credential end a stream at its next sign of life."""
    link = parse_link_url(case.harmed_url).id
    away = people.administrator.sign_revocation(case.colleague.credential_id)
    async with (
        listening(caller_of(case.responsible), "/v1/messages/events") as logged_out,
        listening(caller_of(case.harmed), "/v1/messages/events") as revoked,
        listening(caller_of(case.colleague), "/v1/queue/events") as dismissed,
    ):
        for stream in (logged_out, revoked, dismissed):
            await stream.event()
        await caller_of(case.responsible).ask("DELETE", "/v1/sessions/current")
        await case.mediator.end_link(case.case_id, link, "replaced")
        await publish_revocation(people.connection, case.colleague.credential_id, away)

        ended = [await s.ends(3 * KEEPALIVE_SECONDS) for s in (logged_out, revoked, dismissed)]
        assert ended == [True, True, True]


async def test_a_session_that_ended_hears_no_more_change(case: Case) -> None:
    """What changes after the session ended is not sent, also before the next sign of life."""
    caller = caller_of(case.harmed)
    async with listening(caller, "/v1/messages/events") as stream:
        await stream.event()
        await caller.ask("DELETE", "/v1/sessions/current")
        caller.signed.forget_session()
        await case.harmed.send_letter(case.responsible.participant_id, "Words.")

        assert await stream.ends(3 * KEEPALIVE_SECONDS)
        assert not any(block.startswith(b"event:") for _at, block in stream.heard[1:])
