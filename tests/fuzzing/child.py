"""One target under libFuzzer: `python -m tests.fuzzing.child MODULE NAME [options of libFuzzer]`.

What is instrumented is relay alone, as far as that module of targets imports it: an input that takes another
way through it is kept and changed further.
"""

from __future__ import annotations

import importlib
import random
import sys

import atheris

with atheris.instrument_imports(include=["relay"]):
    from tests.support.fuzz.target import Target

    FOUND = importlib.import_module(sys.argv.pop(1)).TARGETS

MUTATED_BY_FORMAT = 0.5
"""The rest is changed by libFuzzer, which knows what the code compares with."""


def main() -> None:
    """Run until libFuzzer ends the process: with 0, or another status where something was found."""
    name = sys.argv.pop(1)
    target = next(target for target in FOUND if target.name == name)
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
