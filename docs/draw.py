"""Draws the state diagram in docs/architecture.md anew, after the transition table has changed."""

from __future__ import annotations

from pathlib import Path

from relay.domain.diagram import with_diagram

ARCHITECTURE = Path(__file__).with_name("architecture.md")

if __name__ == "__main__":
    ARCHITECTURE.write_text(with_diagram(ARCHITECTURE.read_text("utf-8")), "utf-8")
