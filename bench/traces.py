"""What traces cost the web service: processor time of a request, with none, with none kept, with all sent."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from bench.rows import Row
from bench.service import service
from relay.domain.tokens import Scope
from relay.testing.people import Organization, open_case
from relay.testing.relays import (
    RunningRelay,
    free_port,
    start_process,
    stop_processes,
    until_answers,
)
from relay.tracing import spans
from relay.tracing.spans import Kind

ROUNDS: Final = 12
REQUESTS: Final = 250
"""In each round, of each process."""
CALLS: Final = 8
"""Of relay's own functions for spans in such a request: around it, at its end, and for each connection."""
TIMED: Final = 200_000
OFF_BAR: Final = 0.01
NOT_KEPT_BAR: Final = 1.15
SENT_BAR: Final = 2.5
ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
MICRO: Final = 1_000_000


async def rows() -> AsyncIterator[Row]:
    """Processor time of a request that reads a case, beside that of a process in which nobody records."""
    async with service() as (running, people), _collector() as endpoint:
        ways: dict[str, Mapping[str, str]] = {
            "off": {},
            "not kept": {ENDPOINT: endpoint, "OTEL_TRACES_SAMPLER": "always_off"},
            "sent": {ENDPOINT: endpoint},
        }
        async with _processes(running, ways) as processes:
            used = await _measure(processes, people)
    off = used["off"]
    yield Row(
        name="traces: relay's own calls where nobody records",
        value=_call_seconds() * CALLS * MICRO,
        unit="µs",
        peer=f"a request without traces ({off * MICRO:.0f} µs of a processor)",
        ratio=_call_seconds() * CALLS / off,
        bar=OFF_BAR,
        better="lower",
    )
    for way, bar in (("not kept", NOT_KEPT_BAR), ("sent", SENT_BAR)):
        yield Row(
            name=f"traces: a request whose spans are {way}",
            value=used[way] * MICRO,
            unit="µs of a processor",
            peer=f"without traces ({off * MICRO:.0f} µs)",
            ratio=used[way] / off,
            bar=bar,
            better="lower",
        )


def _call_seconds() -> float:
    """What one of these calls takes where nobody records."""
    began = time.perf_counter()
    for _ in range(TIMED):
        with spans.span("name", Kind.CLIENT, {"db.query.summary": "name"}):
            pass
    return (time.perf_counter() - began) / TIMED


@contextlib.asynccontextmanager
async def _collector() -> AsyncIterator[str]:
    """Takes whatever is sent; its address."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@contextlib.asynccontextmanager
async def _processes(
    running: RunningRelay, ways: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[dict[str, tuple[str, int]]]:
    """A web process for each way, on the same services: its address and its number."""
    processes = {}
    found = {}
    try:
        for way, variables in ways.items():
            port = free_port()
            settings = {**running.environment, **variables, "RELAY_LISTEN_PORT": str(port)}
            log = Path(running.folder) / f"traces-{port}.log"
            processes[way] = await start_process("serve", settings, log)
            url = f"http://127.0.0.1:{port}"
            await until_answers(f"{url}/readyz", processes[way], "a web service")
            found[way] = (url, processes[way].pid)
        yield found
    finally:
        await stop_processes(processes)


async def _measure(
    processes: Mapping[str, tuple[str, int]], people: Organization
) -> dict[str, float]:
    """The seconds of a processor that one request takes each process, measured by turns."""
    case = await open_case(people)
    headers = {"Authorization": f"Bearer {people.case_system.token(*Scope)}"}
    taken: dict[str, list[float]] = {way: [] for way in processes}
    async with aiohttp.ClientSession(headers=headers) as http:
        for turn in range(ROUNDS + 1):
            for way, (url, number) in processes.items():
                before = _processor_seconds(number)
                for _ in range(REQUESTS):
                    async with http.get(f"{url}/v1/cases/{case.case_id}") as answer:
                        answer.raise_for_status()
                        await answer.read()
                if turn:  # the first one warms up
                    taken[way].append((_processor_seconds(number) - before) / REQUESTS)
    return {way: statistics.median(of_one) for way, of_one in taken.items()}


def _processor_seconds(number: int) -> float:
    """What a process has used by now, of all its threads."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
