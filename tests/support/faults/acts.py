"""Carries out what is planned, and puts everything back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
from aiohttp import web
from redis.asyncio import Redis

from relay.embedded import Access
from tests.support.faults.members import Member
from tests.support.faults.plan import PROCESSES, WEB, Disturbance
from tests.support.faults.store import Mood
from tests.support.faults.world import World
from tests.support.receivers import Webhook

TERMINATE: Final = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'relay' or usename like 'relay%'
"""
ENDED_SECONDS: Final = 60
READY_SECONDS: Final = 60
"""Of a process that starts, on a busy machine."""
SERVER_SECONDS: Final = 15
BALLAST_BYTES: Final = 4 * 1024 * 1024
_ENDINGS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}

_Act = Callable[[World, Disturbance], Awaitable[None]]


async def disturb(world: World, planned: Sequence[Disturbance]) -> None:
    """Carry out all of it, each at its time; come back once the last is over."""
    began = time.monotonic()

    async def carry_out(one: Disturbance) -> None:
        await asyncio.sleep(began + one.at - time.monotonic())
        try:
            await _ACTS[one.kind](world, one)
        except Exception as error:  # noqa: BLE001 - the others are carried out all the same
            world.findings.append(f"{one} could not be done: {type(error).__name__}: {error}")

    async with asyncio.TaskGroup() as group:
        for one in planned:
            group.create_task(carry_out(one))


async def put_back(world: World) -> None:
    """Nothing is disturbed any more: services run, processes say that they are ready; TimeoutError."""
    for wire in world.wires.values():
        wire.let_go()
    world.store.mood = Mood.WELL
    _ballast(world).unlink(missing_ok=True)
    for member in world.members.values():
        member.go_on()
    await _revive(world, "postgres")
    await _revive(world, "redis")
    for member in world.members.values():
        await member.until_ready(READY_SECONDS)


async def _kill(world: World, one: Disturbance) -> None:
    world.members[one.target].tell(signal.SIGKILL, one.seconds)


async def _suspend(world: World, one: Disturbance) -> None:
    member = world.members[one.target]
    member.stop()
    await asyncio.sleep(one.seconds)
    member.go_on()


async def _roll(world: World, _one: Disturbance) -> None:
    """Each process ends in order and is started again, one after the other, as in an upgrade."""
    for name in PROCESSES:
        await _restart(world.members[name], wait=name in WEB)


async def _clock(world: World, one: Disturbance) -> None:
    member = world.members[one.target]
    member.clock = one.number
    await _restart(member, wait=False)


async def _restart(member: Member, *, wait: bool) -> None:
    async with asyncio.timeout(ENDED_SECONDS):
        while not member.is_there:  # noqa: ASYNC110 - it is just being started again
            await asyncio.sleep(0.05)
        starts = member.starts
        member.tell(signal.SIGTERM)
        while member.starts == starts:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
    if wait:
        with contextlib.suppress(TimeoutError):  # something that it needs may be away meanwhile
            await member.until_ready(READY_SECONDS / 6)


async def _end_postgres(world: World, one: Disturbance) -> None:
    servers = world.running.services.servers
    assert servers is not None
    if "postgres" in servers.pids:
        await servers.end("postgres", _ENDINGS[one.kind])
    await asyncio.sleep(one.seconds)
    await _revive(world, "postgres")


async def _crash(world: World, one: Disturbance) -> None:
    """One of Postgres's own processes is killed: it ends all sessions and recovers."""
    backends = await _backends(world)
    if backends:
        with contextlib.suppress(ProcessLookupError):
            os.kill(backends[one.number % len(backends)], signal.SIGKILL)


async def _backends(world: World) -> list[int]:
    with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
        connection = await asyncpg.connect(world.database_url(), timeout=2)
        try:
            rows = await connection.fetch(
                "select pid from pg_stat_activity where usename like 'relay%' order by pid"
            )
            return [row["pid"] for row in rows]
        finally:
            await connection.close()
    return []


async def _terminate(world: World, _one: Disturbance) -> None:
    with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
        connection = await asyncpg.connect(world.database_url(), timeout=2)
        try:
            await connection.execute(TERMINATE)
        finally:
            await connection.close()


async def _cut(world: World, one: Disturbance) -> None:
    world.wires[one.target].cut()


async def _swallow(world: World, one: Disturbance) -> None:
    """What is open is never answered again, and nobody is told; new connections work."""
    world.wires[one.target].swallow()


async def _hang(world: World, one: Disturbance) -> None:
    wire = world.wires[one.target]
    wire.hold()
    await asyncio.sleep(one.seconds)
    wire.let_go()


async def _refuse(world: World, one: Disturbance) -> None:
    wire = world.wires[one.target]
    wire.refuses = True
    wire.cut()
    await asyncio.sleep(one.seconds)
    wire.let_go()


async def _mood(world: World, one: Disturbance) -> None:
    if one.target == "people":
        world.wires["people"].loses_answers = True
    else:
        world.store.mood = Mood(one.kind)
    await asyncio.sleep(one.seconds)
    if one.target == "people":
        world.wires["people"].let_go()
    else:
        world.store.mood = Mood.WELL


async def _empty(world: World, _one: Disturbance) -> None:
    url = world.running.services.accesses[Access.ADMINISTRATOR]["RELAY_REDIS_URL"]
    async with Redis.from_url(url) as redis:
        await redis.flushall()


async def _stop_redis(world: World, one: Disturbance) -> None:
    servers = world.running.services.servers
    assert servers is not None
    await servers.end("redis", signal.SIGTERM if one.number > 0 else signal.SIGKILL)
    await asyncio.sleep(one.seconds)
    await _revive(world, "redis")


async def _fill(world: World, one: Disturbance) -> None:
    """Nothing more fits on the disk of Postgres, Redis and the object store."""
    if not world.is_small:
        world.store.mood = Mood.NO_ROOM
        await asyncio.sleep(one.seconds)
        world.store.mood = Mood.WELL
        return
    ballast = _ballast(world)
    await asyncio.to_thread(_fill_up, ballast)
    await asyncio.sleep(one.seconds)
    ballast.unlink(missing_ok=True)
    await _revive(world, "postgres")
    await _revive(world, "redis")


def _ballast(world: World) -> Path:
    return world.disk / "ballast"


def _fill_up(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        left = os.statvfs(path.parent)
        os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize)
        while True:
            file.seek(0, os.SEEK_END)
            file.write(bytes(4096))


async def _revive(world: World, name: str) -> None:
    """Whoever runs a service starts it again where it has ended."""
    servers = world.running.services.servers
    assert servers is not None
    end = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < end:
        if name not in servers.pids:
            await servers.start_again(name)
            await asyncio.sleep(0.1)
        if await _answers(world, name):
            return
        await asyncio.sleep(0.1)
    world.findings.append(f"{name} could not be started again")


async def _answers(world: World, name: str) -> bool:
    given = world.running.services.accesses[Access.ADMINISTRATOR]
    try:
        if name == "redis":
            async with Redis.from_url(given["RELAY_REDIS_URL"]) as redis:
                return bool(await redis.ping())
        connection = await asyncpg.connect(given["RELAY_DATABASE_URL"], timeout=2)
        await connection.close()
    except Exception:  # noqa: BLE001 - whatever it is, it does not answer
        return False
    return True


async def _away(world: World, one: Disturbance) -> None:
    await world.host.go()
    await asyncio.sleep(one.seconds)
    await world.host.come()


async def _fail(world: World, one: Disturbance) -> None:
    async def refuse(number: int, _webhook: Webhook) -> web.Response:
        if number % 3:
            return web.Response(status=500 + number % 4)
        return await world.host.hang()

    world.host.answer = partial(refuse, abs(one.number))
    await asyncio.sleep(one.seconds)
    world.host.answer = world.host.take


_ACTS: Final[dict[str, _Act]] = {
    "kill": _kill,
    "suspend": _suspend,
    "oversleep": _suspend,
    "roll": _roll,
    "clock": _clock,
    "fast": _end_postgres,
    "immediate": _end_postgres,
    "crash": _crash,
    "terminate": _terminate,
    "cut": _cut,
    "hang": _hang,
    "swallow": _swallow,
    "refuse": _refuse,
    "empty": _empty,
    "stop": _stop_redis,
    "answer-500": _mood,
    "answer-503": _mood,
    "no-room": _mood,
    "break-bodies": _mood,
    "lose-answers": _mood,
    "disk-full": _fill,
    "away": _away,
    "fail": _fail,
}
