"""Keeps Python's search for garbage short: it holds up everything that a process does."""

from __future__ import annotations

import gc


def settle() -> None:
    """Have what a process consists of once it has started left out of every further search."""
    gc.collect()
    gc.freeze()
