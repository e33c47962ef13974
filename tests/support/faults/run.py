"""One run: people at work, everything disturbed, everything put back, everything looked at."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from relay.testing.people import open_case
from tests.support.faults import acts
from tests.support.faults.browser import chromium, sender
from tests.support.faults.checks import check
from tests.support.faults.items import Item, Pages, Story, draw
from tests.support.faults.patience import Patience
from tests.support.faults.plan import Disturbance, plan
from tests.support.faults.world import World, world
from tests.support.videos import make_video

CASES: Final = 2
SETTLE_SECONDS: Final = 60
"""In which all is over once everything was put back, on a busy machine too."""
DELIVER_SECONDS: Final = 20
FREE_BYTES: Final = 9 * 1024 * 1024
"""Added to one film, so that its upload has two segments."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a run."""

    seed: int
    planned: Sequence[Disturbance]
    items: int
    acknowledged: int
    broken: int
    """Attempts of people that had no answer, or one of 5xx."""
    seconds: float
    findings: Sequence[str]

    def __str__(self) -> str:
        """In one line."""
        kinds = collections.Counter(f"{one.kind}:{one.target}" for one in self.planned)
        said = " ".join(f"{name}x{count}" if count > 1 else name for name, count in kinds.items())
        found = "; ".join(self.findings) or "nothing found"
        return (
            f"seed {self.seed}: {len(self.planned)} disturbances ({said}), {self.items} items, "
            f"{self.acknowledged} acknowledged, {self.broken} broken attempts, {self.seconds:.0f} s: {found}"
        )


def films(folder: Path) -> list[Path]:
    """Two short films, one with a second segment that holds nothing."""
    small = make_video(folder, 1, size="160x90")
    large = folder / "large.mp4"
    chance = random.Random(0)  # noqa: S311 - bytes that do not repeat
    free = (FREE_BYTES + 8).to_bytes(4, "big") + b"free" + chance.randbytes(FREE_BYTES)
    large.write_bytes(small.read_bytes() + free)
    return [small, large]


async def run(seed: int, *, keep: Path | None = None) -> Outcome:
    """Everything that a seed stands for; `keep`: a folder for the logs, where something was found."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - no secret
    planned = plan(chance)
    with tempfile.TemporaryDirectory(prefix="relay-films-") as name:
        async with world() as relay:
            patience = Patience(relay.findings)
            cases = [await open_case(relay.people) for _ in range(CASES)]
            items = draw(chance, cases, films(Path(name)))
            async with at_pages(relay, items) as pages:
                await carry_through(relay, items, planned, patience, Path(name), pages)
            relay.findings.extend(await check(relay, items))
            if relay.findings and keep is not None:
                _keep_logs(relay, keep / str(seed))
    return Outcome(
        seed=seed,
        planned=planned,
        items=len(items),
        acknowledged=sum(item.is_acknowledged for item in items),
        broken=patience.broken,
        seconds=time.monotonic() - began,
        findings=relay.findings,
    )


@contextlib.asynccontextmanager
async def at_pages(relay: World, items: Sequence[Item]) -> AsyncIterator[dict[int, Pages]]:
    """By number, the pages of items that are sent in a browser; what these leave or let out is found."""
    drawn = frozenset(item.message_id for item in items)
    found: dict[int, Pages] = {}
    async with contextlib.AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        for item in items:
            if item.is_at_pages:
                case = item.case
                url = case.harmed_url if item.author is case.harmed else case.responsible_url
                entered = sender(browser, relay.people.connection.url, url, relay.findings)
                found[item.number] = Pages(
                    sender=await stack.enter_async_context(entered), drawn=drawn
                )
        yield found


async def carry_through(
    relay: World,
    items: Sequence[Item],
    planned: Sequence[Disturbance],
    patience: Patience,
    folder: Path,
    pages: Mapping[int, Pages],
) -> None:
    """Tell every item's story while everything is disturbed, and a while longer."""
    stories = {
        asyncio.create_task(Story(one, patience, folder, pages.get(one.number)).tell()): one
        for one in items
    }
    try:
        await acts.disturb(relay, planned)
        try:
            await acts.put_back(relay)
        except TimeoutError:
            relay.findings.append("a process does not find its services again")
        await asyncio.wait(stories, timeout=SETTLE_SECONDS)
    finally:
        for story in stories:
            story.cancel()
        ended = await asyncio.gather(*stories, return_exceptions=True)
    for item, end in zip(stories.values(), ended, strict=True):
        if isinstance(end, asyncio.CancelledError):
            relay.findings.append(f"stuck: {item} after {SETTLE_SECONDS} seconds")
        elif end is not None:
            relay.findings.append(f"{item}: {type(end).__name__}: {end}")
    await _delivered(relay)


async def _delivered(relay: World) -> None:
    """Wait until the case system has every event, also what waits for a receiver that was away."""
    latest = 0
    while (page := await relay.people.case_system.events(latest)).events:
        latest = page.next
    ids = {event["id"] for event in (webhook.event for webhook in relay.host.taken)}
    end = time.monotonic() + DELIVER_SECONDS
    while time.monotonic() < end:
        ids = {webhook.event["id"] for webhook in relay.host.taken}
        receivers = await relay.people.case_system.receivers()
        if latest in ids and not any(one.cases_waiting for one in receivers.receivers):
            return
        await asyncio.sleep(0.3)


def _keep_logs(relay: World, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for log in [*relay.folder.glob("*.log"), *(relay.disk / "logs").glob("*.log")]:
        shutil.copy(log, folder / log.name)
