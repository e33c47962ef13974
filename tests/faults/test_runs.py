"""A whole relay in which everything fails at moments chosen by a seed; `make faults` makes a hundred."""

from __future__ import annotations

import random
import subprocess
from collections import Counter

import pytest

from tests.support.faults.plan import AFTER_SECONDS, DISTURBANCES, KINDS, plan
from tests.support.faults.run import run
from tests.support.proxies import ROOT, fetch_programs

SEEDS = 10_000


@pytest.fixture(scope="session")
def programs() -> None:
    """Nginx, and what sets clocks apart."""
    fetch_programs()
    subprocess.run([ROOT / ".ci" / "clocks"], check=True)


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(400)
@pytest.mark.own_relay
async def test_nothing_is_lost_doubled_or_stuck(chance: random.Random) -> None:
    """Whatever is killed, stopped, cut, emptied and full meanwhile; a failure says how to see it again."""
    seed = chance.randrange(SEEDS)
    outcome = await run(seed, keep=ROOT / ".cache" / "faults")
    assert outcome.acknowledged == outcome.items, outcome
    assert not outcome.findings, f"make faults SEED={seed} RUNS=1: {outcome}"


def test_a_seed_stands_for_one_plan() -> None:
    """The same each time, another for another seed; of one target nothing overlaps, and every kind occurs."""
    plans = [plan(random.Random(seed)) for seed in range(200)]  # noqa: S311 - no secret
    assert plans == [plan(random.Random(seed)) for seed in range(200)]  # noqa: S311 - no secret
    assert len({tuple(one) for one in plans}) == len(plans)
    kinds = Counter((each.kind, each.target) for one in plans for each in one)
    assert kinds.keys() == {(kind.name, target) for kind in KINDS for target in kind.targets}
    for planned in plans:
        assert len(planned) <= DISTURBANCES[1]
        free: dict[str, float] = {}
        for one in planned:
            for target in one.everything:
                assert free.get(target, 0) <= one.at
                free[target] = one.at + one.seconds + AFTER_SECONDS
