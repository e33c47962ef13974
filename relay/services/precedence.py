"""Who goes first in a process: one caller at full speed costs others nothing, and a lone one has all of it.

A list takes some milliseconds, in a dozen steps. Between two of them everything else has its turn that is
ready: eight further requests of one caller, or a video that comes as fast as it can. So where several
callers ask, each has a few requests worked at, and transfers go on in between. All of this waits for a
moment at most: nobody is held up by what hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Final

SHARE: Final = 2
"""Of each caller so many short requests are worked at, where there are others."""
COMPANY_SECONDS: Final = 1.0
"""For so long there are others after one of them asked."""
SHORT_SECONDS: Final = 0.1
"""A short request waits no longer for those of its own caller."""
PIECE_SECONDS: Final = 0.02
"""A transfer waits no longer before each of its pieces."""


class Precedence:
    """Of callers before those who ask for much at once, and of short requests before transfers."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._active: defaultdict[Hashable, int] = defaultdict(int)
        self._waiting: defaultdict[Hashable, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._transfers: set[asyncio.Future[None]] = set()
        self._latest: Hashable = None
        self._others_until = float("-inf")

    def __len__(self) -> int:
        """Of how many callers something is worked at."""
        return len(self._active)

    @contextlib.asynccontextmanager
    async def short(self, caller: Hashable) -> AsyncIterator[None]:
        """While a short request of this caller is worked at; begins when it has its share."""
        now = self._clock()
        if caller != self._latest:
            self._latest, self._others_until = caller, now + COMPANY_SECONDS
        if self._active.get(caller, 0) >= SHARE and now < self._others_until:
            await self._wait_for_own(caller)
        self._active[caller] += 1
        try:
            yield
        finally:
            self._end(caller)

    async def give_way(self) -> None:
        """Before the next piece of a transfer: wait until no short request is worked at, or a moment."""
        if not self._active:
            return
        quiet = asyncio.get_running_loop().create_future()
        self._transfers.add(quiet)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PIECE_SECONDS):
                await quiet
        self._transfers.discard(quiet)

    async def _wait_for_own(self, caller: Hashable) -> None:
        own = asyncio.get_running_loop().create_future()
        waiting = self._waiting[caller]
        waiting.append(own)
        try:
            async with asyncio.timeout(SHORT_SECONDS):
                await own
        except TimeoutError:
            pass
        finally:
            if own in waiting:
                waiting.remove(own)
            if not waiting:
                self._waiting.pop(caller, None)

    def _end(self, caller: Hashable) -> None:
        self._active[caller] -= 1
        if not self._active[caller]:
            del self._active[caller]
        waiting = self._waiting.get(caller)
        if waiting and not waiting[0].done():
            waiting[0].set_result(None)
        if not self._active and self._transfers:
            asyncio.get_running_loop().call_soon(self._let_transfers_go_on)

    def _let_transfers_go_on(self) -> None:
        """Unless the next short request follows at once, or the next step of the one that ended."""
        if not self._active:
            for piece in self._transfers:
                if not piece.done():
                    piece.set_result(None)
