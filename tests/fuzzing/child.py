"""One target under libFuzzer, in a process of its own: `python -m tests.fuzzing.child NAME [options of libFuzzer]`.

What is instrumented is relay alone: an input that takes another way through it is kept and changed further.
"""

from __future__ import annotations

import random
import sys

import atheris

with atheris.instrument_imports(include=["relay"]):
    from tests.support.fuzz.target import Target, targets

    KNOWN = targets()  # which imports all of relay that they read with

MUTATED_BY_FORMAT = 0.5
"""The rest is changed by libFuzzer, which knows what the code compares with."""


def main() -> None:
    """Run until libFuzzer ends the process: with 0, or another status where something was found."""
    target = KNOWN[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.run, custom_mutator=_mutator(target))
    atheris.Fuzz()


def _mutator(target: Target):  # type: ignore[no-untyped-def] # noqa: ANN202 - atheris has no types
    def mutate(given: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311 - no secret
        if chance.random() < MUTATED_BY_FORMAT:
            return target.mutate(given, chance)[:most]
        return bytes(atheris.Mutate(given, most))

    return mutate


main()
