"""A format that somebody else writes, and what has to hold of whatever is read as it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib
import pkgutil
import random
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from tests.support.fuzz import formats
from tests.support.fuzz.mutation import mutate_bytes

Check: TypeAlias = Callable[[bytes], str | None]
Mutation: TypeAlias = Callable[[bytes, random.Random], bytes]

SHOWN: Final = 100
"""A longer text stands in a corpus by its hash."""
SLOW_SECONDS: Final = 2.0
"""Of processor time for one input; no format here needs a tenth of it."""


class TooSlow(AssertionError):
    """An input that takes longer than any of its length should."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One format: who reads it, what they must do with any input, and how inputs are changed."""

    name: str
    reads: tuple[str, ...]
    """The parsers that `check` calls, by module and name."""
    check: Check
    """What was read, in one text; None where it was refused. Any exception is a finding."""
    mutate: Mutation = mutate_bytes
    """An input like this one: for a format with a structure also by that."""
    largest: int = 8192
    """Bytes of an input."""
    seconds: float = SLOW_SECONDS
    """Of processor time, at most, for one input."""
    in_browser: bool = False
    """Whether web/tests/corpora/readers.ts reads the same corpus with the code of the pages."""

    def run(self, given: bytes) -> str | None:
        """What `check` says; TooSlow as well."""
        began = time.thread_time()
        found = self.check(given)
        if (took := time.thread_time() - began) > self.seconds:
            raise TooSlow(f"{took:.1f} s for {len(given)} bytes")
        return found


def shown(found: str | None) -> str | None:
    """What was read as a corpus has it: the text itself, or the beginning of the hash of a long one."""
    if found is None or len(found) <= SHOWN:
        return found
    return f"sha256:{hashlib.sha256(found.encode()).hexdigest()[:16]}"


@functools.cache
def _found() -> Mapping[str, tuple[str, Target]]:
    found: dict[str, tuple[str, Target]] = {}
    for entry in pkgutil.iter_modules(formats.__path__):
        module = f"{formats.__name__}.{entry.name}"
        for target in importlib.import_module(module).TARGETS:
            assert target.name not in found, target.name
            found[target.name] = (module, target)
    return dict(sorted(found.items()))


def targets() -> Mapping[str, Target]:
    """Every target by its name; each module of `formats` has some."""
    return {name: target for name, (_module, target) in _found().items()}


def module_of(target: Target) -> str:
    """The name of the module that a target is in."""
    return _found()[target.name][0]
