"""Whether two requests can be told apart by how long their answers take.

Both are sent in turn, in an order that is drawn each time, and a third one, which is the first once more,
with them: what disturbs the machine disturbs all three. Two things are looked at, each with the interval in
which it lies but for one in a thousand, by order statistics, which ask nothing of how times are distributed:
the median of what one takes longer than the other of the same round, and the difference of what the fastest
tenth of each takes, which another load on the machine hardly moves. They are told apart where the whole of
such an interval lies beyond the smallest effect that counts.
"""

from __future__ import annotations

import dataclasses
import gc
import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

SMALLEST_SECONDS: Final = 50e-6
"""Less than that is lost on the way to anybody who is not in the same machine."""
SMALLEST_SHARE: Final = 0.05
"""Of what the first takes."""
_NORMAL: Final = statistics.NormalDist().inv_cdf(1 - 0.001 / 2)

FASTEST: Final = 0.1

Request: TypeAlias = Callable[[], Awaitable[object]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much longer one takes than another, in seconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of_rounds(cls, one: Sequence[float], other: Sequence[float]) -> Difference:
        """The median of the difference in one round."""
        return _quantile([b - a for a, b in zip(one, other, strict=True)], 0.5)

    @classmethod
    def of_fastest(cls, one: Sequence[float], other: Sequence[float]) -> Difference:
        """The difference of the fastest of each."""
        before, after = _quantile(one, FASTEST), _quantile(other, FASTEST)
        return cls(
            median=after.median - before.median,
            low=after.low - before.high,
            high=after.high - before.low,
        )

    def __str__(self) -> str:
        shown = (f"{value * 1e6:+.0f}" for value in (self.median, self.low, self.high))
        return "{} µs ({} to {})".format(*shown)


def _quantile(values: Sequence[float], share: float) -> Difference:
    """A quantile, and where it lies."""
    ordered, count = sorted(values), len(values)
    at, reach = share * count, _NORMAL * math.sqrt(count * share * (1 - share))
    low, high = max(0, math.floor(at - reach)), min(count - 1, math.ceil(at + reach))
    return Difference(median=ordered[int(at)], low=ordered[low], high=ordered[high])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was measured of a pair."""

    rounds: int
    seconds: float
    """What the first takes: the median."""
    other: Sequence[Difference]
    """Of the second: in one round, and of the fastest."""
    same: Sequence[Difference]
    """The same of the first, beside itself."""

    @property
    def smallest(self) -> float:
        """The smallest effect that counts, in seconds."""
        return max(SMALLEST_SECONDS, SMALLEST_SHARE * self.seconds)

    def tells(self, differences: Sequence[Difference]) -> bool:
        """Whether they are told apart by one of these."""
        return any(one.low > self.smallest or one.high < -self.smallest for one in differences)

    def __str__(self) -> str:
        other, same = (", fastest ".join(map(str, of)) for of in (self.other, self.same))
        counts = f"{self.smallest * 1e6:.0f} µs count"
        return f"{self.seconds * 1e3:.2f} ms; the other {other}; itself {same}; {counts}"


async def compare(one: Request, other: Request, rounds: int, chance: random.Random) -> Comparison:
    """Measure a pair: so many rounds, after some that do not count."""
    taken: dict[str, list[float]] = {"one": [], "other": [], "same": []}
    requests = {"one": one, "other": other, "same": one}
    order = list(requests)
    for warm in range(-max(3, rounds // 20), rounds):
        chance.shuffle(order)
        for name in order:
            gc.disable()
            began = time.perf_counter()
            await requests[name]()
            ended = time.perf_counter()
            gc.enable()
            if warm >= 0:
                taken[name].append(ended - began)

    def beside(name: str) -> list[Difference]:
        both = (taken["one"], taken[name])
        return [Difference.of_rounds(*both), Difference.of_fastest(*both)]

    return Comparison(
        rounds=rounds,
        seconds=statistics.median(taken["one"]),
        other=beside("other"),
        same=beside("same"),
    )
