"""Spreads the requests of one caller over time: a burst passes at once, what comes beyond it waits a little.

Nobody is refused who would be done soon, and who asks for more gets no more than their share of a process.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Hashable
from typing import Final

from relay.domain.limits import Limit, TooManyAtOnce
from relay.services.minutes import WINDOW_SECONDS

BURST: Final = 100
"""Requests that pass at once, of a caller who was quiet: a page with many cases is opened."""
KEYS: Final = 100_000
"""So many callers are kept apart; further ones are not held up, so that memory is bounded."""


class Pace:
    """Lets each caller begin `limit.quota` requests in a minute, evenly, after a burst."""

    def __init__(
        self,
        limit: Limit,
        *,
        waiting: int,
        keys: int = KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` is for a minute. `waiting`: of each caller, so many wait; further ones are refused."""
        self._limit = limit
        self._interval = WINDOW_SECONDS / limit.quota
        self._ahead = min(BURST, limit.quota) * self._interval
        self._longest = waiting * self._interval
        self._keys = keys
        self._clock = clock
        self._due: dict[Hashable, float] = {}
        """When the next request of each caller would begin, had there been no burst."""

    async def wait(self, caller: Hashable) -> None:
        """Wait until the next request of this caller may begin; TooManyAtOnce where that is too long."""
        wait = self._due_in(caller)
        if wait > 0:
            await asyncio.sleep(wait)

    def require_room(self, caller: Hashable) -> None:
        """TooManyAtOnce where the next request of this caller would wait too long; it is not counted."""
        if caller in self._due:
            self._due_at(caller, self._clock())

    def _due_in(self, caller: Hashable) -> float:
        now = self._clock()
        if caller not in self._due and len(self._due) >= self._keys:
            self._forget(now)
            if len(self._due) >= self._keys:
                return 0
        due = self._due_at(caller, now)
        self._due[caller] = due + self._interval
        return due - now

    def _due_at(self, caller: Hashable, now: float) -> float:
        due = max(self._due.get(caller, 0.0), now - self._ahead + self._interval)
        if due - now > self._longest:
            raise TooManyAtOnce(self._limit, wait_seconds=math.ceil(due - now))
        return due

    def _forget(self, now: float) -> None:
        """Those who were quiet for long enough have their whole burst again."""
        self._due = {key: due for key, due in self._due.items() if due > now - self._ahead}
