"""The collector of traces: whether one is named as relay can read it, and whether it takes what is sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp

from relay.doctor.checks import Check, fail, ok, warn
from relay.doctor.configuration import is_secure
from relay.errors import ConfigurationError
from relay.tracing.variables import Exporting, not_read, read

ANSWER_SECONDS: Final = 5
NAME: Final = "traces"


async def check_collector(environment: Mapping[str, str]) -> list[Check]:
    """What there is to say of the variables of OpenTelemetry: nothing where no collector is named."""
    try:
        exporting = read(environment, "relay")
    except ConfigurationError as error:
        return [fail(NAME, f"{error.detail}. Correct it: relay does not start with it.")]
    if exporting is None:
        return []
    found = [await _ask(exporting)]
    if exporting.headers and not is_secure(exporting.endpoint):
        found.append(warn(NAME, "What the collector knows relay by goes by http: use https."))
    if names := not_read(environment):
        found.append(warn(NAME, f"relay does not read {', '.join(names)}. Leave them out."))
    return found


async def _ask(exporting: Exporting) -> Check:
    """Send a batch without a span, which is no bytes at all, as the traces are sent."""
    headers = {**exporting.headers, "Content-Type": "application/x-protobuf"}
    try:
        authorities = ssl.create_default_context(cafile=exporting.certificate_file)
        if exporting.client_certificate_file is not None:
            authorities.load_cert_chain(
                exporting.client_certificate_file, exporting.client_key_file
            )
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            aiohttp.ClientSession() as http,
            http.post(
                exporting.endpoint, headers=headers, ssl=authorities, allow_redirects=False
            ) as answer,
        ):
            status = answer.status
    except (OSError, TimeoutError, ValueError, aiohttp.ClientError) as error:
        return warn(
            NAME,
            f"The collector does not answer ({type(error).__name__}): relay works all the same, and its "
            "traces are lost. See OTEL_EXPORTER_OTLP_ENDPOINT, and what is on the way.",
        )
    if status == 200:  # noqa: PLR2004
        return ok(NAME, "The collector takes them.")
    return warn(
        NAME,
        f"The collector answers {status}: relay works all the same, and its traces are lost. The address is "
        "that of OTLP over HTTP, mostly port 4318; see the headers, where it asks for some.",
    )
