"""Reads the variables of OpenTelemetry: whether traces are sent, to whom, and how many of them.

Their names are the standard's. Of those that relay does not read it says so at its start; a value that it
cannot do stops it, for what it was meant for would not happen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from relay.errors import ConfigurationError

PROTOCOL: Final = "http/protobuf"
SAMPLERS: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "parentbased_")
    for name in ("always_on", "always_off", "traceidratio")
)
COMPRESSIONS: Final = frozenset({"none", "gzip", "deflate"})
HEADERS_FILE: Final = "OTEL_EXPORTER_OTLP_HEADERS_FILE"
"""relay's own: the headers in a file, as containers hand over secrets."""
_OTLP: Final = (
    "ENDPOINT",
    "PROTOCOL",
    "HEADERS",
    "COMPRESSION",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
)
READ: Final = frozenset(
    {
        *(
            "OTEL_SDK_DISABLED",
            "OTEL_TRACES_EXPORTER",
            "OTEL_TRACES_SAMPLER",
            "OTEL_TRACES_SAMPLER_ARG",
        ),
        *("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", HEADERS_FILE),
        *(f"OTEL_EXPORTER_OTLP_{name}" for name in _OTLP),
        *(f"OTEL_EXPORTER_OTLP_TRACES_{name}" for name in _OTLP),
    }
)
"""Every variable that relay reads."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """Where traces go, and which."""

    endpoint: str = dataclasses.field(repr=False)
    """The whole address; it may hold a password."""
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    compression: str
    certificate_file: str | None
    """Of the authority that vouches for the collector, instead of those of the system."""
    client_key_file: str | None
    client_certificate_file: str | None
    sampler: str
    ratio: float
    resource: Mapping[str, str]
    """What every span is of: `service.name` and what the operator names."""


def read(environment: Mapping[str, str], service: str) -> Exporting | None:
    """How `service` is to send its traces; None where no collector is named. ConfigurationError."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    if not _is_wanted(given):
        return None
    protocol = _of_otlp(given, "PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL must be {PROTOCOL}: relay speaks no other with a collector"
        )
    sampler = given.get("OTEL_TRACES_SAMPLER", "parentbased_always_on")
    if sampler not in SAMPLERS:
        raise ConfigurationError(
            f"OTEL_TRACES_SAMPLER must be one of {', '.join(sorted(SAMPLERS))}"
        )
    compression = (_of_otlp(given, "COMPRESSION") or "none").lower()
    if compression not in COMPRESSIONS:
        raise ConfigurationError("OTEL_EXPORTER_OTLP_COMPRESSION must be none, gzip or deflate")
    return Exporting(
        endpoint=_endpoint(given),
        headers=_headers(given),
        compression=compression,
        certificate_file=_of_otlp(given, "CERTIFICATE"),
        client_key_file=_of_otlp(given, "CLIENT_KEY"),
        client_certificate_file=_of_otlp(given, "CLIENT_CERTIFICATE"),
        sampler=sampler,
        ratio=_ratio(given.get("OTEL_TRACES_SAMPLER_ARG", "1")),
        resource=_resource(given, service),
    )


def not_read(environment: Mapping[str, str]) -> list[str]:
    """Variables of OpenTelemetry in the environment that relay does not read, by their names."""
    return sorted(name for name in environment if name.startswith("OTEL_") and name not in READ)


def _is_wanted(given: Mapping[str, str]) -> bool:
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = given.get("OTEL_TRACES_EXPORTER")
    if exporter not in {None, "otlp", "none"}:
        raise ConfigurationError("OTEL_TRACES_EXPORTER must be otlp or none")
    return exporter == "otlp" or (exporter is None and _of_otlp(given, "ENDPOINT") is not None)


def _of_otlp(given: Mapping[str, str], name: str) -> str | None:
    """A variable of the exporter: the one for traces before the one for everything."""
    of_traces = given.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}")
    return of_traces or given.get(f"OTEL_EXPORTER_OTLP_{name}")


def _endpoint(given: Mapping[str, str]) -> str:
    """The address for traces as it is, or the one for everything with the path for traces after it."""
    of_traces = given.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = given.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    endpoint = of_traces or f"{base.removesuffix('/')}/v1/traces"
    try:
        parts = urlsplit(of_traces or base)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" if of_traces else "OTEL_EXPORTER_OTLP_ENDPOINT"
        raise ConfigurationError(
            f"{name} must be an address such as https://collector.example:4318"
        )
    return endpoint


def _headers(given: Mapping[str, str]) -> Mapping[str, str]:
    name = "OTEL_EXPORTER_OTLP_HEADERS"
    path, text = given.get(HEADERS_FILE), _of_otlp(given, "HEADERS")
    if path is not None:
        if text is not None:
            raise ConfigurationError(f"{name} and {HEADERS_FILE} are both set")
        try:
            text, name = Path(path).read_text("utf-8").strip(), HEADERS_FILE
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"the file that {HEADERS_FILE} names cannot be read") from None
    return {key.lower(): value for key, value in _pairs(name, text or "").items()}


def _resource(given: Mapping[str, str], service: str) -> Mapping[str, str]:
    named = _pairs("OTEL_RESOURCE_ATTRIBUTES", given.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    resource = {"service.name": service, **named}
    if of_service := given.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = of_service
    return resource


def _pairs(name: str, text: str) -> dict[str, str]:
    """`key=value,key=value`, percent-encoded."""
    found: dict[str, str] = {}
    for item in filter(None, (one.strip() for one in text.split(","))):
        key, is_pair, value = item.partition("=")
        decoded = unquote(value.strip())
        if not key.strip() or not is_pair or not (key + decoded).isprintable():
            raise ConfigurationError(f"{name} must be key=value, separated by commas")
        found[unquote(key.strip())] = decoded
    return found


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1
    if not 0 <= ratio <= 1:
        raise ConfigurationError("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1")
    return ratio
