"""So many things at once for each caller: who asks for more waits for their own, and holds nobody else up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Hashable

from relay.domain.limits import Limit, LimitReached


@dataclasses.dataclass(slots=True)
class _Caller:
    """What one caller does and waits for; there as long as it is something."""

    active: int = 0
    waiting: deque[asyncio.Future[None]] = dataclasses.field(default_factory=deque)


class Turns:
    """Lets each caller do `limit.quota` things at once, and as many as `waiting` more wait for that."""

    def __init__(
        self, limit: Limit, reached: type[LimitReached], *, waiting: int, seconds: float
    ) -> None:
        """`reached` is what further ones end with, and those that have waited for so many `seconds`."""
        self._limit = limit
        self._reached = reached
        self._waiting = waiting
        self._seconds = seconds
        self._callers: dict[Hashable, _Caller] = {}

    def __len__(self) -> int:
        """How many callers do something now."""
        return len(self._callers)

    def require_room(self, caller: Hashable) -> None:
        """The LimitReached of these turns where one more of this caller would not even wait."""
        found = self._callers.get(caller)
        if found is not None and found.active >= self._limit.quota:
            self._require_place(found)

    @contextlib.asynccontextmanager
    async def turn(self, caller: Hashable) -> AsyncIterator[None]:
        """Do one thing for this caller; the LimitReached of these turns where there is no room for it."""
        found = self._callers.setdefault(caller, _Caller())
        try:
            if found.active < self._limit.quota:
                found.active += 1
            else:
                await self._wait(found)
            try:
                yield
            finally:
                self._pass_on(found)
        finally:
            if not found.active and not found.waiting:
                self._callers.pop(caller, None)

    async def _wait(self, caller: _Caller) -> None:
        """Wait until somebody passes their turn on; it is counted already, then."""
        self._require_place(caller)
        own = asyncio.get_running_loop().create_future()
        caller.waiting.append(own)
        try:
            async with asyncio.timeout(self._seconds):
                await own
        except TimeoutError:
            self._give_up(caller, own)
            raise self._reached(self._limit, wait_seconds=1) from None
        except asyncio.CancelledError:
            self._give_up(caller, own)
            raise

    def _require_place(self, caller: _Caller) -> None:
        if len(caller.waiting) >= self._waiting:
            raise self._reached(self._limit, wait_seconds=1)

    def _give_up(self, caller: _Caller, own: asyncio.Future[None]) -> None:
        if own in caller.waiting:
            caller.waiting.remove(own)
        elif own.done() and not own.cancelled():  # it was passed on at this very moment
            self._pass_on(caller)

    def _pass_on(self, caller: _Caller) -> None:
        """Let the one who has waited longest do theirs in place of this one."""
        while caller.waiting:
            after = caller.waiting.popleft()
            if not after.done():
                after.set_result(None)
                return
        caller.active -= 1
