"""`relay doctor` on collectors of traces: one that takes them, and those that do not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.doctor.checks import Level
from relay.doctor.collector import check_collector
from tests.support.collector import ENDPOINT, Collector, collector
from tests.support.doctor import checks, command

SECRET = "a-token-of-the-collector"


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


@pytest.mark.own_relay
@pytest.mark.tampers
async def test_a_set_up_with_a_collector(of_web: dict[str, str], collected: Collector) -> None:
    """It is asked as traces are sent, without one of them; the command says so."""
    named = {ENDPOINT: collected.url, "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}"}
    found = await checks({**of_web, **named})
    assert [check.level for check in found if check.check == "traces"] == [Level.OK]
    assert collected.headers[0]["authorization"] == SECRET
    assert collected.spans == []
    done = command({**of_web, **named, "OTEL_METRICS_EXPORTER": "otlp"})
    assert done.returncode == 0
    assert "traces             The collector takes them." in done.stdout
    assert "relay does not read OTEL_METRICS_EXPORTER" in done.stdout
    assert SECRET not in done.stdout + done.stderr


async def test_nothing_is_said_where_none_is_named() -> None:
    """There is nothing to look at."""
    assert await check_collector({"OTEL_SERVICE_NAME": "relay"}) == []


@pytest.mark.parametrize("way", ["away", "hangs", "404", "401", "500", "no-file"])
async def test_a_collector_that_does_not_take_traces_is_warned_of(
    collected: Collector, tmp_path: Path, way: str
) -> None:
    """Relay works without it; what is wrong is said without any word or secret of anybody's."""
    environment = {ENDPOINT: collected.url, "OTEL_EXPORTER_OTLP_HEADERS": f"a={SECRET}"}
    match way:
        case "away":
            with socket.socket() as nobody:
                nobody.bind(("127.0.0.1", 0))
                environment[ENDPOINT] = f"http://x:{SECRET}@127.0.0.1:{nobody.getsockname()[1]}"
        case "hangs":
            collected.hangs = True
        case "no-file":
            environment["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(tmp_path / "none.pem")
        case _:
            collected.status = int(way)
    [found] = await check_collector(environment)
    assert found.level is Level.WARN
    assert found.check == "traces"
    assert SECRET not in found.says
    if way.isdecimal():
        assert f"answers {way}" in found.says
    assert "words-of-the-collector" not in found.says


async def test_variables_that_stop_relay_fail(collected: Collector) -> None:
    """By the sentence that a process would end with."""
    [found] = await check_collector({ENDPOINT: collected.url, "OTEL_TRACES_EXPORTER": "zipkin"})
    assert (found.level, "OTEL_TRACES_EXPORTER" in found.says) == (Level.FAIL, True)


async def test_a_secret_by_http_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """To another machine; what is on the way reads it."""
    found = await check_collector(
        {ENDPOINT: "http://192.0.2.1:4318", "OTEL_EXPORTER_OTLP_HEADERS": f"a={SECRET}"}
    )
    assert [check.level for check in found] == [Level.WARN, Level.WARN]
    assert "https" in found[1].says
