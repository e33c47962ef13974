"""Draws the transition table as a state diagram (Mermaid), for docs/architecture.md."""

from __future__ import annotations

from relay.domain.transitions import ENDED, TRANSITIONS, State, Transition

BEGINS = "<!-- state diagram: drawn from relay/domain/transitions.py by `python docs/draw.py` -->"
ENDS = "<!-- end of the state diagram -->"


def state_diagram() -> str:
    """Every transition as an arrow; those between the same two states share one."""
    arrows: dict[tuple[State, State | None], list[Transition]] = {}
    for transition in TRANSITIONS:
        arrows.setdefault((transition.source, transition.target), []).append(transition)
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}"]
    for (source, target), transitions in arrows.items():
        said = ", ".join(f"{_act(transition)} ({transition.mover})" for transition in transitions)
        lines.append(f"    {source} --> {target or '[*]'}: {said}")
    lines += [f"    {state} --> [*]" for state in ENDED]
    return "\n".join(lines)


def with_diagram(document: str) -> str:
    """`document` with the diagram between its two marks drawn anew."""
    before, _, rest = document.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return f"{before}{BEGINS}\n\n```mermaid\n{state_diagram()}\n```\n\n{ENDS}{after}"


def _act(transition: Transition) -> str:
    return f"{transition.act} ⚑" if transition.gated else str(transition.act)
