"""How late the event loop comes to its work, and for how long relay itself kept it from that.

What the machine gave to other processes meanwhile is known to Linux, and counts as lateness alone: nothing in
relay is to be mended for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from relay import metrics

LAG_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.01
"""Between two looks: so much of a block may be missed, as it began after one."""
REMEMBERED_SECONDS: Final = 60.0
"""For so long the longest block is told: longer than Prometheus waits between two scrapes."""
TOLD_SECONDS: Final = 0.25
"""A block of this length stands in the log."""

_OF_THREAD: Final = Path("/proc/thread-self/schedstat")
_NANOSECONDS: Final = 1e9
_READ_BYTES: Final = 128

_log = logging.getLogger(__name__)


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """What Linux says of a thread since its start, in seconds."""

    worked: float
    """On a processor."""
    waited: float
    """Ready to work, while no processor was free for it."""


class Blocks:
    """The longest block of the last minute."""

    def __init__(self, *, seconds: float = REMEMBERED_SECONDS) -> None:
        self._seconds = seconds
        self._longest: deque[tuple[float, float]] = deque()
        """When and how long, each longer than all that came after it."""

    def note(self, at: float, length: float) -> None:
        """One that ended `at`, by a clock of seconds that never goes back."""
        while self._longest and self._longest[-1][1] <= length:
            self._longest.pop()
        self._longest.append((at, length))
        self._forget(at)

    def longest(self, now: float) -> float:
        """In seconds; 0 where there was none."""
        self._forget(now)
        return self._longest[0][1] if self._longest else 0.0

    def _forget(self, now: float) -> None:
        while self._longest and self._longest[0][0] < now - self._seconds:
            self._longest.popleft()


class LoopWatch:
    """Looks at the event loop that it runs in."""

    def __init__(self) -> None:
        self._blocks = Blocks()

    def longest_block(self) -> float:
        """For how long, at most, relay kept its loop from its work within the last minute, in seconds."""
        return self._blocks.longest(time.monotonic())

    async def run(self) -> None:
        """Look until cancelled."""
        with scheduling() as scheduled:
            before = scheduled()
            while True:
                due = time.monotonic() + LOOK_SECONDS
                await asyncio.sleep(LOOK_SECONDS)
                now, after = time.monotonic(), scheduled()
                own = max(0.0, now - due - (after.waited - before.waited))
                self._blocks.note(now, own)
                if own >= TOLD_SECONDS:
                    worked = after.worked - before.worked
                    _log.warning("the event loop was blocked: %.3f s, %.3f s at work", own, worked)
                before = after


async def measure_lag() -> None:
    """See how late the event loop comes back to this."""
    while True:
        due = time.monotonic() + LAG_SECONDS
        await asyncio.sleep(LAG_SECONDS)
        metrics.LOOP_LAG.observe(max(0.0, time.monotonic() - due))


@contextlib.contextmanager
def scheduling() -> Iterator[Callable[[], Scheduled]]:
    """Gives what asks Linux about the thread that enters here; where it cannot say, nothing ever waited."""
    try:
        file = os.open(_OF_THREAD, os.O_RDONLY)
    except OSError:
        yield lambda: Scheduled(worked=0.0, waited=0.0)
        return
    try:
        yield lambda: _read(os.pread(file, _READ_BYTES, 0))
    finally:
        os.close(file)


def _read(line: bytes) -> Scheduled:
    worked, waited, _turns = line.split()
    return Scheduled(worked=int(worked) / _NANOSECONDS, waited=int(waited) / _NANOSECONDS)
