"""What a receiver does not take in three days is kept, listed, and sent again when somebody asks for it."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from aiohttp import web

from relay.client.connection import Problem
from relay.domain.webhooks import (
    GIVE_UP_SECONDS,
)
from relay.settings import Settings
from relay.storage import notifications
from relay.storage.database import Database
from relay.testing.people import Case, Organization
from tests.support.receivers import ReceivingHost, Webhook, delivering
from tests.support.tampering.owner import Owner
from tests.support.webhook_calls import dead_letters, looks, receivers, redeliver, write


async def test_what_is_not_taken_in_three_days_is_a_dead_letter_and_can_be_sent_again(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost, database_url: str
) -> None:
    """What follows is delivered; the dead letter is sent by itself, once, however often that is asked for."""
    refused: Final = "mediator.review-waiting"

    async def refuse(webhook: Webhook) -> web.Response:
        if webhook.event["type"] == refused:
            return web.Response(status=500)
        return await host.take(webhook)

    host.answer = refuse
    receiver = host.receiver(first_retry_seconds=0.2)
    async with delivering(deliverer, receiver):
        await write(case)
        await case.harmed.consent("paused")
        await host.until(lambda: len(host.attempts) >= 2)
        assert (await receivers(people)).receivers[0].cases_failing == 1
        async with Owner.of(database_url) as owner:
            await owner.run(
                "update receiver_lines set first_at = now() - make_interval(secs => $1)",
                float(GIVE_UP_SECONDS),
            )
        await host.until(lambda: len(host.taken) == 1)
        [letter] = (await dead_letters(people)).dead_letters
        assert (letter.event.type, letter.failure) == (refused, "status-500")
        assert letter.attempts == len(host.attempts) - 1
        tried = len(host.attempts)
        await asyncio.sleep(0.7)
        assert len(host.attempts) == tried, "a dead letter is not sent by itself"

        host.answer = host.take
        assert await redeliver(people, events=[letter.event.id + 1000]) == []
        sent = [await redeliver(people, events=[letter.event.id]) for _ in range(2)]
        assert sent[0] == [letter.event.id]
        await host.until(lambda: len(host.taken) == 2)
        await asyncio.sleep(0.7)
    assert host.types == ["case.consent-changed", refused]
    assert (await dead_letters(people)).dead_letters == []
    assert host.taken[1].id == host.attempts[0].id
    assert await redeliver(people) == []


async def test_dead_letters_are_listed_by_pages_and_all_sent_again(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost, database_url: str
) -> None:
    """By the API, and by the command of the operator."""

    async def refuse(_webhook: Webhook) -> web.Response:
        async with Owner.of(database_url) as owner:
            await owner.run(
                "update receiver_lines set first_at = now() - make_interval(secs => $1)",
                float(GIVE_UP_SECONDS),
            )
        return web.Response(status=500)

    host.answer = refuse
    async with delivering(deliverer, host.receiver(first_retry_seconds=0.2)):
        await write(case, 3)
        async for found in looks(people):
            if found.dead_letters == 3:
                break
        first = await dead_letters(people, "?limit=2")
        rest = await dead_letters(people, f"?limit=2&after={first.next}")
        numbers = [one.event.id for one in (*first.dead_letters, *rest.dead_letters)]
        assert len(numbers) == 3
        assert numbers == sorted(numbers)
        assert rest.next is None
        host.answer = host.take
        assert await redeliver(people) == numbers
        await host.until(lambda: len(host.taken) == 3)


async def test_a_receiver_that_nobody_knows_has_no_dead_letters(people: Organization) -> None:
    """It is named as such, not as an empty list."""
    for ask in (dead_letters, redeliver):
        with pytest.raises(Problem) as refused:
            await ask(people)
        assert refused.value.code == "receiver-unknown"


async def test_dead_letters_go_with_their_events(
    case: Case,
    people: Organization,
    deliverer: Database,
    worker_settings: Settings,
    database_url: str,
) -> None:
    """By the sweep, which has no other right on them."""
    await write(case)
    events = (await people.case_system.events(0, limit=500)).events
    async with Owner.of(database_url) as owner:
        await owner.run("insert into receivers values ('case-system', '{}', 0)")
        await owner.run(
            "insert into dead_letters (receiver, notification_id, attempts, failure) "
            "select 'case-system', notification_id, 9, 'timeout' from notifications"
        )
        await owner.run(
            "update notifications set stored_at = stored_at - interval '91 days' "
            "where notification_id < $1",
            events[-1].id,
        )
    worker = await Database.connect(worker_settings.database_url, connections=1)
    async with worker.connection() as connection:
        await notifications.delete_old(connection, worker_settings.events_expire_seconds, 500)
    await worker.close()
    left = (await dead_letters(people)).dead_letters
    assert [letter.event.id for letter in left] == [events[-1].id]
