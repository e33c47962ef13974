"""The load run notices when relay fails: it is what says so of a change that makes relay worse."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence

import msgspec
import pytest

from bench.load.crowd import Crowd, Expected, Found, Heard
from bench.load.gauges import Memory
from bench.load.report import LATE_SECONDS, arrivals
from bench.load.run import Load, load
from bench.rows import Row
from relay.client.connection import Problem

FEW = Crowd(
    seconds=8,
    cases=4,
    mediators=2,
    phones=4,
    phone_bytes_per_second=512 * 1024,
    letters_per_second=5,
    pause_seconds=1,
    film_seconds=(1,),
    workers=1,
    settling_seconds=2,
)


def row(found: Load, beginning: str) -> Row:
    """The only row of this name."""
    [one] = [row for row in found.rows if row.name.startswith(beginning)]
    return one


async def test_a_relay_that_works_makes_no_errors(chance: random.Random) -> None:
    """Few people for a few seconds: everything arrives, and everything is there at the end."""
    found = await load(_seeded(chance))
    assert found.errors == {}
    assert row(found, "errors").holds
    assert row(found, "an event reaches").value < LATE_SECONDS * 1000


async def test_a_relay_that_fails_is_found_out(chance: random.Random) -> None:
    """A 500, a letter that was acknowledged and is not there, a lost event, a loop that is blocked."""
    found = await load(_seeded(chance), web_module="tests.support.failing_relay")
    assert found.errors["a letter: 500 error"]
    assert found.errors["a letter at the end: 404 not-found"]
    assert found.errors["an event did not arrive"]
    assert not row(found, "errors").holds
    assert not row(found, "the web process's event loop was blocked").holds
    assert row(found, "the web process's event loop was blocked").value > 100


def _seeded(chance: random.Random) -> Crowd:
    return msgspec.structs.replace(FEW, seed=chance.getrandbits(32))


def test_every_event_that_is_lost_or_late_is_counted(chance: random.Random) -> None:
    """Whichever of many events is taken away, or held back, it is found."""
    people, cases = [_uuid(chance) for _ in range(5)], [_uuid(chance) for _ in range(40)]
    expected, heard = list[Expected](), list[Heard]()
    for number, case in enumerate(cases):
        who, asked_at = chance.choice(people), number * 10 + chance.random()
        expected.append(Expected(who, case, asked_at, asked_at + 0.1))
        named = None if chance.random() < 0.1 else [_uuid(chance), case]
        heard.append(Heard(who, asked_at + chance.choice([0.05, 0.3]), named))
    took, errors = arrivals(expected, heard)
    assert (len(took), errors) == (len(cases), {})
    assert max(took) < 0.25
    # An event that names everything says what one before it would have: the newest of each has none after it.
    lost = max(range(len(cases)), key=lambda number: expected[number].asked_at)
    assert arrivals(expected, _without(heard, lost))[1] == {"an event did not arrive": 1}
    late = heard[lost]
    held_back = Heard(late.who, late.at + LATE_SECONDS + 0.1, late.what)
    assert arrivals(expected, [*_without(heard, lost), held_back])[1] == {"an event came late": 1}


def test_an_event_of_before_is_none() -> None:
    """What a feed said before the request says nothing about it."""
    who, what = uuid.uuid4(), uuid.uuid4()
    before = Heard(who, 9.9, [what])
    assert arrivals([Expected(who, what, 10.0, 10.2)], [before])[1] == {
        "an event did not arrive": 1
    }
    another = Heard(uuid.uuid4(), 10.1, [what])
    assert arrivals([Expected(who, what, 10.0, 10.2)], [another])[1]


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (Problem(503, "unavailable", "", {}), "a letter: 503 unavailable"),
        (ConnectionResetError(), "a letter: ConnectionResetError"),
        (TimeoutError(), "a letter: TimeoutError"),
        (ValueError("has other words"), "a letter: ValueError: has other words"),
    ],
)
def test_what_goes_wrong_is_noted(error: Exception, noted: str) -> None:
    """A refusal, a connection that breaks, an answer that is wrong."""
    found = Found()
    for _ in range(2):
        with found.noting("a letter"):
            raise error
    assert found.errors == {noted: 2}


def test_memory_that_grows_is_told_by_thirds(chance: random.Random) -> None:
    """What was taken at the beginning is no growth; what goes on is."""
    at = [float(second) for second in range(600)]
    noise = [chance.uniform(-1, 1) for _ in at]
    steady = Memory(
        at=at, mib=[min(second, 100) + 100 + n for second, n in zip(at, noise, strict=True)]
    )
    _first, middle, last = steady.thirds()
    assert last / middle < 1.01
    assert abs(steady.slope()) < 0.5
    growing = Memory(
        at=at, mib=[100 + second / 10 + n for second, n in zip(at, noise, strict=True)]
    )
    _first, middle, last = growing.thirds()
    assert last / middle > 1.1
    assert 5 < growing.slope() < 7


def _uuid(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128))


def _without(heard: Sequence[Heard], number: int) -> list[Heard]:
    return [*heard[:number], *heard[number + 1 :]]
