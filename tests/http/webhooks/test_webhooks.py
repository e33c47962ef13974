"""Events reach a receiver signed, in the order of their case, again and again until it takes them."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Callable
from typing import Final

import msgspec
import pytest
from aiohttp import web
from nacl.signing import VerifyKey
from standardwebhooks import Webhook as Verifier
from typer.testing import CliRunner

from relay.__main__ import program
from relay.crypto.webhooks import PUBLIC, new_key_pair, new_shared_secret
from relay.domain.notifications import Notification
from relay.embedded import Access, Services
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case
from tests.support.receivers import ReceivingHost, Webhook, delivering, of_case, receiving_host
from tests.support.service_users import database_as
from tests.support.tampering.owner import Owner
from tests.support.webhook_calls import looks, receivers, send_test, write

CASE_EVENTS: Final = 7
"""What is told of a case until both have said yes."""


async def test_a_receiver_gets_what_happens_signed_by_each_of_its_keys(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost
) -> None:
    """The same JSON as one that asks, in the same order; what was before stays where it can be asked for."""
    old, new = new_shared_secret(), new_shared_secret()
    private, public = new_key_pair()
    async with delivering(deliverer, host.receiver(secrets=(new, old, private))):
        await write(case, 3)
        await host.until(lambda: len(host.taken) == 3)
    page = await people.case_system.events(0, limit=500)
    assert [msgspec.json.decode(one.body, type=Notification) for one in host.taken] == page.events[
        CASE_EVENTS:
    ]
    for webhook in host.taken:
        for secret in (old, new):
            assert Verifier(secret).verify(webhook.body, dict(webhook.headers)) == webhook.event
        of_key = [
            base64.b64decode(one.removeprefix("v1a,"))
            for one in webhook.headers["webhook-signature"].split()
            if one.startswith("v1a,")
        ]
        content = f"{webhook.id}.{webhook.headers['webhook-timestamp']}.".encode() + webhook.body
        VerifyKey(base64.b64decode(public.removeprefix(PUBLIC))).verify(content, of_key[0])
        assert abs(int(webhook.headers["webhook-timestamp"]) - time.time()) < 60
        assert "." not in webhook.id
    assert len({webhook.id for webhook in host.taken}) == 3


async def test_the_next_event_of_a_case_waits_for_the_one_before(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost
) -> None:
    """Whatever the receiver does with it; events of other cases and of no case do not wait."""
    failures = iter([*range(5)])

    async def fail_at_first(webhook: Webhook) -> web.Response:
        if webhook.event["case"] is not None and next(failures, None) is not None:
            return web.Response(status=500)
        return await host.take(webhook)

    host.answer = fail_at_first
    async with delivering(deliverer, host.receiver()):
        await write(case, 4)
        await host.until(lambda: len(host.attempts) >= 2)
        await send_test(people)
        await host.until(lambda: len(host.taken) == 5)
    numbers = of_case(host.taken, case.case_id)
    assert numbers == sorted(numbers)
    assert len(numbers) == 4
    assert "relay.test" in host.types
    first = [one.id for one in host.attempts if one.event["id"] == numbers[0]]
    assert len(first) == 6
    assert len(set(first)) == 1


@pytest.mark.parametrize(
    ("answered", "failure"),
    [
        (lambda: web.Response(status=500), "status-500"),
        (lambda: web.Response(status=410), "status-410"),
        (lambda: web.Response(status=302, headers={"Location": "/events"}), "status-302"),
        (lambda: web.Response(status=404, body=b"x" * 5_000_000), "status-404"),
    ],
)
async def test_whatever_is_no_success_is_tried_again(
    case: Case,
    people: Organization,
    deliverer: Database,
    host: ReceivingHost,
    answered: Callable[[], web.Response],
    failure: str,
) -> None:
    """And the reason can be asked for; no redirect is followed."""

    async def refuse_once(webhook: Webhook) -> web.Response:
        return answered() if len(host.attempts) == 1 else await host.take(webhook)

    host.answer = refuse_once
    async with delivering(deliverer, host.receiver()):
        await write(case)
        await host.until(lambda: bool(host.taken))
    assert len(host.attempts) == 2
    [status] = (await receivers(people)).receivers
    assert (status.failure, status.dead_letters, status.cases_waiting) == (failure, 0, 0)
    assert status.delivered_at is not None


async def test_a_receiver_that_hangs_is_left_in_time_and_keeps_no_other_case_waiting(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost
) -> None:
    """Its timeout is a setting."""

    async def hang_once(webhook: Webhook) -> web.Response:
        if webhook.event["case"] is not None and len(host.taken) < 1:
            return await host.hang()
        return await host.take(webhook)

    host.answer = hang_once
    async with delivering(deliverer, host.receiver(timeout_seconds=1)):
        await write(case)
        await host.until(lambda: len(host.attempts) == 1)
        await send_test(people)
        await host.until(lambda: len(host.taken) == 2)
    assert host.types == ["relay.test", "mediator.review-waiting"]
    [status] = (await receivers(people)).receivers
    assert status.failure == "timeout"


async def test_a_receiver_is_not_asked_before_the_time_that_it_names(
    case: Case, deliverer: Database, host: ReceivingHost
) -> None:
    """Retry-After, in seconds."""

    async def later(webhook: Webhook) -> web.Response:
        if len(host.attempts) == 1:
            return web.Response(status=503, headers={"Retry-After": "2"})
        return await host.take(webhook)

    host.answer = later
    async with delivering(deliverer, host.receiver()):
        await write(case)
        await host.until(lambda: len(host.attempts) == 1)
        began = time.monotonic()
        await host.until(lambda: bool(host.taken))
    assert time.monotonic() - began >= 1.9


async def test_what_waits_for_a_receiver_that_was_away_goes_when_it_is_back(
    people: Organization, deliverer: Database, host: ReceivingHost
) -> None:
    """Whatever arrives there lets go what would wait for an hour; what it refuses by itself still waits."""
    cases = [await open_case(people) for _ in range(3)]
    refusing = {"mediator.review-waiting": 503, "case.consent-changed": 422}

    async def refuse(webhook: Webhook) -> web.Response:
        status = refusing.get(webhook.event["type"])
        return web.Response(status=status) if status else await host.take(webhook)

    host.answer = refuse
    async with delivering(deliverer, host.receiver(first_retry_seconds=3600)):
        for case in cases[:2]:
            await write(case)
        await cases[2].harmed.consent("paused")
        await host.until(lambda: len(host.attempts) == 3)
        refusing.clear()
        await send_test(people)
        await host.until(lambda: len(host.taken) == 3)
        await asyncio.sleep(0.7)
    assert sorted(host.types) == [*["mediator.review-waiting"] * 2, "relay.test"]


async def test_each_receiver_gets_its_types_and_waits_for_no_other(
    case: Case, deliverer: Database, host: ReceivingHost
) -> None:
    """One that is away keeps nothing from another, and gets what it missed when it is there again."""
    async with receiving_host() as other:
        wanted = other.receiver("mail", events=("participant.*", "case.consent-changed"))
        away = host.receiver("away", url="http://127.0.0.1:9/events")  # nobody listens there
        async with delivering(deliverer, host.receiver(), wanted, away):
            await write(case)
            await case.harmed.consent("paused")
            await host.until(lambda: len(host.taken) == 2 and len(other.taken) == 1)
        assert host.types == ["mediator.review-waiting", "case.consent-changed"]
        assert other.types == ["case.consent-changed"]
        async with delivering(deliverer, other.receiver("away")):
            await other.until(lambda: len(other.taken) == 3)
        assert other.types[1:] == host.types


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/events",
        "https://localhost:{port}/events",
        "https://0x7f.1:{port}/events",
        "https://[::ffff:127.0.0.1]:{port}/events",
        "https://[::1]:{port}/events",
    ],
)
async def test_no_address_that_is_not_public_is_connected_to(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost, url: str
) -> None:
    """However it is written, and whatever a name resolves to; a network of another does not allow it."""
    port = host.url.rpartition(":")[2].partition("/")[0]
    receiver = host.receiver(url=url.format(port=port), networks=("10.0.0.0/8",))
    async with delivering(deliverer, receiver):
        await write(case)

        async for found in looks(people):
            if found.failure is not None:
                break
    [status] = (await receivers(people)).receivers
    assert status.failure == "address-refused"
    assert host.attempts == []


async def test_the_operator_asks_and_repeats_by_command(
    case: Case,
    people: Organization,
    relay_settings: Settings,
    services: Services,
    deliverer: Database,
    host: ReceivingHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With no more than the rights of the process that delivers."""
    url = database_as(Access.DELIVERER, relay_settings.database_url, services)
    monkeypatch.setenv("RELAY_DATABASE_URL", url)

    async def run(*words: str) -> str:
        asked = await asyncio.to_thread(
            CliRunner().invoke, program(["webhooks"]), ["webhooks", *words]
        )
        if asked.exception is not None and not isinstance(asked.exception, SystemExit):
            raise asked.exception
        return asked.stdout

    async with delivering(deliverer, host.receiver()):
        assert "relay.test" in await run("test")
        await host.until(lambda: host.types == ["relay.test"])
    assert "case-system" in await run("list")
    assert await run("dead-letters", "case-system") == ""
    assert "0 dead letters" in await run("redeliver", "case-system")
    await run("forget", "case-system")
    assert (await receivers(people)).receivers == []
    assert (await run("secret")).startswith("whsec_")
    private, public = (await run("secret", "--public")).split()
    assert (private[:5], public[:5]) == ("whsk_", "whpk_")


async def test_a_process_that_stops_gives_back_what_is_under_way(
    case: Case,
    deliverer: Database,
    host: ReceivingHost,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next one sends it at once, and it does not count as an attempt."""
    monkeypatch.setattr("workers.delivering.STOP_SECONDS", 0.2)

    async def hang(_webhook: Webhook) -> web.Response:
        return await host.hang()

    host.answer = hang
    receiver = host.receiver(timeout_seconds=20)
    async with delivering(deliverer, receiver):
        await write(case)
        await host.until(lambda: len(host.attempts) == 1)
    async with Owner.of(database_url) as owner:
        assert await owner.value("select attempts from receiver_lines") == 0
    host.answer = host.take
    async with delivering(deliverer, receiver):
        await host.until(lambda: len(host.taken) == 1, 5)


async def test_several_processes_send_each_event_once_and_in_order(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost
) -> None:
    """While nothing fails, nothing is sent twice."""
    receiver = host.receiver()
    async with (
        delivering(deliverer, receiver),
        delivering(deliverer, receiver),
        delivering(deliverer, receiver),
    ):
        await write(case, 12)
        await host.until(lambda: len(host.taken) >= 12)
        await asyncio.sleep(0.7)
    numbers = of_case(host.attempts, case.case_id)
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 12


async def test_events_that_were_removed_after_their_time_keep_nothing_waiting(
    case: Case, people: Organization, deliverer: Database, host: ReceivingHost, database_url: str
) -> None:
    """As where nothing was delivered for ninety days: the next that is there is delivered."""
    receiver = host.receiver()
    async with delivering(deliverer, receiver):
        pass
    await write(case, 3)
    numbers = [event.id for event in (await people.case_system.events(0, limit=500)).events][-3:]
    async with Owner.of(database_url) as owner:
        await owner.run("select enqueue_deliveries('case-system')")
        await owner.run("delete from notifications where notification_id < $1", numbers[2])
    async with delivering(deliverer, receiver):
        await host.until(lambda: len(host.taken) == 1)
    assert of_case(host.taken, case.case_id) == numbers[2:]
    async with Owner.of(database_url) as owner:
        await owner.run("delete from notifications")
        await owner.run(
            "insert into receiver_lines (receiver, line_id, next_id, next_at) "
            "values ('case-system', $1, 1, now())",
            uuid.uuid4(),
        )
    async with delivering(deliverer, receiver):
        async for found in looks(people):
            if not found.cases_waiting:
                break
