"""A whole relay in which everything fails at moments chosen by a seed; `make faults` makes a hundred."""

from __future__ import annotations

import random
import subprocess
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from relay.domain.messages import Kind
from relay.settings import Settings
from relay.storage.objects import Objects
from relay.testing.people import open_case
from tests.support.faults.checks import check
from tests.support.faults.items import Item, draw
from tests.support.faults.patience import Patience
from tests.support.faults.plan import AFTER_SECONDS, DISTURBANCES, KINDS, plan
from tests.support.faults.run import carry_through, films, run
from tests.support.faults.world import World, world
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
@pytest.mark.browsers
async def test_nothing_is_lost_doubled_or_stuck(chance: random.Random) -> None:
    """Whatever is killed, stopped, cut, emptied and full meanwhile; a failure says how to see it again."""
    seed = chance.randrange(SEEDS)
    outcome = await run(seed, keep=ROOT / ".cache" / "faults")
    assert outcome.acknowledged == outcome.items, outcome
    assert not outcome.findings, f"make faults SEED={seed} RUNS=1: {outcome}"


async def _spoil(relay: World, items: Sequence[Item]) -> dict[str, str]:
    """Do everything behind relay's back that a run must not leave; by what was done, what is to be found."""
    settings = Settings.from_environment(relay.of_worker)
    objects = await Objects.connect(settings)
    owner = await asyncpg.connect(relay.database_url())
    letter, film = items
    try:
        stored = await owner.fetchval(
            "select object_prefix from parts where message_id = $1 and role = 'rendition'",
            film.message_id,
        )
        await objects.delete_prefix(stored)
        await objects.put(f"renditions/{uuid.uuid4()}/000000", b"of nobody")
        await owner.execute(
            "insert into jobs (message_id, revision, not_before) "
            "values ($1, 1, now() + interval '1 day')",
            letter.message_id,
        )
        await owner.execute("set session_replication_role = replica")
        await owner.execute(
            "update messages set state = 'held' where message_id = $1", letter.message_id
        )
    finally:
        await objects.close()
        await owner.close()
    letter.content += b"."
    relay.host.taken.pop(0)
    relay.host.taken.append(relay.host.taken.pop(0))
    with relay.front.statuses.open("a") as statuses:
        statuses.write("500\n")
    with relay.members["worker"].log.open("a") as log:
        log.write("00:00:00 ERROR   relay: of a test\n")
    return {
        "an object taken away": "1 objects of parts are not there",
        "an object added": "orphaned: 1 objects without a row",
        "a job added": "stuck: 1 jobs",
        "a state changed, to the mediator": "the mediator sees it held",
        "a state changed, to the audit": "audit: ",
        "a word changed": "its author opens something else",
        "a webhook that did not come": "lost: 1 events were not delivered",
        "a webhook out of order": "events of a case came out of order",
        "an error in an answer": "1 requests were answered 500",
        "an error in a log": "worker logs 1 times",
    }


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(300)
@pytest.mark.own_relay
async def test_what_is_not_as_it_should_be_is_found(chance: random.Random, tmp_path: Path) -> None:
    """Without any disturbance nothing; then each thing that was spoiled."""
    async with world() as relay:
        drawn = draw(chance, [await open_case(relay.people)], films(tmp_path))
        letter = next(item for item in drawn if item.kind is Kind.LETTER)
        letter.fate = "keep"
        film = next(item for item in drawn if item.kind is Kind.VIDEO)
        items = [letter, film]
        await carry_through(relay, items, [], Patience(relay.findings), tmp_path, {})
        assert [*relay.findings, *await check(relay, items)] == []
        expected = await _spoil(relay, items)
        found = await check(relay, items)
    for what, finding in expected.items():
        assert any(finding in line for line in found), (what, found)


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
