"""The transition table as a state diagram (Mermaid) for docs/architecture.md, and as rows for the schema."""

from __future__ import annotations

from relay.domain.transitions import ENDED, TRANSITIONS, Mover, State, Transition

_DIAGRAM = (
    "<!-- state diagram: drawn from relay/domain/transitions.py by `python docs/draw.py` -->",
    "<!-- end of the state diagram -->",
)
_ROWS = (
    "-- The rows are written from relay/domain/transitions.py by `python docs/draw.py`.",
    "-- End of these rows.",
)
_OF_WORKERS = {Mover.WORKER, Mover.CLOCK}


def with_diagram(document: str) -> str:
    """`document` with the diagram between its two marks drawn again."""
    return _between(document, _DIAGRAM, f"\n```mermaid\n{state_diagram()}\n```\n")


def with_rows(schema: str) -> str:
    """`schema` with the rows of `message_transitions` between their two marks written again."""
    return _between(schema, _ROWS, transition_rows())


def state_diagram() -> str:
    """Every transition as an arrow; those between the same two states share one."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}"]
    for (source, target), transitions in _by_states().items():
        said = ", ".join(f"{_event(transition)} ({transition.mover})" for transition in transitions)
        lines.append(f"    {source} --> {target or '[*]'}: {said}")
    lines += [f"    {state} --> [*]" for state in ENDED]
    return "\n".join(lines)


def transition_rows() -> str:
    """The ways from one state to another, with what every event that goes there asks for."""
    rows = []
    for (source, target), made in _by_states().items():
        if target in {None, source}:
            continue
        facts = (
            any(transition.mover not in _OF_WORKERS for transition in made),
            any(transition.mover in _OF_WORKERS for transition in made),
            all(transition.gated for transition in made),
            all(transition.known_sender for transition in made),
        )
        said = ", ".join(str(fact).lower() for fact in facts)
        rows.append(f"('{source}', '{target}', {said})")
    return (  # rows of our own words for a migration; nothing runs them from here
        "insert into message_transitions (source, target, web, worker, gated, known_sender) values\n"  # nosec B608
        + ",\n".join(rows)
        + ";"
    )


def _by_states() -> dict[tuple[State, State | None], list[Transition]]:
    found: dict[tuple[State, State | None], list[Transition]] = {}
    for transition in TRANSITIONS:
        found.setdefault((transition.source, transition.target), []).append(transition)
    return found


def _between(document: str, marks: tuple[str, str], text: str) -> str:
    begins, ends = marks
    before, _, rest = document.partition(begins)
    _, _, after = rest.partition(ends)
    return f"{before}{begins}\n{text}\n{ends}{after}"


def _event(transition: Transition) -> str:
    return f"{transition.event} ⚑" if transition.gated else str(transition.event)
