"""What Prometheus is told: how much happens and what waits, and never to whom; and without waiting itself."""

from __future__ import annotations

import dataclasses
import re
import socket
import uuid
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest

from relay.app import ROUTES
from relay.client.casework import DEFAULT_POLICY
from relay.errors import ConfigurationError
from relay.handlers.metrics import monitored
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case
from tests.support.audits import command
from tests.support.gates import Gate
from tests.support.identifying import identifying, owned
from tests.support.requests import ask
from tests.support.scrapes import Scrape, scrape
from tests.support.uploads import body_of, sending
from tests.support.workers_metrics import seen, until, worker

pytestmark = pytest.mark.own_relay


@pytest.fixture
def relay_settings(
    relay_settings: Settings, unused_tcp_port_factory: Callable[[], int]
) -> Settings:
    """The web service tells what it does on a port of its own."""
    return dataclasses.replace(
        relay_settings, metrics_listen=f"127.0.0.1:{unused_tcp_port_factory()}"
    )


@pytest.fixture
def of_worker(worker_settings: Settings, unused_tcp_port_factory: Callable[[], int]) -> Settings:
    """The settings of a worker that does the same."""
    return dataclasses.replace(
        worker_settings, metrics_listen=f"127.0.0.1:{unused_tcp_port_factory()}"
    )


async def test_they_are_on_their_own_port_alone(
    people: Organization, relay_settings: Settings
) -> None:
    """At /metrics and nowhere else there; and at the public address there is nothing of that name."""
    assert (await scrape(relay_settings.metrics_listen)).value("relay_database_pool_max") == 12
    async with aiohttp.ClientSession() as http:
        for path in ("/", "/livez", "/readyz", "/v1/queue", "/metrics/"):
            async with http.get(f"http://{relay_settings.metrics_listen}{path}") as answer:
                assert answer.status == 404
    for path in ("/metrics", "/metrics/", "/v1/metrics"):
        assert (await ask(people.connection, "GET", path)).code == "no-such-route"


def test_nobody_is_told_anything_by_default(settings: Settings) -> None:
    """Without the setting there is no such port."""
    assert settings.metrics_listen == ""


@pytest.mark.parametrize(
    "wrong", ["9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "h:x", "a b:1"]
)
def test_what_is_no_address_is_refused_at_the_start(wrong: str) -> None:
    """A setting that is no host and port stops relay by name."""
    given = {
        f"RELAY_{field.name.upper()}": "x"
        for field in dataclasses.fields(Settings)
        if field.default is dataclasses.MISSING
    }
    with pytest.raises(ConfigurationError, match="RELAY_METRICS_LISTEN"):
        Settings.from_environment({**given, "RELAY_METRICS_LISTEN": wrong})


async def test_a_port_that_is_taken_is_named(of_worker: Settings) -> None:
    """Two processes with one port: the second says which setting is wrong, and does not start."""
    host, _, port = of_worker.metrics_listen.partition(":")
    with (
        socket.create_server((host, int(port))),
        pytest.raises(ConfigurationError, match=f"RELAY_METRICS_LISTEN.*{port}"),
    ):
        async with worker(of_worker):
            pass


async def test_requests_are_counted_by_pattern(
    people: Organization, relay_settings: Settings
) -> None:
    """Route, method and class of the status; all paths that are no route have one name."""
    before = await scrape(relay_settings.metrics_listen)
    await ask(people.connection, "GET", f"/v1/messages/{uuid.uuid4()}")
    await ask(people.connection, "GET", f"/nowhere/{uuid.uuid4()}")
    await ask(people.connection, "PROPFIND", "/livez")
    after = await scrape(relay_settings.metrics_listen)

    def more(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    requests, duration = "relay_http_requests_total", "relay_http_request_duration_seconds_count"
    read = {"route": "/v1/messages/{message}", "method": "GET"}
    assert more(requests, **read, status="4xx") == 1
    assert more(duration, **read) == 1
    assert more(requests, route="(no route)", method="GET", status="4xx") == 1
    other = [
        labels
        for name, labels in after.samples
        if name == requests and ("method", "(other)") in labels
    ]
    assert len(other) == 1


async def test_what_waits_is_counted(
    people: Organization, of_worker: Settings, database_url: str
) -> None:
    """Each queue has what is in it and the age of the oldest, as the worker's role reads them."""
    two = await open_case(people, policy=msgspec.structs.replace(DEFAULT_POLICY, approvals=2))
    letters = [
        (await two.harmed.send_letter(two.responsible.participant_id, "Words.")).message
        for _ in range(4)
    ]
    await two.mediator.decide(await two.mediator.lease(letters[0]), "approve")
    await two.mediator.lease(letters[1])
    for mediator in (two.mediator, two.colleague):
        await mediator.decide(await mediator.lease(letters[2]), "approve")
    link = await two.mediator.make_link(two.case_id, two.harmed.participant_id)
    await people.claim(link)
    async with owned(database_url) as owner:
        await owner.execute("update messages set waiting_since = waiting_since - interval '1 hour'")

    found = await seen(of_worker)

    queues = {
        queue: found.value("relay_queue_items", queue=queue)
        for queue in ("review", "second-approval", "offer", "claims")
    }
    assert queues == {"review": 1, "second-approval": 1, "offer": 1, "claims": 1}
    assert (found.value("relay_queue_items", queue="outbox") or 0) > 10
    for queue in ("review", "second-approval"):
        assert 3600 <= (found.value("relay_queue_oldest_seconds", queue=queue) or 0) < 3700
    assert found.value("relay_leases", kind="review") == 1
    assert found.value("relay_leases", kind="job") == 0
    assert found.value("relay_jobs", state="waiting") == 0
    assert found.value("relay_job_oldest_seconds", state="waiting") == 0
    async with owned(database_url) as owner:
        newest = await owner.fetchval("select max(event_id) from events")
    assert found.value("relay_log_head") == newest
    assert found.value("relay_events_head") == 0
    assert (found.value("relay_credential_ends_timestamp_seconds", role="media") or 0) > 1e9
    assert (found.value("relay_database_bytes") or 0) > 1e6


async def test_events_that_were_told_wait_no_more(
    case: Case, people: Organization, of_worker: Settings
) -> None:
    """Once the case system has asked, the outbox is empty, and the head is the number of the newest."""
    told = await people.case_system.events()
    found = await seen(of_worker)
    assert found.value("relay_queue_items", queue="outbox") == 0
    assert found.value("relay_events_head") == told.next


async def test_what_receivers_of_webhooks_did_not_take_is_seen(
    case: Case, people: Organization, of_worker: Settings, database_url: str
) -> None:
    """The oldest event that waits for one, and those that are dead letters."""
    found = await seen(of_worker)
    assert found.value("relay_queue_items", queue="webhooks") == 0
    assert found.value("relay_dead_letters") == 0
    await people.case_system.events()
    async with owned(database_url) as owner:
        await owner.execute("insert into receivers values ('case-system', '{}', 0)")
        await owner.execute(
            "insert into receiver_lines (receiver, line_id, next_id, next_at) "
            "values ('case-system', $1, 2, now())",
            case.case_id,
        )
        await owner.execute(
            "insert into dead_letters (receiver, notification_id, attempts, failure) "
            "values ('case-system', 1, 9, 'timeout')"
        )
        await owner.execute("update notifications set stored_at = now() - interval '1 hour'")
    found = await seen(of_worker)
    assert found.value("relay_queue_items", queue="webhooks") == 1
    assert 3600 <= (found.value("relay_queue_oldest_seconds", queue="webhooks") or 0) < 3700
    assert found.value("relay_dead_letters") == 1


async def test_uploads_are_counted(case: Case, relay_settings: Settings, database_url: str) -> None:
    """Bytes that came, how connections ended, and what became of the uploads."""
    before = await scrape(relay_settings.metrics_listen)
    async with sending(case, relay_settings, database_url) as sender:
        whole = await sender.create(1000)
        await sender.patch(whole, 0, body_of(1000))
        broken = await sender.create(1000)
        wire = await sender.begin_patch(broken, 0, 1000, body_of(10))
        during = await scrape(relay_settings.metrics_listen)
        wire.cut()
        await sender.until_kept(broken, 10)
        await sender.head(broken)
        await sender.ask("DELETE", whole)
    assert during.value("relay_upload_connections") == 1
    after = await scrape(relay_settings.metrics_listen)

    def more(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    assert after.value("relay_upload_connections") == 0
    assert more("relay_upload_received_bytes_total") == 1010
    assert more("relay_upload_connections_ended_total", reason="read") == 1
    assert more("relay_upload_connections_ended_total", reason="broken") == 1
    assert more("relay_uploads_ended_total", reason="terminated") == 1


async def busy(people: Organization, case: Case) -> None:
    """A letter all the way, one that comes back, a link, an upload link, events that are told."""
    letters = [
        await case.harmed.send_letter(case.responsible.participant_id, "Words.") for _ in range(2)
    ]
    approved = await case.mediator.decide(await case.mediator.lease(letters[0].message), "approve")
    await case.mediator.offer(approved)
    [offered] = (await case.responsible.correspondence()).received
    await case.responsible.respond(offered, "accept")
    await case.responsible.open(offered)
    await case.mediator.decide(
        await case.mediator.lease(letters[1].message), "return", reason="tone"
    )
    await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    await people.case_system.events()


async def test_nothing_that_is_told_says_who(
    people: Organization,
    case: Case,
    relay_settings: Settings,
    of_worker: Settings,
    database_url: str,
) -> None:
    """After a story with everything in it, no value of any table stands in a scrape of either process."""
    await busy(people, case)
    for route in ROUTES:
        path = re.sub(r"\{[^}]+\}", str(case.case_id), route.path)
        await ask(people.connection, route.method, path)

    told = [await scrape(relay_settings.metrics_listen), await seen(of_worker)]

    values = await identifying(database_url)
    assert len(values) > 200
    assert {str(case.case_id), str(case.harmed.participant_id)} <= values
    assert [value for value in values for one in told if value in one.text] == []
    asked = {dict(labels)["route"] for name, labels in told[0].samples if "route" in dict(labels)}
    assert {route.path for route in ROUTES} <= asked
    for one in told:
        assert [pair for pair in one.labels if re.search(r"[0-9a-f]{8}", pair[1])] == []


async def test_a_scrape_waits_for_no_service_that_is_away(case: Case, of_worker: Settings) -> None:
    """Cut off or silent: the scrape comes at once, says 0, and has no figure; after it, all is there."""
    gates = [
        Gate(address)
        for address in (of_worker.database_url, of_worker.s3_endpoint, of_worker.redis_url)
    ]
    for gate in gates:
        await gate.open()
    database_url, s3_endpoint, redis_url = (gate.url for gate in gates)
    by_gates = dataclasses.replace(
        of_worker, database_url=database_url, s3_endpoint=s3_endpoint, redis_url=redis_url
    )
    up, away = (
        dict.fromkeys(("database", "objects", "redis"), 1),
        dict.fromkeys(("database", "objects", "redis"), 0),
    )
    async with worker(by_gates, every_seconds=0.1):
        assert "relay_queue_items" in (await until(by_gates, **up)).names
        for gate in gates:
            await gate.close()
        gone = await until(by_gates, **away)
        assert "relay_queue_items" not in gone.names
        assert gone.value("relay_database_pool_max") == 2
        for gate in gates:
            await gate.open()
        assert "relay_queue_items" in (await until(by_gates, **up)).names
        for gate in gates:
            gate.hang()
        assert "relay_queue_items" not in (await until(by_gates, **away)).names
        for gate in gates:
            await gate.close()


async def test_figures_that_may_not_be_read_are_absent(
    case: Case, of_worker: Settings, relay_settings: Settings
) -> None:
    """The web service's role has no right to them, and the database is there all the same."""
    as_web = dataclasses.replace(of_worker, database_url=relay_settings.database_url)
    found = await seen(as_web)
    assert found.value("relay_database_up") == 1
    assert "relay_queue_items" not in found.names


async def test_a_process_without_a_store_says_nothing_of_it(
    case: Case, of_worker: Settings
) -> None:
    """What a process does not use is neither up nor away; the database is all that it needs."""
    database = await Database.connect(of_worker.database_url, connections=1)
    try:
        async with monitored(of_worker, database=database):
            found = await until(of_worker, database=1)
    finally:
        await database.close()
    assert not {"relay_objects_up", "relay_redis_up", "relay_queue_items"} & found.names
    assert found.value("relay_database_pool_max") == 1


@pytest.mark.tampers
async def test_an_audit_leaves_what_it_found_as_metrics(
    case: Case, relay_settings: Settings, database_url: str, tmp_path: Path
) -> None:
    """A file for the node exporter: every code with 0, then the one that was found."""
    file = tmp_path / "relay.prom"
    assert command(relay_settings, "verify", "--metrics", file).returncode == 0
    clean = Scrape(file.read_text())
    found = {value for (name, _), value in clean.samples.items() if name == "relay_audit_findings"}
    assert found == {0}
    assert (clean.value("relay_audit_finished_timestamp_seconds") or 0) > 1e9
    async with owned(database_url) as owner:
        await owner.execute("set session_replication_role = replica")
        await owner.execute("update events set at = at - interval '1 day' where seq = 3")
    assert command(relay_settings, "verify", "--metrics", file).returncode == 1
    assert Scrape(file.read_text()).value("relay_audit_findings", code="chain-broken") == 1
    refused = command(relay_settings, "verify", "--metrics", file, "--case", str(case.case_id))
    assert refused.returncode == 2
