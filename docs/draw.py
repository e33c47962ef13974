"""Writes down again what is made from the transition table: the state diagram, and the rows in SQL."""

from __future__ import annotations

from pathlib import Path

from relay.domain.diagram import with_diagram, with_rows

ROOT = Path(__file__).parents[1]
WRITTEN = {
    ROOT / "docs/architecture.md": with_diagram,
    ROOT / "relay/storage/migrations/0001_first_schema.sql": with_rows,
}

if __name__ == "__main__":
    for path, written in WRITTEN.items():
        path.write_text(written(path.read_text("utf-8")), "utf-8")
