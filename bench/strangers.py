"""What somebody notices of another caller who asks for as much as they can.

Everything shares this machine: the attacker, who stands for another computer, gives way to the rest, and says
how often they asked all the same. PostgreSQL and the store are part of what is measured. Of what a process
takes to become warm, the attacker's requests would have it do more at once: so it is warm before.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from bench.attacks import ATTACKS, UPLOAD_BYTES, Target
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
ATTACKED_LETTERS = 100
AT_ONCE = 8
WARM_UPS = 3
BAR = 2.0


async def rows() -> AsyncIterator[Row]:
    """The 99th percentile of a stranger's list beside each attack, over that without."""
    async with service(settings={"RELAY_ADDRESS_HEADER": "X-Real-IP"}) as (_running, people):
        attacked, *others = [await open_case(people) for _ in range(1 + STRANGERS)]
        for case in (attacked, *others):
            for _ in range(ATTACKED_LETTERS if case is attacked else LETTERS):
                await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        target = await _target(attacked)
        strangers = [case.harmed for case in others]
        await _warm_up(strangers)
        for kind in ATTACKS:
            yield await _measure(target(kind), strangers)


async def _warm_up(strangers: list[Participant]) -> None:
    """Have relay open its connections to the database, and plan each statement there once."""
    for _ in range(WARM_UPS):
        asking = (one.session.call("GET", "/v1/messages") for one in strangers * AT_ONCE)
        await asyncio.gather(*asking)


async def _measure(target: Target, strangers: list[Participant]) -> Row:
    alone: list[float] = []
    beside: list[float] = []
    asked = 0
    for _ in range(ROUNDS):
        alone.append(await _p99_ms(strangers))
        async with attack(target) as how_often:
            beside.append(await _p99_ms(strangers))
        asked += await how_often
    without, attacked_ms = statistics.median(alone), statistics.median(beside)
    return Row(
        name=f"a stranger's list beside an attack with {target.kind}, p99",
        value=attacked_ms,
        unit="ms",
        peer=f"without ({without:.1f} ms), the attacker asking {asked / (ROUNDS * SECONDS):.0f} a second",
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


async def _target(case: Case) -> Callable[[str], Target]:
    """What is attacked in the name of this case's harmed person: a draft, and a video that they sent."""
    to, sender = case.responsible.participant_id, case.harmed
    draft = address(to)
    await sender.begin_video(draft)
    plain = io.BytesIO(bytes(UPLOAD_BYTES))
    sent = await sender.send_video(to, plain, "video/mp4")
    bearer = await sender.session.bearer()
    return lambda kind: Target(
        kind=kind,
        url=sender.session.connection.url,
        bearer=bearer,
        recipient=str(to),
        draft=str(draft.message_id),
        commitment=sent.parts[0].commitment,
    )


@contextlib.asynccontextmanager
async def attack(target: Target) -> AsyncIterator[Awaitable[int]]:
    """Somebody attacks during the block; after it can be awaited how often they asked."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.attacker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the attacker cannot be told anything")
    process.stdin.write(msgspec.json.encode(target) + b"\n")
    await process.stdin.drain()
    told = process.stdout

    async def how_often() -> int:
        return int(await told.read())

    said = asyncio.create_task(how_often())
    try:
        yield said
    finally:
        process.stdin.close()
        await process.wait()
