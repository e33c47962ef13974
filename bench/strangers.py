"""What somebody notices of another caller who asks for as much as they can."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator

import msgspec

from bench.attacker import ATTACKS, Target
from bench.rows import Row
from bench.service import service
from relay.client.participant import Participant
from relay.client.writing import address
from relay.testing.people import Case, open_case

SECONDS = 20
ROUNDS = 2
STRANGERS = 4
"""Who ask by turns, so that none of them comes near a limit."""
EVERY_SECONDS = 0.02
LETTERS = 10
AT_ONCE = 8
BAR = 2.0


async def rows() -> AsyncIterator[Row]:
    """The 99th percentile of a stranger's list beside each attack, over that without."""
    async with service(settings={"RELAY_ADDRESS_HEADER": "X-Real-IP"}) as (_running, people):
        attacked, *others = [await open_case(people) for _ in range(1 + STRANGERS)]
        for case in (attacked, *others):
            for _ in range(LETTERS):
                await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        strangers = [case.harmed for case in others]
        await _warm_up(strangers)
        for kind in ATTACKS:
            yield await _measure(kind, attacked, strangers)


async def _warm_up(strangers: list[Participant]) -> None:
    """Have relay open its connections to the database, and plan each statement there once."""
    for _ in range(3):
        asking = (one.session.call("GET", "/v1/messages") for one in strangers * AT_ONCE)
        await asyncio.gather(*asking)


async def _measure(kind: str, attacked: Case, strangers: list[Participant]) -> Row:
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        alone.append(await _p99_ms(strangers))
        async with attack(kind, attacked):
            beside.append(await _p99_ms(strangers))
    without, attacked_ms = statistics.median(alone), statistics.median(beside)
    return Row(
        name=f"a stranger's list beside an attack with {kind}, p99",
        value=attacked_ms,
        unit="ms",
        peer=f"without ({without:.1f} ms)",
        ratio=attacked_ms / without,
        bar=BAR,
        better="lower",
    )


async def _p99_ms(strangers: list[Participant]) -> float:
    took: list[float] = []
    until = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < until:
        await strangers[len(took) % len(strangers)].session.call("GET", "/v1/messages")
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY_SECONDS)
    return statistics.quantiles(took, n=100)[98]


@contextlib.asynccontextmanager
async def attack(kind: str, case: Case) -> AsyncIterator[None]:
    """Somebody of this case attacks during the block."""
    signed, to = case.harmed.session, case.responsible.participant_id
    draft = address(to, message_id=uuid.uuid4())
    await case.harmed.begin_video(draft)
    target = Target(
        kind=kind,
        url=signed.connection.url,
        bearer=await signed.bearer(),
        recipient=str(to),
        draft=str(draft.message_id),
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.attacker"), stdin=asyncio.subprocess.PIPE
    )
    given = process.stdin
    if given is None:
        raise RuntimeError("the attacker cannot be told anything")
    given.write(msgspec.json.encode(target) + b"\n")
    await given.drain()
    try:
        yield
    finally:
        given.close()
        await process.wait()
