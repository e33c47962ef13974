"""Processes of relay that are killed, told to end or suspended while people work with them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from relay.testing.relays import RunningRelay, start_process, until_answers

Way = Literal["kill", "terminate", "suspend"]

WAYS: Final[tuple[Way, ...]] = ("kill", "terminate", "suspend")
PAUSE_SECONDS: Final = (1.0, 3.0)
SUSPENDED_SECONDS: Final = (1.0, 4.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of several processes; it is started again whenever it was ended."""

    name: str
    """In `processes`."""
    command: str
    environment: Mapping[str, str]
    log: Path
    processes: dict[str, asyncio.subprocess.Process]
    answers_at: str | None = None
    """Where it says that it is ready; None where it serves nothing."""

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        process = await start_process(self.command, self.environment, self.log)
        self.processes[self.name] = process
        if self.answers_at is not None:
            await until_answers(self.answers_at, process, self.name)

    async def disturb(self, way: Way, chance: random.Random) -> None:
        """Come back once it works again."""
        process = self.processes[self.name]
        if way == "suspend":
            process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(chance.uniform(*SUSPENDED_SECONDS))
            finally:
                process.send_signal(signal.SIGCONT)
            return
        process.send_signal(signal.SIGKILL if way == "kill" else signal.SIGTERM)
        await process.wait()
        await self.start()


def web_member(running: RunningRelay, name: str, port: int) -> Member:
    """A web process of this relay, on a port of its own."""
    return Member(
        name=name,
        command="serve",
        environment={**running.of_processes["web"], "RELAY_LISTEN_PORT": str(port)},
        log=running.folder / f"{name}.log",
        processes=running.processes,
        answers_at=f"http://127.0.0.1:{port}/readyz",
    )


def worker_member(running: RunningRelay, name: str) -> Member:
    """A worker of this relay."""
    return Member(
        name=name,
        command="worker",
        environment=running.of_processes["worker"],
        log=running.folder / f"{name}.log",
        processes=running.processes,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Disturbance:
    """What was done to whom, and how many seconds after the first process ran."""

    seconds: float
    member: str
    way: Way


@contextlib.asynccontextmanager
async def disturbed(
    members: Sequence[Member], chance: random.Random
) -> AsyncIterator[list[Disturbance]]:
    """Disturb one member after the other during the block, each in every way; what was done so far.

    The block ends with an error where one of them does not start again.
    """
    done: list[Disturbance] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_disturb(members, chance, done))
        yield done
        task.cancel()


async def _disturb(
    members: Sequence[Member], chance: random.Random, done: list[Disturbance]
) -> None:
    began = time.monotonic()
    while True:
        rounds = list(itertools.product(members, WAYS))
        chance.shuffle(rounds)
        for member, way in rounds:
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
            done.append(Disturbance(round(time.monotonic() - began, 1), member.name, way))
            await member.disturb(way, chance)
