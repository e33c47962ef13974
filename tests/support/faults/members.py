"""Processes of relay that are started again whenever they end, as systemd does it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from relay.testing.relays import start_process

AGAIN_SECONDS: Final = 0.3
"""Until a process that ended by itself is started again."""
LOOK_SECONDS: Final = 0.05
_CLOCK: Final = Path(__file__).parents[3] / ".cache" / "clocks" / "usr" / "lib"


def clock_of(seconds: int) -> dict[str, str]:
    """What sets the clock of a process so many seconds apart; what it measures times with stays as it is."""
    [library] = _CLOCK.glob("*/faketime/libfaketimeMT.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
    }


@dataclasses.dataclass(slots=True, kw_only=True)
class Member:
    """One process; `keep` runs it."""

    name: str
    command: str
    environment: Mapping[str, str]
    log: Path
    processes: dict[str, asyncio.subprocess.Process]
    findings: list[str]
    is_ready: bool = False
    starts: int = 0
    clock: int = 0
    """By how many seconds its clock is ahead."""
    rests_until: float = 0
    """By the loop's clock: it is not started again before."""
    _is_told: bool = False

    async def keep(self) -> None:
        """Run it until cancelled, and start it again whenever it ends."""
        loop = asyncio.get_running_loop()
        while True:
            await self._run()
            pause = AGAIN_SECONDS if not self._is_told else 0
            await asyncio.sleep(max(pause, self.rests_until - loop.time()))

    async def _run(self) -> None:
        self.is_ready = self._is_told = False
        self.starts += 1
        place = self.log.with_suffix(".ready")
        place.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.settimeout(0)
            ready.bind(str(place))
            process = await start_process(
                self.command,
                {
                    **self.environment,
                    "NOTIFY_SOCKET": str(place),
                    **(clock_of(self.clock) if self.clock else {}),
                },
                self.log,
            )
            self.processes[self.name] = process
            listening = asyncio.create_task(self._listen(ready))
            try:
                status = await process.wait()
            finally:
                listening.cancel()
        if self.is_ready and not self._is_told:
            self.findings.append(f"{self.name} ended by itself, with {status}")
        self.is_ready = False

    async def _listen(self, ready: socket.socket) -> None:
        await asyncio.get_running_loop().sock_recv(ready, 64)
        self.is_ready = True

    @property
    def is_there(self) -> bool:
        """Whether there is a process that a signal would reach."""
        process = self.processes.get(self.name)
        return process is not None and process.returncode is None

    def tell(self, number: signal.Signals, rest_seconds: float = 0) -> None:
        """Send it a signal that ends it; it is started again after so many seconds."""
        self._is_told = True
        self.rests_until = asyncio.get_running_loop().time() + rest_seconds
        self._send(number)

    def stop(self) -> None:
        """Have it stand still."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self._send(signal.SIGCONT)

    async def until_ready(self, seconds: float) -> None:
        """Wait until it says that it works; TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self.is_ready:  # noqa: ASYNC110 - a process
                await asyncio.sleep(LOOK_SECONDS)

    def _send(self, number: signal.Signals) -> None:
        if self.is_there:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.processes[self.name].pid, number)
