"""A collector that is away, silent or answers errors: relay does not wait for it, and does not fill up."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from relay.crypto.webhooks import new_shared_secret
from relay.embedded import Access, Services
from relay.services.notifications import tell_of_test
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.relays import start_process, stop_processes
from relay.tracing import spans
from relay.tracing.export import BATCH_SPANS, EXIT_SECONDS, QUEUE_SPANS
from tests.support.collector import ENDPOINT, SOON_SECONDS, Collector, collector, traced
from tests.support.receivers import receiving_host
from tests.support.service_users import database_as
from tests.support.web_process import WebProcess, web_process

GONE_SECONDS: Final = 20
SECRET: Final = "a-password-of-the-collector"
WAYS: Final = ("away", "hangs", "500", "503", "400")


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


@pytest.fixture
async def web(settings: Settings, tmp_path: Path, unused_tcp_port: int) -> WebProcess:
    """A web process that is yet to be started."""
    return web_process(settings, tmp_path, unused_tcp_port)


def broken(collected: Collector, way: str) -> str:
    """The address of a collector that does not do what it should, with a password in it."""
    if way == "away":
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            return f"http://relay:{SECRET}@127.0.0.1:{nobody.getsockname()[1]}"
    collected.hangs = way == "hangs"
    collected.status = 200 if way == "hangs" else int(way)
    return collected.url.replace("://", f"://relay:{SECRET}@")


@pytest.mark.parametrize("way", WAYS)
async def test_a_process_serves_and_ends_whatever_its_collector_does(
    web: WebProcess, collected: Collector, way: str
) -> None:
    """Answers come at once, SIGTERM ends it in time and in order; the log says it once, with no secret."""
    web.environment |= {
        ENDPOINT: broken(collected, way),
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
        "RELAY_STOP_NOTICE_SECONDS": "0",
    }
    await web.start()
    taken = []
    async with aiohttp.ClientSession() as http:
        end = time.monotonic() + 7  # longer than one attempt to send
        while time.monotonic() < end:
            began = time.monotonic()
            async with http.get(f"{web.url}/v1/queue") as answer:
                assert answer.status == 401
            taken.append(time.monotonic() - began)
            await asyncio.sleep(0.005)
    assert statistics.median(taken) < 0.1
    assert sorted(taken)[-len(taken) // 50] < 1

    web.tell_to_stop()
    async with asyncio.timeout(GONE_SECONDS):
        assert await web.ended() == 0
    said = web.log.read_text()
    logged = [json.loads(line) for line in said.splitlines()]
    assert SECRET not in said
    assert "words-of-the-collector" not in said
    told = [line for line in logged if "the collector does not take" in line["message"]]
    assert len(told) <= 1
    if way != "hangs" or told:
        assert told[0]["level"] == "warning"
        assert {line["logger"].partition(".")[0] for line in logged} == {"relay"}


def make_spans(number: int) -> None:
    """So many of them, each by itself."""
    for _ in range(number):
        with spans.trace("x" * 200):
            pass


def test_what_a_collector_does_not_take_is_dropped(
    collected: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """The queue is as long as it may be and no longer: the newest are kept, and it is said once."""
    collected.hangs = True
    began = time.monotonic()
    with traced(collected):
        make_spans(QUEUE_SPANS * 5)
        assert time.monotonic() - began < SOON_SECONDS
        collected.until(lambda: collected.headers)
        ending = time.monotonic()
    assert time.monotonic() - ending < EXIT_SECONDS + 1
    told = [record for record in caplog.records if record.name == "relay.tracing.export"]
    assert [record.levelno for record in told] == [logging.WARNING]
    assert "the queue is full" in told[0].getMessage()
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


def test_a_collector_that_comes_back_gets_what_is_left(collected: Collector) -> None:
    """What was dropped is gone; what happens from then on arrives, and no more than waited."""
    collected.status = 500
    with traced(collected):
        make_spans(BATCH_SPANS)
        collected.until(lambda: collected.headers)
        collected.status = 200
        with spans.trace("after"):
            pass
        collected.until(lambda: collected.named("after"))
    assert len(collected.spans) <= QUEUE_SPANS


async def test_a_process_that_is_traced_sends_all_before_it_ends(
    web: WebProcess, collected: Collector
) -> None:
    """The last requests too; and as a name of its own it has the one that is given."""
    web.environment |= {
        ENDPOINT: collected.url,
        "OTEL_SERVICE_NAME": "relay-of-a-test",
        "RELAY_STOP_NOTICE_SECONDS": "0",
    }
    await web.start()
    async with aiohttp.ClientSession() as http, http.get(f"{web.url}/v1/queue") as answer:
        assert answer.status == 401
    web.tell_to_stop()
    assert await web.ended() == 0
    [span] = collected.named("GET /v1/queue")
    assert span.resource["service.name"] == "relay-of-a-test"


async def test_a_deliverer_sends_its_traces_and_ends(
    settings: Settings, services: Services, tmp_path: Path, collected: Collector
) -> None:
    """As a whole process, in time also where the collector hangs by then."""
    file, log = tmp_path / "webhooks.toml", tmp_path / "deliverer.log"
    database = await Database.connect(settings.database_url, connections=1)
    async with receiving_host() as host:
        file.write_text(
            f'[[receiver]]\nname = "case-system"\nurl = "{host.url}"\n'
            f'secrets = ["{new_shared_secret()}"]\nnetworks = ["127.0.0.0/8"]\n'
        )
        of_deliverer = {
            "RELAY_DATABASE_URL": database_as(Access.DELIVERER, settings.database_url, services),
            "RELAY_WEBHOOKS_FILE": str(file),
            ENDPOINT: collected.url,
        }
        process = await start_process("deliver", of_deliverer, log)
        try:
            await host.until(lambda: "delivering to" in log.read_text())
            await tell_of_test(database)
            await host.until(lambda: len(host.taken) == 1)
            await asyncio.to_thread(collected.until, lambda: collected.named("deliver"))
            collected.hangs = True
            await tell_of_test(database)
            await host.until(lambda: len(host.taken) == 2)
            process.terminate()
            async with asyncio.timeout(GONE_SECONDS):
                assert await process.wait() == 0
        finally:
            await stop_processes({"deliverer": process})
            await database.close()
    [delivered] = collected.named("deliver")
    assert delivered.resource["service.name"] == "relay-deliverer"
    assert collected.children(delivered)[0].name == "POST"


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_HEADERS", SECRET)],
)
async def test_a_process_does_not_start_with_what_it_cannot_do(
    web: WebProcess, collected: Collector, name: str, value: str
) -> None:
    """One sentence names the variable; its value is a secret."""
    web.environment |= {ENDPOINT: collected.url, name: value}
    starting = asyncio.create_task(web.start())
    async with asyncio.timeout(GONE_SECONDS):
        while web.process is None:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.01)
        assert await web.ended() == 1
    starting.cancel()
    await asyncio.wait({starting})
    said = " ".join(web.log.read_text().split())
    assert name in said
    assert "Traceback" not in said
    assert SECRET not in said
