"""Keeps Python's search for garbage short: while it looks, a process does nothing else.

A search through everything takes a tenth of a second with a thousand live feeds, and finds next to nothing:
what relay lets go of ends by its count of references. So whatever outlived a search is left out of the next.
What became garbage after that stays, until there is much more than there was: then one search looks at all.
"""

from __future__ import annotations

import gc
from typing import Final, Literal

THRESHOLDS: Final = (1000, 10, 1)
"""The oldest generation is searched once some 25,000 objects have come to it: in 20 ms at most."""
MORE_OBJECTS: Final = 500_000
"""So many may come to what is left out before all of it is searched: some 50 MiB, or two thousand feeds."""

COUNTED_EVERY: Final = 16
"""What is left out is counted after so many searches: to count takes 20 ms, and each adds 25,000 at most."""

_OLDEST: Final = 2


class Tenure:
    """Leaves out of further searches what outlived one of the oldest generation."""

    def __init__(self, more_objects: int = MORE_OBJECTS) -> None:
        """Everything that there is now is left out, after a search."""
        self._more = more_objects
        self._is_whole = False
        """Whether the next search looks at everything."""
        self._searches = 0
        gc.collect()
        gc.freeze()
        self._most = gc.get_freeze_count() + more_objects

    def __call__(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        """As `gc.callbacks` has it: told of each search before and after it."""
        if phase != "stop" or info["generation"] != _OLDEST:
            return
        gc.freeze()
        self._searches += 1
        if self._is_whole:
            self._is_whole, self._most = False, gc.get_freeze_count() + self._more
        elif self._searches % COUNTED_EVERY == 0 and gc.get_freeze_count() > self._most:
            self._is_whole = True
            gc.unfreeze()


def settle() -> None:
    """Begin, once a process has started."""
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(Tenure())
