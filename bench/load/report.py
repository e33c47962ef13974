"""What was found beside its limits."""

from __future__ import annotations

import statistics
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from bench.load.crowd import Crowd, Expected, Found, Heard
from bench.load.gauges import Gauges
from bench.rows import Row

LETTER_SECONDS: Final = 0.15
BLOCKED_SECONDS: Final = 0.05
FEED_SECONDS: Final = 1.0
LATE_SECONDS: Final = 5.0
"""An event that comes later than this is an error."""
MEMORY_BAR: Final = 1.05
UPLOADS_BAR: Final = 0.9
"""Of what the phones give away, when nothing holds them up and none loses its connection."""
PROCESSOR_BAR: Final = 1.0
"""The load is cheap enough where both of its processes take no more than half a processor each."""


def arrivals(
    expected: Sequence[Expected], heard: Sequence[Heard]
) -> tuple[list[float], dict[str, int]]:
    """How many seconds after the answer each event came, 0 where it was there before; and what is wrong.

    An event counts from the request on: a feed may be faster than the answer.
    """
    times: defaultdict[uuid.UUID, list[float]] = defaultdict(list)
    named: defaultdict[uuid.UUID, list[list[uuid.UUID] | None]] = defaultdict(list)
    for event in sorted(heard, key=lambda event: event.at):
        times[event.who].append(event.at)
        named[event.who].append(event.what)
    took: list[float] = []
    missing = late = 0
    for one in expected:
        begin = bisect_left(times[one.who], one.asked_at)
        for at, what in zip(times[one.who][begin:], named[one.who][begin:], strict=True):
            if what is None or one.what in what:
                took.append(max(0.0, at - one.answered_at))
                late += took[-1] > LATE_SECONDS
                break
        else:
            missing += 1
    errors = {"an event did not arrive": missing, "an event came late": late}
    return took, {what: count for what, count in errors.items() if count}


def errors_of(found: Sequence[Found], events: dict[str, int], taken: int) -> dict[str, int]:
    """Everything that went wrong, by what it was; `taken`: events that the case system was sent."""
    together: defaultdict[str, int] = defaultdict(int)
    for each in (*(one.errors for one in found), events):
        for what, count in each.items():
            together[what] += count
    if not taken:
        together["the case system was told nothing"] += 1
    if not any(one.letters for one in found):
        together["no letter was sent"] += 1
    return dict(together)


def rows(
    crowd: Crowd, found: Sequence[Found], gauges: Gauges, errors: dict[str, int], told: list[float]
) -> Iterator[Row]:
    """A row for each bar."""
    letters = [seconds for one in found for seconds in one.letters]
    count = sum(errors.values())
    yield _lower("errors", count, "", "none, of whatever kind", float(count), 0.0)
    yield _limit(f"a letter is sent, p99 of {len(letters)}", p99(letters), LETTER_SECONDS)
    blocked = gauges.blocked.get("web", 0.0)
    yield _limit("the web process's event loop was blocked, at most", blocked, BLOCKED_SECONDS)
    yield _limit(f"an event reaches a live feed, p99 of {len(told)}", p99(told), FEED_SECONDS)
    sent = gauges.received_bytes / crowd.seconds
    given = crowd.phones * crowd.phone_bytes_per_second
    yield Row(
        name=f"{crowd.phones} phones send videos",
        value=sent / 2**20,
        unit="MiB/s",
        peer=f"what they give away ({given / 2**20:.1f} MiB/s)",
        ratio=sent / given,
        bar=UPLOADS_BAR,
        better="higher",
    )
    for name, memory in gauges.memory.items():
        _first, middle, last = memory.thirds()
        what = f"memory of {name} in the last third ({memory.slope():+.2f} MiB a minute)"
        yield _lower(
            what, last, "MiB", f"in the middle ({middle:.1f} MiB)", last / middle, MEMORY_BAR
        )
    processor = sum(one.processor for one in found)
    yield _lower(
        "what the load itself takes", processor, "processors", "1", processor, PROCESSOR_BAR
    )


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; the largest of a few."""
    if len(values) < 2:
        return max(values, default=0.0)
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def _limit(name: str, seconds: float, most: float) -> Row:
    peer = f"{most * 1000:.0f} ms"
    return _lower(name, seconds * 1000, "ms", peer, seconds / most, 1.0)


def _lower(name: str, value: float, unit: str, peer: str, ratio: float, bar: float) -> Row:
    return Row(name=name, value=value, unit=unit, peer=peer, ratio=ratio, bar=bar, better="lower")
