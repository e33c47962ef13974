"""Events arrive in the order of their case, each at least once, while receiver and deliverer fail."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import uuid
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from relay.domain.notifications import NotificationType
from relay.domain.webhooks import Receiver
from relay.embedded import Access, Services
from relay.settings import Settings
from tests.support.receivers import ReceivingHost, Webhook, receiving_host
from tests.support.service_users import database_as
from tests.support.tampering.owner import Owner

EVENTS: Final = 10_000
CASES: Final = 400
BATCH: Final = 50
FAILING: Final = 0.30
HANGING: Final = 0.05
KILLS: Final = 5
RESTARTS: Final = 2
PATIENCE_SECONDS: Final = 300


class Unreliable:
    """Fails, hangs, and takes the rest; what it took it knows, as somebody who does not do things twice."""

    def __init__(self, host: ReceivingHost, chance: random.Random) -> None:
        self._host = host
        self._chance = chance
        self.seen: dict[str, None] = {}
        self.by_case: dict[str, list[int]] = defaultdict(list)
        self.attempts = 0
        host.answer = self._answer

    async def _answer(self, webhook: Webhook) -> web.Response:
        self.attempts += 1
        drawn = self._chance.random()
        if drawn < FAILING:
            return web.Response(status=self._chance.choice([500, 502, 429, 404, 301]))
        if drawn < FAILING + HANGING:
            return await self._host.hang()
        if webhook.id not in self.seen:
            self.seen[webhook.id] = None
            self.by_case[webhook.event["case"]].append(webhook.event["id"])
        return web.Response(status=204)

    def has_seen(self, count: int) -> bool:
        """Whether so many events were taken."""
        return len(self.seen) >= count


class Killed:
    """`relay deliver` as a process, killed and started again."""

    def __init__(self, settings: Settings, file: Path, url: str) -> None:
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": os.pathsep.join(sys.path),
            "RELAY_DATABASE_URL": url,
            "RELAY_WEBHOOKS_FILE": str(file),
            "RELAY_LOG_FORMAT": settings.log_format,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay", "deliver"),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        """End it without a word; AssertionError where it has ended by itself."""
        assert self._process is not None
        assert self._process.returncode is None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Tell it to stop; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()


async def know(database_url: str, receiver: Receiver) -> None:
    """Have a receiver get everything from the first event on."""
    async with Owner.of(database_url) as owner:
        await owner.run(
            "insert into receivers (receiver, wanted, enqueued_id) values ($1, $2, 0)",
            receiver.name,
            [str(one) for one in NotificationType],
        )


async def store_events(database_url: str, chance: random.Random) -> None:
    """Events of many cases, a few at a time, while earlier ones are delivered."""
    types = list(NotificationType)
    cases = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(CASES)]
    for batch in range(0, EVENTS, BATCH):
        async with Owner.of(database_url) as owner:
            await owner.connection.executemany(
                "insert into notifications (notification_id, type, at, case_id) "
                "values ($1, $2, now(), $3)",
                [
                    (number, str(chance.choice(types)), chance.choice(cases))
                    for number in range(batch + 1, batch + BATCH + 1)
                ],
            )
        await asyncio.sleep(0.1)


def write_file(path: Path, receiver: Receiver) -> None:
    """The file of the receivers, as an operator writes it."""
    members = {
        "name": receiver.name,
        "url": receiver.url,
        "secrets": list(receiver.secrets),
        "networks": list(receiver.networks),
        "timeout_seconds": receiver.timeout_seconds,
        "first_retry_seconds": receiver.first_retry_seconds,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in members.items()]
    path.write_text("\n".join(["[[receiver]]", *lines]), "utf-8")


@pytest.mark.timeout(PATIENCE_SECONDS + 60)
async def test_nothing_is_lost_or_out_of_order_while_everything_fails(
    settings: Settings,
    services: Services,
    database_url: str,
    tmp_path: Path,
    chance: random.Random,
) -> None:
    """Of ten thousand events a third of the attempts fails, one in twenty hangs; nobody stays up."""
    async with receiving_host() as host:
        receiver = host.receiver(timeout_seconds=1, first_retry_seconds=0.05)
        await know(database_url, receiver)
        storing = asyncio.create_task(store_events(database_url, chance))
        unreliable = Unreliable(host, chance)
        file = tmp_path / "webhooks.toml"
        write_file(file, receiver)
        url = database_as(Access.DELIVERER, settings.database_url, services)
        deliverer = Killed(settings, file, url)
        await deliverer.start()
        faults = sorted([*["kill"] * KILLS, *["restart"] * RESTARTS], key=lambda _: chance.random())
        for count, fault in enumerate(faults, 1):
            reached = count * EVENTS // (len(faults) + 1)
            await host.until(partial(unreliable.has_seen, reached), PATIENCE_SECONDS)
            if fault == "kill":
                await deliverer.kill()
                await deliverer.start()
            else:
                await host.go()
                await asyncio.sleep(1)
                await host.come()
        await host.until(partial(unreliable.has_seen, EVENTS), PATIENCE_SECONDS)
        assert await deliverer.stop() == 0
        await storing

    taken = unreliable.by_case.values()
    assert sorted(itertools.chain.from_iterable(taken)) == list(range(1, EVENTS + 1))
    assert all(of_case == sorted(of_case) for of_case in taken)
    assert unreliable.attempts > EVENTS * 1.3
    async with Owner.of(database_url) as owner:
        assert await owner.value("select count(*) from dead_letters") == 0
        assert await owner.value("select count(*) from receiver_lines") == 0
