"""Reads expressions of Prometheus as far as tests need it: which metrics they name, with which labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

FUNCTIONS: Final = frozenset(
    {
        *("absent", "avg", "histogram_quantile", "increase", "max", "min", "predict_linear"),
        *("rate", "sum", "time"),
    }
)
WORDS: Final = frozenset({"and", "by", "on"})
TOKEN: Final = re.compile(
    r"""
    (?P<blank>\s+)
    | (?P<string>"[^"\\]*")
    | (?P<range>\[(?:\d+[smhdw]|\$__rate_interval)\])
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/<>=(){},])
    """,
    re.VERBOSE,
)
_PAIRS: Final = {")": "(", "}": "{"}


class NotUnderstood(Exception):
    """It is no expression, or one that this does not know."""


class Selector(msgspec.Struct, frozen=True):
    """A metric that is named, with what is asked of its labels: name, operator, value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def selectors(expression: str) -> list[Selector]:
    """Every metric in an expression; NotUnderstood where there is anything else that is no word of PromQL."""
    tokens = list(_tokens(expression))
    _require_pairs([text for _kind, text in tokens])
    found: list[Selector] = []
    place = 0
    while place < len(tokens):
        kind, text = tokens[place]
        follows = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        place += 1
        if kind != "name":
            continue
        if text in {"by", "on"}:
            place = _after(tokens, place, ")")
        elif text in FUNCTIONS or text in WORDS:
            if text in FUNCTIONS and follows not in {"(", "by"}:
                raise NotUnderstood(f"{text} without arguments")
        elif follows == "{":
            end = _after(tokens, place, "}")
            found.append(Selector(text, tuple(_matchers(tokens[place + 1 : end - 1]))))
            place = end
        elif follows == "(":
            raise NotUnderstood(f"the function {text}")
        else:
            found.append(Selector(text, ()))
    return found


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(expression):
        token = TOKEN.match(expression, place)
        if token is None or token.lastgroup is None:
            raise NotUnderstood(expression[place : place + 20])
        if token.lastgroup != "blank":
            yield token.lastgroup, token[0]
        place = token.end()


def _require_pairs(texts: list[str]) -> None:
    open_: list[str] = []
    for text in texts:
        if text in _PAIRS.values():
            open_.append(text)
        elif text in _PAIRS and (not open_ or open_.pop() != _PAIRS[text]):
            raise NotUnderstood(f"{text} closes nothing")
    if open_:
        raise NotUnderstood(f"{open_[-1]} is not closed")


def _after(tokens: list[tuple[str, str]], place: int, text: str) -> int:
    for number in range(place, len(tokens)):
        if tokens[number][1] == text:
            return number + 1
    raise NotUnderstood(f"no {text}")


def _matchers(tokens: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    kinds = [kind for kind, _text in tokens if _text != ","]
    texts = [text for _kind, text in tokens if text != ","]
    if kinds != ["name", "sign", "string"] * (len(kinds) // 3):
        raise NotUnderstood("what is asked of the labels")
    for name, operator, value in zip(texts[::3], texts[1::3], texts[2::3], strict=True):
        yield name, operator, value.strip('"')
