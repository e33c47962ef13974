"""Every input that is kept comes to what it came to before, and some changed ones break no rule either.

FUZZ_RUNS=2000 changes so many of each; `make fuzz` does it by what the code makes of them.
"""

from __future__ import annotations

import os
import random
import tracemalloc
from typing import Final

import pytest

from tests.support.fuzz import corpora
from tests.support.fuzz.corpora import Entry
from tests.support.fuzz.target import Target, TooSlow, shown, targets

RUNS: Final = int(os.environ.get("FUZZ_RUNS", "40"))
LARGE_RUNS: Final = 4
PEAK_BYTES: Final = 160 * 1024 * 1024
"""Of memory of Python, for one input: what unpacks may come to 64 MiB, which is held twice."""
CORPORA_BYTES: Final = 600_000
every = pytest.mark.parametrize("target", targets().values(), ids=lambda target: target.name)


def of(target: Target) -> list[Entry]:
    """What is kept for a target, of which there is something."""
    found = corpora.load(target.name)
    assert found
    return found


@every
def test_what_is_kept_comes_to_the_same(target: Target) -> None:
    """Read or refused as before, and within bounds of time and memory."""
    tracemalloc.start()
    try:
        for entry in of(target):
            assert shown(target.run(entry.given)) == entry.read, entry
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()


@every
def test_changed_inputs_break_no_rule(target: Target, chance: random.Random) -> None:
    """A small share of what `make fuzz` does, chosen by the seed of the run."""
    kept = [entry.given for entry in of(target)]
    for _ in range(RUNS):
        given = chance.choice(kept)
        for _ in range(chance.randint(1, 4)):
            given = target.mutate(given, chance)[: target.largest]
        target.run(given)


@every
def test_large_inputs_take_no_longer_than_their_length_asks_for(
    target: Target, chance: random.Random
) -> None:
    """The longest input of a piece over and over: `run` refuses what takes seconds."""
    kept = [entry.given for entry in of(target)]
    for _ in range(LARGE_RUNS):
        given = chance.choice(kept)
        at = chance.randint(0, len(given))
        piece = given[at : at + chance.choice((1, 2, 5, 20))] or b" "
        times = max(0, target.largest - len(given)) // len(piece)
        target.run(given[:at] + piece * times + given[at:])


def test_an_input_that_takes_seconds_is_found() -> None:
    """The bound is held, whatever was read."""

    def count(given: bytes) -> str:
        return str(sum(range(20_000_000 if given else 0)))

    target = Target(name="slow", reads=(), check=count, seconds=0.05)
    assert target.run(b"") == "0"
    with pytest.raises(TooSlow):
        target.run(b"x")


def test_what_is_kept_is_small() -> None:
    """A corpus is read in each run, and by people."""
    assert sum(path.stat().st_size for path in corpora.FOLDER.iterdir()) < CORPORA_BYTES


@pytest.mark.parametrize("given", [b"", b"a\n", "é\u2028".encode(), b"\xff\0", b"{}"])
def test_an_input_comes_back_from_its_corpus(given: bytes) -> None:
    """Whatever its bytes are."""
    assert Entry.of(given, None).given == given


def test_there_is_a_corpus_for_each_target_and_no_other() -> None:
    """A file that nobody reads holds nothing."""
    assert {path.stem for path in corpora.FOLDER.iterdir()} == set(targets())
