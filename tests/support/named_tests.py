"""The tests that a document names, and those there are: `path::test_name`, `path::block > title`."""

from __future__ import annotations

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_NAMED: Final = re.compile(r"`((?:web/)?tests/[\w./-]+\.(?:py|ts))(?:::([^`]+))?`")
_TITLE: Final = re.compile(
    r"""^(?P<indent>\s*)(?P<kind>describe|it|test)(?P<each>\.each\b)?.*?"""
    r"""(?P<quote>['"])(?P<title>(?:\\.|(?!(?P=quote)).)+)(?P=quote),\s*(?:\{[^}]*\},\s*)?(?:async\s*)?\(""",
)
_TABLE_END: Final = re.compile(
    r"""^(?P<indent>\s*)\](?:\s+as\s+const)?\)\((?P<quote>['"])(?P<title>(?:\\.|(?!(?P=quote)).)+)(?P=quote)"""
)


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A file of tests that a text names, and which test of it; None for all of them."""

    path: str
    test: str | None

    def __str__(self) -> str:
        return self.path if self.test is None else f"{self.path}::{self.test}"


def named_in(text: str) -> list[Named]:
    """Every file of tests and every test in a code span, in order; helpers of tests are none."""
    found = [Named(path, test or None) for path, test in _NAMED.findall(text)]
    return [name for name in found if _is_test_file(name.path)]


def is_there(name: Named, root: Path = ROOT) -> bool:
    """Whether there is that test, or a test at all where it names a whole file."""
    path = root / name.path
    if not path.is_file():
        return False
    tests = python_tests(path) if path.suffix == ".py" else titles(path)
    return bool(tests) if name.test is None else name.test in tests


@cache
def python_tests(path: Path) -> frozenset[str]:
    """Functions and, as `Class::function`, methods that pytest collects in a file; without parameters."""
    body = ast.parse(path.read_text("utf-8")).body
    found = {name for node in body for name in _test_name(node)}
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {f"{node.name}::{name}" for inner in node.body for name in _test_name(inner)}
    return frozenset(found)


@cache
def titles(path: Path) -> frozenset[str]:
    """What vitest calls the tests in a file: each title behind those of the blocks that it stands in."""
    found, blocks = set(), dict[int, str]()
    kinds = dict[int, str]()
    for line in path.read_text("utf-8").splitlines():
        opened = re.match(r"(\s*)(describe|it|test)\.each(?:<.*>)?\(\[$", line)
        if opened is not None:
            kinds[len(opened[1])] = opened[2]
        match = _TITLE.match(line) or _TABLE_END.match(line)
        if match is None:
            continue
        indent, title = len(match["indent"]), match["title"]
        kind = match.groupdict().get("kind") or kinds.get(indent)
        blocks = {depth: block for depth, block in blocks.items() if depth < indent}
        if kind == "describe":
            blocks[indent] = title
        elif kind is not None:
            found.add(" > ".join([*(blocks[depth] for depth in sorted(blocks)), title]))
    return frozenset(found)


def _is_test_file(path: str) -> bool:
    return Path(path).name.startswith("test_") or path.endswith(".test.ts")


def _test_name(node: ast.stmt) -> list[str]:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    return [node.name] if node.name.startswith("test_") else []
