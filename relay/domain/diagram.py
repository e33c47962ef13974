"""Draws the table of moves as a state diagram (Mermaid), for docs/architecture.md."""

from __future__ import annotations

from relay.domain.moves import ENDED, MOVES, Move, State

BEGINS = "<!-- state diagram: drawn from relay/domain/moves.py by `python docs/draw.py` -->"
ENDS = "<!-- end of the state diagram -->"


def state_diagram() -> str:
    """Every move as an arrow; those between the same two states share one."""
    arrows: dict[tuple[State, State | None], list[Move]] = {}
    for move in MOVES:
        arrows.setdefault((move.source, move.target), []).append(move)
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}"]
    for (source, target), moves in arrows.items():
        said = ", ".join(f"{_act(move)} ({move.mover})" for move in moves)
        lines.append(f"    {source} --> {target or '[*]'}: {said}")
    lines += [f"    {state} --> [*]" for state in ENDED]
    return "\n".join(lines)


def with_diagram(document: str) -> str:
    """`document` with the diagram between its two marks drawn anew."""
    before, _, rest = document.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return f"{before}{BEGINS}\n\n```mermaid\n{state_diagram()}\n```\n\n{ENDS}{after}"


def _act(move: Move) -> str:
    return f"{move.act} ⚑" if move.gated else str(move.act)
