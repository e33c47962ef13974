"""The table of the audit holds every kind of row that relay can write, found in the code that writes them."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeGuard, get_args, get_type_hints

import pytest

from relay.crypto import statements
from relay.crypto.statements import Statement
from relay.domain.transitions import TRANSITIONS, Mover
from relay.services.audit.findings import Code
from relay.services.audit.keys import parse_actor
from relay.services.audit.kinds import KINDS, Fact, Kind, Who
from relay.services.transitions import CLOCK_ACTOR

ROOT: Final = Path(__file__).parents[2]
NOT_LOGGED: Final = {
    "relay-credential+jws",
    "relay-revocation+jws",
    "relay-succession+jws",
    "relay-session+jws",
}
"""Statements that belong to no case."""

WHO: Final = {
    Mover.SENDER: {Who.PARTICIPANT, Who.MEDIATOR},
    Mover.RECIPIENT: {Who.PARTICIPANT},
    Mover.MEDIATOR: {Who.MEDIATOR},
    Mover.REVIEWER: {Who.MEDIATOR},
    Mover.WORKER: {Who.WORKER},
    Mover.CLOCK: {Who.CLOCK},
}


LOGS: Final = frozenset({"append_event", "_dispose"})
"""What writes a row of the kind that it is given."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Every module that relay is made of."""
    for path in itertools.chain((ROOT / "relay").rglob("*.py"), (ROOT / "workers").rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def written(module: ast.Module) -> Iterator[str]:
    """The kinds that calls in a module can write which log something."""
    for function in ast.walk(module):
        if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and _name(call.func) in LOGS:
                    [kind] = [word.value for word in call.keywords if word.arg == "kind"]
                    yield from _values(kind, function)


def _values(kind: ast.expr, function: ast.AST) -> list[str]:
    """Every value of an expression that names a kind; another form has to be added to this test."""
    match kind:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*_values(one, function), *_values(other, function)]
        case ast.JoinedStr(values=pieces):
            spelled = [_values(piece, function) for piece in pieces]
            return ["".join(each) for each in itertools.product(*spelled)]
        case ast.FormattedValue(value=ast.Attribute(value=ast.Name(id=name), attr=member)):
            return [str(value) for value in get_args(_members(_said(name, function))[member])]
        case ast.Attribute(value=ast.Name(id="made"), attr="event"):
            return [transition.event for transition in TRANSITIONS if transition.logged]
        case _:
            raise AssertionError(
                f"a kind in a form that this test does not know: {ast.unparse(kind)}"
            )


def _said(name: str, function: ast.AST) -> type[Statement]:
    """The type of the statement that a function has under this name: verified there, or given as verified."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                match value:
                    case ast.Attribute(value=ast.Name(id=verified), attr="said"):
                        return _said(verified, function)
                    case ast.Await(value=ast.Call(args=args)) | ast.Call(args=args):
                        [kind] = [arg.attr for arg in args if _is_of_statements(arg)]
                        return _statement(kind)
            case ast.arg(arg=argument, annotation=ast.Subscript(slice=ast.Attribute(attr=kind))):
                if argument == name:
                    return _statement(kind)
    raise AssertionError(f"nobody knows what {name} is")


def _is_of_statements(expression: ast.expr) -> TypeGuard[ast.Attribute]:
    match expression:
        case ast.Attribute(value=ast.Name(id="statements")):
            return True
        case _:
            return False


def _statement(kind: str) -> type[Statement]:
    found: type[Statement] = getattr(statements, kind)
    return found


def _members(kind: type[Statement]) -> dict[str, Any]:
    return get_type_hints(kind)


def _name(expression: ast.expr) -> str | None:
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def test_every_kind_that_is_written_has_an_entry_and_the_other_way_round() -> None:
    """A kind without an entry would be taken for a forgery; an entry without a kind would hide one."""
    found = {kind for _path, module in sources() for kind in written(module)}
    assert len(found) > 40
    assert found == set(KINDS)


def test_only_one_function_writes_to_the_log() -> None:
    """The SQL is called from one place, so that the test above sees every kind."""
    calls = [
        path.relative_to(ROOT).as_posix()
        for path, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value == "append_event"
    ]
    assert calls == ["relay/storage/events.py"]


def test_every_statement_that_belongs_to_a_case_stands_behind_a_kind() -> None:
    """A type of statement that no kind needs could be filed without the log."""
    behind = {kind.statement.typ for kind in KINDS.values() if kind.statement is not None}
    assert behind | NOT_LOGGED == {kind.typ for kind in Statement.__subclasses__()}


@pytest.mark.parametrize("name", KINDS)
def test_an_entry_speaks_of_members_that_its_statement_has(name: str) -> None:
    """Its members exist, those of case and message are compared, and acts fit the transition table."""
    kind = KINDS[name]
    members = {} if kind.statement is None else _members(kind.statement)
    assert set(kind.says) <= set(members)
    if "case" in members:
        assert kind.says["case"] is Fact.CASE
    if "message" in members:
        assert kind.says["message"] is Fact.MESSAGE
        assert kind.of_message
    if kind.event is not None:
        allowed = {
            who
            for transition in TRANSITIONS
            if transition.event is kind.event
            for who in WHO[transition.mover]
        }
        assert kind.who <= allowed
        assert name == kind.event


def test_only_what_nobody_signs_goes_without_a_statement() -> None:
    """The rows that carry no signature, one by one: each more is something that relay could invent."""
    unsigned = {name for name, kind in KINDS.items() if kind.statement is None}
    assert unsigned == {
        "case-registered",
        "case-changed",
        "case-closed",
        "case-reopened",
        "hold-placed",
        "hold-lifted",
        "no-contact-set",
        "no-contact-lifted",
        "second-claim-refused",
        "passphrase-tries-limited",
        "mediators-proposed",
        "draft-begun",
        "revise",
        "discard",
        "fail-processing",
        "lease",
        "let-go",
        "open",
        "lapse",
        "expire",
    }


@pytest.mark.parametrize(
    "actor",
    [
        "",
        "clock:",
        "clock:1",
        "service:",
        "service",
        "mediator",
        "mediator:",
        "mediator:x",
        "mediator:00000000000000000000000000000000",
        "MEDIATOR:00000000-0000-0000-0000-000000000000",
        "root:00000000-0000-0000-0000-000000000000",
    ],
)
def test_an_actor_has_one_spelling(actor: str) -> None:
    """What relay does not write names nobody."""
    assert parse_actor(actor) is None


def test_actors_that_relay_writes_are_read() -> None:
    """A role, and an identifier where there is one."""
    some = "00000000-0000-0000-0000-000000000001"
    for who in (Who.MEDIATOR, Who.PARTICIPANT, Who.WORKER, Who.LINK):
        found = parse_actor(f"{who}:{some}")
        assert found is not None
        assert (found.who, str(found.id)) == (who, some)
    service, clock = parse_actor("service:cases: a"), parse_actor(CLOCK_ACTOR)
    assert service is not None
    assert clock is not None
    assert (service.who, service.id, clock.who) == (Who.SERVICE, None, Who.CLOCK)


def test_the_entry_of_a_kind_is_a_value() -> None:
    """Nobody changes the table while it is used."""
    with pytest.raises(AttributeError):
        KINDS["lease"].event = None  # type: ignore[misc]
    assert isinstance(KINDS["lease"], Kind)


def test_every_code_is_explained_to_whoever_runs_relay() -> None:
    """The table in docs/operations.md has each, and no other."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    table = text[text.index("### What a finding means") : text.index("What it cannot find")]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = [code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)]
    assert sorted(explained) == sorted(Code)
