"""Finds what in relay reads what somebody else wrote, by how it is called and what it is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
_READS: Final = re.compile(
    r"(?:parse|read|decode|verify|verified|open|opened|opens|load|unpad|unwrap|recognize|requested|counted|given|from)"
    r"(?:_|$)|(?:check_whole|check_rendition|check_poster|language_of|\w+_decode)$"
)
_GIVEN: Final = re.compile(r"\b(?:str|bytes|BytesLike|Path|IO|Outcome|NamedFile|WebhookKey)\b")


def parsers(package: str) -> Iterator[str]:
    """Module and name of each public function or method below `package` that is called as a parser is.

    Only what can be called by itself: nothing that awaits, and nothing without a text, bytes or a file.
    """
    folder = ROOT / package.replace(".", "/")
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    for path in files:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, function in _functions(ast.parse(path.read_text("utf-8"))):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            hints = (ast.unparse(a.annotation) for a in arguments if a.annotation is not None)
            if _READS.match(function.name) and any(_GIVEN.search(hint) for hint in hints):
                yield f"{module}.{name}"


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions and those of public classes, with their names in the module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner
