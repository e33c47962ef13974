"""Whether two requests can be told apart by how long their answers take.

Both are sent in turn, in an order that is drawn each time, and a third one, which is the first once more,
with them: what disturbs the machine disturbs all three. Two clocks are read: that on the wall, and what the
processors did for relay and its database, which another load on the machine hardly moves. Of each, two things
are looked at with the interval in which they lie but for one in a thousand, by order statistics, which ask
nothing of how times are distributed: the median of what one takes more than the other of the same round, and
the difference of what the least tenth of each takes. Requests are told apart where the whole of such an
interval lies beyond the smallest effect that counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import math
import random
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

SMALLEST_SECONDS: Final = 50e-6
"""Less than that is lost on the way to anybody who is not in the same machine."""
SMALLEST_SHARE: Final = 0.05
"""Of what the first takes."""
LEAST: Final = 0.1
SETTLES_SECONDS: Final = 0.002
"""In which relay is done with what follows an answer, such as the line of the log."""
_NORMAL: Final = statistics.NormalDist().inv_cdf(1 - 0.001 / 2)

Request: TypeAlias = Callable[[], Awaitable[object]]
Clock: TypeAlias = Callable[[], float]


def work_of(thread: threading.Thread, processes: Sequence[int]) -> Clock:
    """The seconds that processors spent on a thread of this process, and on other processes."""
    assert thread.ident is not None
    own = time.pthread_getcpuclockid(thread.ident)
    files = [Path(f"/proc/{process}/schedstat") for process in processes]

    def read() -> float:
        spent = time.clock_gettime(own)
        for file in files:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                spent += int(file.read_text().split()[0]) / 1e9
        return spent

    return read


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much more one takes than another, in seconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of_rounds(cls, one: Sequence[float], other: Sequence[float]) -> Difference:
        """The median of the difference in one round."""
        return _quantile([b - a for a, b in zip(one, other, strict=True)], 0.5)

    @classmethod
    def of_least(cls, one: Sequence[float], other: Sequence[float]) -> Difference:
        """The difference of the least of each."""
        before, after = _quantile(one, LEAST), _quantile(other, LEAST)
        return cls(
            median=after.median - before.median,
            low=after.low - before.high,
            high=after.high - before.low,
        )

    def __str__(self) -> str:
        return "{:+.0f} ({:+.0f} to {:+.0f})".format(
            *(value * 1e6 for value in (self.median, self.low, self.high))
        )


def _quantile(values: Sequence[float], share: float) -> Difference:
    """A quantile, and where it lies."""
    ordered, count = sorted(values), len(values)
    at, reach = share * count, _NORMAL * math.sqrt(count * share * (1 - share))
    low, high = max(0, math.floor(at - reach)), min(count - 1, math.ceil(at + reach))
    return Difference(median=ordered[int(at)], low=ordered[low], high=ordered[high])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one clock says of a pair."""

    seconds: float
    """What the first takes: the median."""
    other: Sequence[Difference]
    """Of the second: in one round, and of the least."""
    same: Sequence[Difference]
    """The same of the first, beside itself."""

    @classmethod
    def of(cls, taken: Mapping[str, Sequence[float]]) -> Measured:
        """By what each request took."""
        one, other, same = taken["one"], taken["other"], taken["same"]
        return cls(
            seconds=statistics.median(one),
            other=[Difference.of_rounds(one, other), Difference.of_least(one, other)],
            same=[Difference.of_rounds(one, same), Difference.of_least(one, same)],
        )

    @property
    def smallest(self) -> float:
        """The smallest effect that counts, in seconds."""
        return max(SMALLEST_SECONDS, SMALLEST_SHARE * self.seconds)

    @property
    def tells(self) -> bool:
        """Whether the two are told apart, where the first is not told from itself."""
        return self._differ(self.other) and not self._differ(self.same)

    def _differ(self, differences: Sequence[Difference]) -> bool:
        return any(one.low > self.smallest or one.high < -self.smallest for one in differences)

    def __str__(self) -> str:
        other, same = (", least ".join(map(str, of)) for of in (self.other, self.same))
        counts = f"{self.smallest * 1e6:.0f} counts"
        return f"{self.seconds * 1e6:.0f} µs; the other {other}; itself {same}; {counts}"


async def compare(
    one: Request, other: Request, rounds: int, chance: random.Random, work: Clock
) -> Mapping[str, Measured]:
    """Measure a pair by each clock: so many rounds, after some that do not count."""
    names = ["one", "other", "same"]
    requests = {"one": one, "other": other, "same": one}
    wall: dict[str, list[float]] = {name: [] for name in names}
    worked: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for warm in range(-max(3, rounds // 20), rounds):
            chance.shuffle(names)
            for name in names:
                spent, began = work(), time.perf_counter()
                await requests[name]()
                ended = time.perf_counter()
                await asyncio.sleep(SETTLES_SECONDS)
                if warm >= 0:
                    wall[name].append(ended - began)
                    worked[name].append(work() - spent)
    finally:
        gc.enable()
    return {"on the wall": Measured.of(wall), "in work": Measured.of(worked)}
