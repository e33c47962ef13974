"""Finds comparisons of secrets that stop at the first difference, in Python, TypeScript and SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

SECRET: Final = re.compile(
    r"(?:^|_)(?:hash|mac|token|secret|proof|auth|digest|code|passphrase|password|receipt|challenge|bearer"
    r"|signature|seed|key|unlock|fingerprint|anchor)s?$"
)
"""What a secret is called, or what is made from one."""
_SIGNED: Final = "names a signed statement, which whoever compares it may read"
_LOG: Final = "chains the log, which whoever compares it may read"
PUBLIC: Final[Mapping[str, str]] = {
    "statement_hash": _SIGNED,
    "message_hash": _SIGNED,
    "rendition_hash": _SIGNED,
    "claim_hash": _SIGNED,
    "charter_hash": _SIGNED,
    "consent_hash": _SIGNED,
    "event_hash": _LOG,
    "last_hash": _LOG,
    "public_key": "the public half",
    "key_id": "made of a public key",
    "fingerprint": "of the public key of a root",
    "root_fingerprint": "of the public key of a root",
    "digests": "of the segments of a sealed body, which whoever compares them has",
    "lease_token": "made and compared by the database and a worker; nobody gives one",
}
"""What is called as a secret is, and is none; with the reason."""
_IN_TYPESCRIPT: Final = re.compile(
    r"(?P<left>[\w.()[\]]+)\s*[!=]==?\s*(?P<right>[\w.()[\]'\"]+)", re.ASCII
)
_END: Final = re.compile(r"\w+$")
_OF_TYPESCRIPT: Final = re.compile(
    r"(?:\w*(?:Mac|Token|Secret|Proof|Auth|Passphrase|Password|Receipt|Challenge|Bearer|Seed|Unlock)"
    r"|mac|token|secret|proof|auth|passphrase|password|receipt|challenge|bearer|seed|unlock"
    r"|(?:private|secret|claim|file|ring|unlock)Key)"
)
_NOTHING: Final = re.compile(r"\(?(?:null|undefined|true|false|''|\"\"|'.*'|\".*\"|[A-Z_]+|\d+)\)?")
_IN_SQL: Final = re.compile(r"(?P<column>\w+)\s*(?:=|<>|!=|in|like)\s*\(?\$\d", re.IGNORECASE)
_OF_SQL: Final = re.compile(
    r"(?:token|secret|proof|auth|passphrase|password|receipt|challenge|bearer|seed|unlock)$"
)


def in_python(source: str) -> Iterator[str]:
    """Every comparison with ==, !=, in or not in of something that is called as a secret is."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(how, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for how in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(
            isinstance(side, ast.Constant) and not isinstance(side.value, bytes) for side in sides
        ):
            continue  # with a word of the code
        names = {name for side in sides for name in _names(side)}
        if any(SECRET.search(name) and name not in PUBLIC for name in names):
            yield ast.unparse(node)


def _names(of: ast.expr) -> Iterator[str]:
    """What a value is called, at its end: a code of an error is none of anybody's."""
    match of:
        case ast.Name(id=name):
            yield name.lower()
        case ast.Attribute(attr="code"):
            return
        case ast.Attribute(attr=name):
            yield name.lower()
        case ast.Call(func=ast.Name(id="len")):
            return
        case ast.Call(func=ast.Attribute(value=made, attr="digest" | "hexdigest")):
            yield "digest"
            yield from _names(made)
        case ast.Call(func=function, args=args):
            yield from _names(function)
            yield from (name for one in args for name in _names(one))
        case ast.Subscript(value=whole) | ast.Await(value=whole) | ast.Starred(value=whole):
            yield from _names(whole)
        case ast.Tuple(elts=several) | ast.List(elts=several) | ast.Set(elts=several):
            yield from (name for one in several for name in _names(one))


def in_typescript(source: str) -> Iterator[str]:
    """The same of `===`, `!==`, `==` and `!=`, but for whether something is there and what length it has."""
    for line in source.splitlines():
        code = line.partition("//")[0]
        for found in _IN_TYPESCRIPT.finditer(code):
            sides = (found["left"], found["right"])
            if any(_NOTHING.fullmatch(side) for side in sides):
                continue
            names = [_END.search(side.rstrip("()")) for side in sides]
            if any(name and _OF_TYPESCRIPT.fullmatch(name[0]) for name in names):
                yield found[0]


def in_sql(source: str) -> Iterator[str]:
    """What is looked up by a secret itself and not by its hash."""
    for found in _IN_SQL.finditer(source):
        if _OF_SQL.search(found["column"].lower()) and found["column"].lower() not in PUBLIC:
            yield found[0]
