"""Counts within a minute, in this process alone, and forgets all of it when the minute is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final

WINDOW_SECONDS: Final = 60
MOST: Final = 100_000
"""Of so many it is counted how often they came; further ones share one count, so that memory is bounded."""

_FURTHER: Final = object()


class Minutes:
    """How often each subject came in the current minute; which began when the first one came."""

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._since = float("-inf")
        self._counts: dict[Hashable, int] = {}

    @property
    def left_seconds(self) -> int:
        """After how many seconds the next minute begins; one at least."""
        return max(1, round(self._since + WINDOW_SECONDS - self._clock()))

    def add(self, subject: Hashable) -> int:
        """Count this one once more; how often it came by now."""
        self._renew()
        if subject not in self._counts and len(self._counts) >= self._most:
            subject = _FURTHER
        self._counts[subject] = count = self._counts.get(subject, 0) + 1
        return count

    def count(self, subject: Hashable) -> int:
        """How often it came."""
        self._renew()
        return self._counts.get(subject, 0)

    def _renew(self) -> None:
        now = self._clock()
        if now - self._since >= WINDOW_SECONDS:
            self._counts, self._since = {}, now
