"""Server-sent events: what changes arrives at once, and what may not be seen makes no sound."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from relay.client.administrator import publish_revocation
from relay.crypto.links import parse_link_url
from relay.demo.cast import Case, Organization, open_case
from relay.domain.messages import RecipientMessage
from relay.settings import Settings
from tests.hands import Hands, hands_of

pytestmark = pytest.mark.own_relay
KEEPALIVE_SECONDS = 1


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As ever, with a sign of life every second."""
    return dataclasses.replace(settings, events_keepalive_seconds=KEEPALIVE_SECONDS)


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

    async def event(self, seconds: float = 2) -> dict[str, list[dict[str, object]]]:
        """The data of the next event, which has to come in time."""
        async with asyncio.timeout(seconds):
            while not (block := await self.next()).startswith(b"event:"):
                assert block, "the stream has ended"
        found: dict[str, list[dict[str, object]]] = json.loads(block.partition(b"data: ")[2])
        return found

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
async def listening(hands: Hands, path: str) -> AsyncIterator[Stream]:
    """A stream that somebody listens to."""
    connection = hands.signed.connection
    headers = {"Authorization": f"Bearer {await hands.signed.bearer()}"}
    async with connection.http.get(f"{connection.url}{path}", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def offered(case: Case) -> RecipientMessage:
    """The one message that waits for its recipient."""
    [message] = (await case.responsible.correspondence()).received
    return message


async def test_a_change_arrives_within_a_second(case: Case) -> None:
    """What the sender does is heard by the sender and by the mediator, each with what they may see."""
    async with (
        listening(hands_of(case.harmed), "/v1/messages/events") as own,
        listening(hands_of(case.mediator), "/v1/queue/events") as queue,
    ):
        assert (await own.event())["sent"] == []
        assert (await queue.event())["figures"] == []

        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")

        [heard] = (await own.event(1))["sent"]
        assert (heard["message"], heard["view"]) == (str(sent.message), "in-review")
        [figure] = (await queue.event(1))["figures"]
        assert (figure["state"], figure["messages"]) == ("queued", 1)


async def test_an_author_hears_nothing_of_what_they_may_not_know(case: Case) -> None:
    """From the offer to the opening not a byte comes, and the signs of life keep their time."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
    async with listening(hands_of(case.harmed), "/v1/messages/events") as stream:
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
    async with listening(hands_of(case.responsible), "/v1/messages/events") as stream:
        assert (await stream.event())["received"] == []
        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        await case.mediator.lease(sent.message)
        approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
        await case.mediator.offer(approved)
        [heard] = (await stream.event(1))["received"]
        assert heard["view"] == "waiting"

        await case.harmed.withdraw(sent.message)
        assert (await stream.event(1))["received"] == []


async def test_nobody_hears_of_another_case(case: Case, people: Organization) -> None:
    """What happens in a case is not heard by the people of another, not even as a sign of life too many."""
    other = await open_case(people)
    async with listening(hands_of(other.harmed), "/v1/messages/events") as stream:
        await stream.event()
        await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        assert await stream.next() == b": still here\n\n"


async def test_a_stream_ends_with_the_session(case: Case, people: Organization) -> None:
    """Logging out, a revoked link and a revoked credential end a stream at its next sign of life."""
    link = parse_link_url(case.harmed_url).id
    away = people.administrator.sign_revocation(case.colleague.credential_id)
    async with (
        listening(hands_of(case.responsible), "/v1/messages/events") as logged_out,
        listening(hands_of(case.harmed), "/v1/messages/events") as revoked,
        listening(hands_of(case.colleague), "/v1/queue/events") as dismissed,
    ):
        for stream in (logged_out, revoked, dismissed):
            await stream.event()
        await hands_of(case.responsible).ask("DELETE", "/v1/sessions/current")
        await case.mediator.end_link(case.case_id, link, "replaced")
        await publish_revocation(people.connection, case.colleague.credential_id, away)

        ended = [await s.ends(3 * KEEPALIVE_SECONDS) for s in (logged_out, revoked, dismissed)]
        assert ended == [True, True, True]


async def test_a_session_that_ended_hears_no_more_change(case: Case) -> None:
    """What changes after the session ended is not sent, also before the next sign of life."""
    hands = hands_of(case.harmed)
    async with listening(hands, "/v1/messages/events") as stream:
        await stream.event()
        await hands.ask("DELETE", "/v1/sessions/current")
        hands.signed.forget_session()
        await case.harmed.send_letter(case.responsible.participant_id, "Words.")

        assert await stream.ends(3 * KEEPALIVE_SECONDS)
        assert not any(block.startswith(b"event:") for _at, block in stream.heard[1:])
