"""One load run: the stage, the people in a process of their own, and what both of them showed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import msgspec

from bench.load.crowd import Crowd, Found, Orders
from bench.load.gauges import Gauges, gauged
from bench.load.report import arrivals, errors_of, p99, rows
from bench.load.stage import Stage, stage
from bench.rows import Row
from relay.testing.relays import stop_processes


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a run showed."""

    rows: list[Row]
    errors: dict[str, int]
    """What went wrong, and how often."""
    notes: list[str]
    """What is good to know beside the rows."""


class Broken(Exception):
    """The people could not be at work to the end."""


async def load(crowd: Crowd, *, web_module: str = "relay", kept: Path | None = None) -> Load:
    """Let this crowd be at work; `kept`: a folder for the logs of the processes of relay.

    Broken where the people's own program ends before its time.
    """
    async with stage(crowd, web_module) as here:
        try:
            found, gauges = await _at_work(crowd, here)
        finally:
            if kept is not None:
                _keep_logs(here, kept)
        told, events = arrivals(
            [expected for one in found for expected in one.expected],
            [heard for one in found for heard in one.heard],
        )
        errors = errors_of(found, events, here.receiver.taken)
        return Load(
            rows=list(rows(crowd, found, gauges, errors, told)),
            errors=errors,
            notes=list(_notes(found, gauges, here.receiver.taken)),
        )


async def _at_work(crowd: Crowd, here: Stage) -> tuple[list[Found], Gauges]:
    files = [here.running.folder / f"{name}.found" for name in ("writing", "reviewing")]
    organization = here.running.folder / "organization"
    orders = Orders(
        crowd=crowd,
        url=here.running.url,
        root_seed=here.running.root.seed,
        token_key=str(organization / "case-system.pem"),
        signing_key=str(organization / "service.keys"),
        films=[str(film) for film in here.films],
        found=[str(file) for file in files],
    )
    async with _people(orders) as said:
        await _until(said, "opened")
        await _until(said, "begun")
        async with gauged(here.pids, here.metrics) as gauges:
            await _until(said, "ended")
        await said.read()
    if not all(file.exists() for file in files):
        raise Broken("they did not say what they found")
    return [msgspec.json.decode(file.read_bytes(), type=Found) for file in files], gauges


@contextlib.asynccontextmanager
async def _people(orders: Orders) -> AsyncIterator[asyncio.StreamReader]:
    """All people, until the end of the block at most; what their program says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load.people"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise Broken("they cannot be spoken to")
    process.stdin.write(msgspec.json.encode(orders) + b"\n")
    try:
        yield process.stdout
    finally:
        process.stdin.close()
        await stop_processes({"people": process})


async def _until(said: asyncio.StreamReader, word: str) -> None:
    if (await said.readline()).strip() != word.encode():
        raise Broken(f"they have not {word}")


def _notes(found: list[Found], gauges: Gauges, taken: int) -> Iterator[str]:
    writing, reviewing = found
    yield (
        f"{len(writing.letters)} letters, {reviewing.read} of them opened by who they are for; "
        f"{writing.uploads} videos in {gauges.received_bytes / 2**20:.0f} MiB, {writing.broken_off} "
        f"connections lost on the way; {writing.verified} of both there at the end, as they were sent"
    )
    acts = ", ".join(f"{count} {act}" for act, count in sorted(reviewing.reviewed.items()))
    yield f"mediators: {acts}; the case system was sent {taken} events"
    own = f"the load {writing.processor:.2f} and {reviewing.processor:.2f}"
    yield f"processors: {_list(gauges.processor)}; {own}"
    yield f"ready to work, and without a processor: {_list(gauges.waited)} of the time"
    yield f"blocked, at most, in ms: {_list(gauges.blocked, 1000)}"
    if writing.letters:
        yield (
            f"letters: p50 {_p50(writing.letters):.0f} ms, p99 {p99(writing.letters) * 1000:.0f} ms, "
            f"at most {max(writing.letters) * 1000:.0f} ms"
        )


def _list(values: Mapping[str, float], times: float = 1) -> str:
    return ", ".join(f"{name} {value * times:.2f}" for name, value in values.items())


def _p50(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2] * 1000


def _keep_logs(here: Stage, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for log in here.running.folder.glob("*.log"):
        (kept / log.name).write_bytes(log.read_bytes())
