"""The lines of the bench table: what was measured, against what, and whether the bar holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement beside its peer or limit."""

    name: str
    value: float
    """What was measured, in `unit`."""
    unit: str
    peer: str
    """What it is measured against."""
    ratio: float
    """`value` relative to the peer's, or to the limit."""
    bar: float
    """What `ratio` must reach, or must not exceed."""
    better: Literal["higher", "lower"]

    @property
    def holds(self) -> bool:
        """Whether the ratio is on the right side of the bar."""
        return self.ratio >= self.bar if self.better == "higher" else self.ratio <= self.bar


def line(row: Row) -> str:
    """A row for a terminal, in the markup of rich."""
    sign = "≥" if row.better == "higher" else "≤"
    holds = "[green]holds[/green]" if row.holds else "[red]does not hold[/red]"
    measured = f"{row.value:,.1f} {row.unit}, {row.ratio:.2f} of {row.peer}"
    return f"{row.name}: {measured}; {sign} {row.bar:g} {holds}"


def objects(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Rows for a file."""
    return [{**msgspec.structs.asdict(row), "holds": row.holds} for row in rows]
