"""What is disturbed in a run, when, and for how long: by the seed alone."""

from __future__ import annotations

import dataclasses
import random
from typing import Final

WINDOW_SECONDS: Final = 15.0
"""In which disturbances begin."""
DISTURBANCES: Final = (12, 16)
AFTER_SECONDS: Final = 0.5
"""Of rest, for whatever was disturbed."""
DRAWS: Final = 300

WEB: Final = ("web", "web-2")
WORKERS: Final = ("worker", "worker-2")
DELIVERERS: Final = ("deliverer", "deliverer-2")
PROCESSES: Final = (*WEB, *WORKERS, *DELIVERERS)
LEASE_SECONDS: Final = 3
"""Of a job."""
CLOCK_SECONDS: Final = 25
"""How far the clock of a process may be from the others', either way; docs/operations.md allows 30 in all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One kind of disturbance: to whom, for how long, how often beside the others."""

    name: str
    targets: tuple[str, ...]
    seconds: tuple[float, float]
    weight: float = 1


KINDS: Final = (
    Kind("kill", PROCESSES, (0.1, 2), 3),
    Kind("suspend", PROCESSES, (0.5, 3), 2),
    Kind("oversleep", (*WORKERS, *DELIVERERS), (LEASE_SECONDS + 1, LEASE_SECONDS + 5), 2),
    Kind("roll", ("all",), (4, 4)),
    Kind("clock", PROCESSES, (0, 0)),
    Kind("fast", ("postgres",), (0.2, 2)),
    Kind("immediate", ("postgres",), (0.2, 2)),
    Kind("crash", ("postgres",), (0.1, 0.2)),
    Kind("terminate", ("postgres",), (0.1, 0.2)),
    Kind("cut", ("postgres", "redis", "s3", "people"), (0.1, 0.2), 2),
    Kind("hang", ("postgres", "redis", "s3"), (1, 4)),
    Kind("swallow", ("redis",), (0.1, 0.2)),
    Kind("refuse", ("postgres", "redis", "s3"), (0.5, 3)),
    Kind("empty", ("redis",), (0.1, 0.2)),
    Kind("stop", ("redis",), (0.5, 3)),
    Kind("answer-500", ("s3",), (0.5, 4)),
    Kind("answer-503", ("s3",), (0.5, 4)),
    Kind("no-room", ("s3",), (0.5, 4)),
    Kind("break-bodies", ("s3",), (0.5, 4)),
    Kind("lose-answers", ("s3", "people"), (0.5, 3), 2),
    Kind("disk-full", ("disk",), (0.5, 3), 1.5),
    Kind("away", ("receiver",), (0.5, 3)),
    Kind("fail", ("receiver",), (0.5, 2)),
)
_NEEDS: Final = {"disk": ("postgres", "redis", "s3"), "all": PROCESSES}
"""What else is disturbed with a target."""


@dataclasses.dataclass(frozen=True, slots=True)
class Disturbance:
    """What is done to whom; `at` in seconds after the first item was begun."""

    at: float
    kind: str
    target: str
    seconds: float
    number: int
    """What the kind needs beside: seconds of a clock, or which of several."""

    @property
    def everything(self) -> tuple[str, ...]:
        """All that is disturbed by it."""
        return (self.target, *_NEEDS.get(self.target, ()))

    def __str__(self) -> str:
        """As a run prints it."""
        lasting = f" {self.seconds:.1f}s" if self.seconds >= 0.5 else ""
        return f"{self.at:.1f} {self.kind} {self.target}{lasting}"


def plan(chance: random.Random) -> list[Disturbance]:
    """The disturbances of a run in their order; of one target they do not overlap."""
    wanted = chance.randint(*DISTURBANCES)
    found: list[Disturbance] = []
    for _ in range(DRAWS):
        if len(found) == wanted:
            break
        kind = chance.choices(KINDS, [one.weight for one in KINDS])[0]
        drawn = Disturbance(
            at=round(chance.uniform(0.5, WINDOW_SECONDS), 2),
            kind=kind.name,
            target=chance.choice(kind.targets),
            seconds=round(chance.uniform(*kind.seconds), 2),
            number=chance.choice((-1, 1)) * chance.randint(3, CLOCK_SECONDS),
        )
        if not any(_collide(drawn, other) for other in found):
            found.append(drawn)
    return sorted(found, key=lambda one: one.at)


def _collide(one: Disturbance, other: Disturbance) -> bool:
    if not set(one.everything) & set(other.everything):
        return False
    first, second = sorted((one, other), key=lambda each: each.at)
    return first.at + first.seconds + AFTER_SECONDS > second.at
