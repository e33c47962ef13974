"""What is seen of the processes of relay while people are at work."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from statistics import fmean, linear_regression
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from relay.settings import MIB

EVERY_SECONDS: Final = 1.0
SCRAPED_EVERY_SECONDS: Final = 5.0

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(slots=True)
class Memory:
    """The resident memory of a process, as often as it was looked at."""

    at: list[float] = dataclasses.field(default_factory=list)
    mib: list[float] = dataclasses.field(default_factory=list)

    def thirds(self) -> list[float]:
        """What it was on average in the first, the middle and the last third of the time, in MiB."""
        first, last = self.at[0], self.at[-1]
        third = (last - first) / 3
        parts: list[list[float]] = [[], [], []]
        for at, mib in zip(self.at, self.mib, strict=True):
            parts[min(2, int((at - first) / third))].append(mib)
        return [fmean(part) for part in parts]

    def slope(self) -> float:
        """By how many MiB it grew in a minute, from the first third on."""
        begins = self.at[0] + (self.at[-1] - self.at[0]) / 3
        kept = [pair for pair in zip(self.at, self.mib, strict=True) if pair[0] >= begins]
        slope: float = linear_regression(*zip(*kept, strict=True)).slope
        return slope * 60


@dataclasses.dataclass(slots=True)
class Gauges:
    """What was seen of all processes."""

    memory: dict[str, Memory] = dataclasses.field(default_factory=dict)
    blocked: dict[str, float] = dataclasses.field(default_factory=dict)
    """The longest block of each event loop, in seconds."""
    late: dict[float, float] = dataclasses.field(default_factory=dict)
    """How often the loop of the web process came no later than so many seconds."""
    received_bytes: float = 0
    """Of videos, by the web process."""
    processor: dict[str, float] = dataclasses.field(default_factory=dict)
    """Of one processor, what each process took."""
    waited: dict[str, float] = dataclasses.field(default_factory=dict)
    """Of the time, for how much of it each was ready to work and had no processor."""


@contextlib.asynccontextmanager
async def gauged(pids: Mapping[str, int], metrics: Mapping[str, str]) -> AsyncIterator[Gauges]:
    """Look at the processes during the block; `metrics` has the addresses at which they are scraped."""
    gauges = Gauges(memory={name: Memory() for name in pids})
    async with aiohttp.ClientSession() as http:
        await _scrape(http, metrics, before := Gauges())
        worked = {name: _worked(pid) for name, pid in pids.items()}
        waited = {name: _waited(pid) for name, pid in pids.items()}
        began = time.monotonic()
        looking = [
            asyncio.create_task(_look(pids, gauges)),
            asyncio.create_task(_keep_scraping(http, metrics, gauges)),
        ]
        try:
            yield gauges
        finally:
            for task in looking:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)
        seconds = time.monotonic() - began
        gauges.processor = {
            name: (_worked(pid) - worked[name]) / seconds for name, pid in pids.items()
        }
        gauges.waited = {
            name: (_waited(pid) - waited[name]) / seconds for name, pid in pids.items()
        }
        await _scrape(http, metrics, gauges)
        gauges.received_bytes -= before.received_bytes


async def _look(pids: Mapping[str, int], gauges: Gauges) -> None:
    while True:
        for name, pid in pids.items():
            gauges.memory[name].at.append(time.monotonic())
            gauges.memory[name].mib.append(_resident(pid))
        await asyncio.sleep(EVERY_SECONDS)


async def _keep_scraping(
    http: aiohttp.ClientSession, metrics: Mapping[str, str], gauges: Gauges
) -> None:
    while True:
        await asyncio.sleep(SCRAPED_EVERY_SECONDS)
        await _scrape(http, metrics, gauges)


async def _scrape(http: aiohttp.ClientSession, metrics: Mapping[str, str], gauges: Gauges) -> None:
    for name, address in metrics.items():
        async with http.get(f"http://{address}/metrics", raise_for_status=True) as answer:
            text = await answer.text()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "relay_event_loop_blocked_seconds":
                    longest = max(gauges.blocked.get(name, 0.0), sample.value)
                    gauges.blocked[name] = longest
                if sample.name == "relay_upload_received_bytes_total" and name == "web":
                    gauges.received_bytes = sample.value
                if sample.name == "relay_event_loop_lag_seconds_bucket" and name == "web":
                    gauges.late[float(sample.labels["le"])] = sample.value


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_BYTES / MIB


def _worked(pid: int) -> float:
    """Seconds on a processor since the start."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _waited(pid: int) -> float:
    """Seconds that its first thread was ready to work while no processor was free for it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9
