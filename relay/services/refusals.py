"""Refusals that cost next to nothing: known before anything is looked up, held back, and given one by one.

Whose a bearer is stands in the database. Of those that were refused lately it is known here, for a minute,
so that the next request is refused without asking there, while a limit of its caller is still used up. This
is for refusals alone: nobody is let in by it, and it is handed to nobody.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Final

from relay.domain.actors import Actor
from relay.services.limits import Limits, Load, key_of
from relay.services.minutes import WINDOW_SECONDS
from relay.services.rates import Rates

MOST: Final = 10_000
"""Of so many bearers it is known whose they are; further ones are looked up each time."""
BETWEEN: Final = 100
"""So many refusals of one caller are given, evenly, in the time that one is held back."""
SLOTS: Final = 500
"""Beyond so many that are held back at once for one caller, several are given at the same time."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Refused:
    actor: Actor
    until: float


class Refusals:
    """Refuses callers who were refused lately, and holds all refusals back."""

    def __init__(
        self,
        limits: Limits,
        rates: Rates,
        *,
        seconds: float,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds`: for so long a refusal is held back, further ones of its caller a little longer each."""
        self._limits = limits
        self._rates = rates
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._refused: dict[bytes, _Refused] = {}
        self._held: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        """Of how many bearers it is known whose they are."""
        return len(self._refused)

    def require_room(self, bearer: bytes, load: Load) -> None:
        """LimitReached where this bearer's caller was refused lately, and would be again; counts nothing.

        `bearer` is a hash of it, here and below.
        """
        refused = self._find(bearer)
        if refused is not None:
            self._rates.require_room(refused.actor)
            self._limits.require_room(load, refused.actor)

    def remember(self, bearer: bytes, actor: Actor) -> None:
        """This caller, who was just looked up, is refused."""
        now = self._clock()
        if len(self._refused) >= self._most:
            self._refused = {key: one for key, one in self._refused.items() if one.until > now}
        if len(self._refused) < self._most:
            self._refused[bearer] = _Refused(actor, now + WINDOW_SECONDS)

    async def hold(self, bearer: bytes, address: str | None) -> None:
        """Hold a refusal back: each caller is given one at a time; unknown ones count by address."""
        refused = self._find(bearer)
        caller: Hashable = address or bearer
        if refused is not None:
            caller = key_of(refused.actor)
        seconds = self._seconds * (1 + self._held[caller] % SLOTS / BETWEEN)
        self._held[caller] += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]

    def _find(self, bearer: bytes) -> _Refused | None:
        refused = self._refused.get(bearer)
        if refused is not None and refused.until <= self._clock():
            del self._refused[bearer]
            return None
        return refused
