"""The variables of OpenTelemetry: off unless a collector is named, and wrong ones stop relay by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from relay.errors import ConfigurationError
from relay.tracing.process import traced
from relay.tracing.variables import HEADERS_FILE, Exporting, not_read, read

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HERE = {ENDPOINT: "http://collector.example:4318"}
SECRET = "a-token-of-the-collector"

STARTED = """
import json, sys, threading
import relay.commands.deliver, relay.commands.doctor, relay.commands.serve, relay.commands.worker
from relay.tracing.process import traced
with traced(json.loads(sys.argv[1]), "relay-test"):
    names = {name.partition(".")[0] for name in sys.modules}
    print(json.dumps([sorted(names & {"opentelemetry", "google", "requests"}), threading.active_count()]))
"""


def reading(**variables: str) -> Exporting:
    """With an address, and these."""
    found = read({**HERE, **variables}, "relay-web")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: " "},
        {**HERE, "OTEL_SDK_DISABLED": "true"},
        {**HERE, "OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {**HERE, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_SERVICE_NAME": "relay", "OTEL_TRACES_SAMPLER": "always_on"},
    ],
)
def test_off_costs_nothing(environment: dict[str, str]) -> None:
    """No package is imported and no thread started, with every command that could be traced."""
    assert read(environment, "relay-web") is None
    done = subprocess.run(
        [sys.executable, "-c", STARTED, json.dumps(environment)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[], 1]


def test_on_it_is_imported() -> None:
    """So that the test above can fail."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED, json.dumps({ENDPOINT: "http://127.0.0.1:9"})],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [["google", "opentelemetry", "requests"], 2]


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        (HERE, "http://collector.example:4318/v1/traces"),
        ({ENDPOINT: "https://c.example/otlp/"}, "https://c.example/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c.example/x"}, "https://c.example/x"),
        ({**HERE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/x"}, "http://c:1/x"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318/v1/traces"),
    ],
)
def test_where_traces_go(environment: dict[str, str], endpoint: str) -> None:
    """By the standard: the address for traces as it is, the one for everything with a path after it."""
    found = read(environment, "relay-web")
    assert found is not None
    assert found.endpoint == endpoint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_TRACES_EXPORTER", "otlp,console"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "half"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1"),
        ("OTEL_TRACES_SAMPLER_ARG", "-0.1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_EXPORTER_OTLP_HEADERS", SECRET),
        ("OTEL_EXPORTER_OTLP_HEADERS", f"a=b%0d%0a{SECRET}"),
        ("OTEL_RESOURCE_ATTRIBUTES", "words"),
        (ENDPOINT, "collector:4317"),
        (ENDPOINT, "ftp://collector"),
        (ENDPOINT, "http://collector:port"),
        (ENDPOINT, "http://"),
        (HEADERS_FILE, "/nowhere"),
    ],
)
def test_what_relay_cannot_do_stops_it(name: str, value: str) -> None:
    """The sentence names the variable, or the one that stands for both, and quotes no secret."""
    with pytest.raises(ConfigurationError) as refused:
        read({**HERE, name: value}, "relay-web")
    assert refused.value.detail is not None
    assert name.replace("_TRACES_PROTOCOL", "_PROTOCOL") in refused.value.detail
    assert SECRET not in refused.value.detail


def test_headers_are_a_secret(tmp_path: Path) -> None:
    """From a variable or a file, not from both; and in no text of what was read."""
    given = f"authorization=Bearer%20{SECRET}, X-Tenant = relay "
    expected = {"authorization": f"Bearer {SECRET}", "x-tenant": "relay"}
    found = reading(OTEL_EXPORTER_OTLP_HEADERS=given)
    assert found.headers == expected
    assert SECRET not in repr(found)
    file = tmp_path / "headers"
    file.write_text(f"{given}\n")
    assert reading(**{HEADERS_FILE: str(file)}).headers == expected
    with pytest.raises(ConfigurationError, match="both set"):
        reading(**{HEADERS_FILE: str(file), "OTEL_EXPORTER_OTLP_HEADERS": given})
    of_traces = reading(OTEL_EXPORTER_OTLP_HEADERS="a=b", OTEL_EXPORTER_OTLP_TRACES_HEADERS="c=d")
    assert of_traces.headers == {"c": "d"}


def test_a_process_has_a_name() -> None:
    """Its own, or the one that it is given, which counts more than an attribute."""
    assert reading().resource == {"service.name": "relay-web"}
    named = "service.name=x,deployment.environment.name=test%20site"
    found = reading(OTEL_RESOURCE_ATTRIBUTES=named)
    assert found.resource == {"service.name": "x", "deployment.environment.name": "test site"}
    assert (
        reading(OTEL_RESOURCE_ATTRIBUTES=named, OTEL_SERVICE_NAME="y").resource["service.name"]
        == "y"
    )


def test_what_is_not_read_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """By its name alone; what relay reads, and what is nobody's, is not."""
    environment = {
        **HERE,
        "OTEL_METRICS_EXPORTER": SECRET,
        "OTEL_BSP_MAX_QUEUE_SIZE": "1",
        "RELAY_LOG_FORMAT": "json",
        HEADERS_FILE: "/x",
    }
    assert not_read(environment) == ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_METRICS_EXPORTER"]
    del environment[HEADERS_FILE]
    with traced({**environment, ENDPOINT: "http://127.0.0.1:9"}, "relay-test"):
        pass
    assert "OTEL_BSP_MAX_QUEUE_SIZE, OTEL_METRICS_EXPORTER" in caplog.text
    assert SECRET not in caplog.text
