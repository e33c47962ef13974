"""`python -m dev.coverage FILE`: of every package that was measured, how many branches tests have taken."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
import typer

AT_LEAST: Final = {"relay/domain": 95.0, "relay/crypto": 95.0, "relay/services": 75.0}
"""Of each hundred branches. Half of what is missing of the services is what an audit would find wrong."""


class Summary(msgspec.Struct):
    """What is counted of a file."""

    num_branches: int
    covered_branches: int


class Measured(msgspec.Struct):
    """One file."""

    summary: Summary


class Report(msgspec.Struct):
    """What `coverage json` writes, as far as it is read here."""

    files: dict[str, Measured]


def main(file: Path) -> None:
    """Print the figures, and end with 1 where one is too low."""
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    taken: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for name, measured in report.files.items():
        package = "/".join(name.split("/")[:2])
        taken[package] += measured.summary.covered_branches
        there[package] += measured.summary.num_branches
    low = False
    for package, least in AT_LEAST.items():
        share = 100 * taken[package] / there[package]
        low |= share < least
        said = f"{taken[package]} of {there[package]} branches, {share:.1f} %; at least {least:g} %"
        print(f"{package}: {said}{' MISSED' if share < least else ''}")
    sys.exit(low)


if __name__ == "__main__":
    typer.run(main)
