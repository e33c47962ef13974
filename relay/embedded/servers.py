"""The supervisor's side of the guard: starts servers through it and waits until they answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from relay.decoding import decode_json
from relay.embedded import guard
from relay.embedded.errors import ServerFailed

READY_SECONDS = 60.0
POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 2000
R = TypeVar("R")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the guard: a server got this process id, or ended with this status."""

    name: str
    pid: int = 0
    status: int | None = None


class Servers:
    """The servers that the guard runs for this process."""

    def __init__(self, process: Process) -> None:
        """`process` is the guard."""
        self.process = process
        self.pids: dict[str, int] = {}
        self._ended: dict[str, asyncio.Future[int]] = {}
        self._orders: dict[str, guard.Order] = {}

    async def start(
        self,
        name: str,
        argv: list[str],
        *,
        log: Path,
        environment: dict[str, str] | None = None,
        given: Path = Path("/dev/null"),
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Have the guard start a program that reads `given` on its standard input."""
        order = guard.Order(
            name=name,
            argv=argv,
            environment={
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C",
                "TZ": "UTC",
                **(environment or {}),
            },
            input=str(given),
            log=str(log),
            stop_signal=stop_signal,
        )
        await self._give(order)

    async def start_again(self, name: str) -> None:
        """Start a server that has ended as it was started before; what asks it finds out when it answers."""
        await self._give(self._orders[name])

    async def end(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a server, and wait until it has ended."""
        os.kill(self.pids[name], number)
        await asyncio.shield(self._ended[name])

    async def _give(self, order: guard.Order) -> None:
        """Hand an order to the guard."""
        name = order["name"]
        self._ended[name] = asyncio.get_running_loop().create_future()
        self._orders[name] = order
        if self.process.stdin is None or self.process.stdin.is_closing():
            raise ServerFailed("the guard has ended")
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        await self.process.stdin.drain()

    async def finished(self, name: str) -> None:
        """Wait until this program is done; ServerFailed unless it ended well."""
        if await asyncio.shield(self._ended[name]) != 0:
            raise self._failure(name)

    async def ready(self, name: str, answer: Callable[[], Awaitable[R | None]]) -> R:
        """Ask until there is an answer; ServerFailed if the server ends or stays silent."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while not self._ended[name].done():
                    answered = await answer()
                    if answered is not None:
                        return answered
                    await asyncio.sleep(POLL_SECONDS)
        raise self._failure(name)

    async def first_ended(self) -> str:
        """Wait until one of the servers that still run ends; its name."""
        running = {future: name for name, future in self._ended.items() if not future.done()}
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        return running[done.pop()]

    async def listen(self) -> None:
        """Take in what the guard says until it ends."""
        lines = self.process.stdout
        while lines is not None and (line := await lines.readline()):
            reply = decode_json(line, Reply)
            if reply.status is None:
                self.pids[reply.name] = reply.pid
            else:
                self.pids.pop(reply.name, None)
                self._end(reply.name, reply.status)
        for name in self._ended:
            self._end(name, -signal.SIGKILL)

    def _end(self, name: str, status: int) -> None:
        if not self._ended[name].done():
            self._ended[name].set_result(status)

    def _failure(self, name: str) -> ServerFailed:
        """What the server said last."""
        log = Path(self._orders[name]["log"])
        ended = self._ended[name]
        how = f"ended with status {ended.result()}" if ended.done() else "does not answer"
        said = log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return ServerFailed(f"{name} {how}, see {log}: {said.rpartition(chr(10))[2]}")


@contextlib.asynccontextmanager
async def guarded(lock: int) -> AsyncIterator[Servers]:
    """Run a guard that holds `lock`; it stops its servers when the block, or this process, ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", guard.__file__, str(lock)),
        stdin=PIPE,
        stdout=PIPE,
        pass_fds=(lock,),
        start_new_session=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    servers = Servers(process)
    listening = asyncio.create_task(servers.listen())
    try:
        yield servers
    finally:
        await _outlast(asyncio.create_task(_left(process, listening)))


async def _left(process: Process, listening: asyncio.Task[None]) -> None:
    """Order the guard to stop its servers and wait until it did."""
    if process.stdin is not None:
        process.stdin.close()
        with contextlib.suppress(OSError):
            await process.stdin.wait_closed()
    await process.wait()
    await listening


async def _outlast(task: asyncio.Task[None]) -> None:
    """Await a task to its end; a cancellation that comes meanwhile is raised afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
