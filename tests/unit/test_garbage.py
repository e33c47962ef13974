"""A search for garbage holds up everybody: it looks at little, and garbage does not stay for ever."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Final

KEPT: Final = 200_000

BEGINNING: Final = """
    import gc, sys
    from relay.services.garbage import COUNTED_EVERY, THRESHOLDS, Tenure, settle

    looked_at = []

    def note(phase, info):
        if phase == "start":
            looked_at.append(sum(len(gc.get_objects(n)) for n in range(info["generation"] + 1)))

    class Node:
        def __init__(self):
            self.itself = self
"""


def run(program: str) -> None:
    """Run a program in a Python of its own, whose garbage is nobody else's; it asserts by itself."""
    whole = textwrap.dedent(BEGINNING) + textwrap.dedent(program)
    subprocess.run([sys.executable, "-c", whole], check=True, timeout=60)


def test_no_search_looks_at_what_stays() -> None:
    """However much is kept, as by a thousand live feeds, no search looks at more than what is new."""
    run(
        f"""
        settle()
        gc.callbacks.append(note)
        kept = [[number] for number in range({KEPT})]
        assert looked_at and max(looked_at) < 50_000, max(looked_at)
        assert len(gc.get_objects()) < 50_000
        """
    )


def test_without_it_a_search_looks_at_everything() -> None:
    """What the test above is about: Python itself looks at all that stays."""
    run(
        f"""
        gc.callbacks.append(note)
        kept = [[number] for number in range({KEPT})]
        gc.collect()
        assert max(looked_at) > {KEPT}
        """
    )


def test_garbage_that_is_new_is_found() -> None:
    """Cycles that live for a short time do not stay."""
    run(
        """
        settle()
        before = gc.get_freeze_count()
        for _ in range(300_000):
            Node()
        left = sum(isinstance(one, Node) for one in gc.get_objects())
        gc.unfreeze()
        frozen = sum(isinstance(one, Node) for one in gc.get_objects())
        assert left + frozen < 5_000, (left, frozen)
        """
    )


def test_garbage_of_long_ago_is_found_once_there_is_much() -> None:
    """What was left out of searches, and became garbage, is removed when there is too much of it."""
    run(
        """
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(Tenure(more_objects=20_000))
        for _ in range(40 * COUNTED_EVERY):
            nodes = [Node() for _ in range(200)]
            gc.collect()  # they outlive a search
            del nodes
        gc.unfreeze()
        left = sum(isinstance(one, Node) for one in gc.get_objects())
        assert left <= 30_000, left
        """
    )
