"""Changes an input a little: its bytes, its lines, or the JSON that it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

BYTES: Final = (
    b"\0",
    b"\n",
    b"\r\n",
    b" ",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    "\u2028".encode(),
)
NUMBERS: Final = (0, -1, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63, 10**400, 1.0, 1e300, -0.0)
TEXTS: Final = (
    "",
    "\n",
    " ",
    "\0",
    "0",
    "é",
    "\u2028",
    "\U0001f3f4",
    "0001-01-01T00:00:00+14:00",
    "a" * 65,
)
REPEATED_MAX: Final = 4096


def mutate_bytes(given: bytes, chance: random.Random) -> bytes:
    """One change of a few bytes, or a piece many times over."""
    at = chance.randint(0, len(given))
    to = min(len(given), at + chance.choice((0, 1, 1, 2, 4, 16, 64)))
    piece = given[at:to]
    other = chance.randint(0, len(given))
    if given and chance.random() < 0.15:
        changed = bytearray(given)
        changed[chance.randrange(len(given))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    if chance.random() < 0.15:
        return given[:other] + piece + given[other:]
    times = chance.choice((2, 2, 8, 64, REPEATED_MAX // max(1, len(piece))))
    put = (b"", piece * times, chance.choice(BYTES), chance.randbytes(chance.randint(1, 4)))
    return given[:at] + chance.choice(put) + given[to:]


def mutate_json(given: bytes, chance: random.Random) -> bytes:
    """The same JSON with another value somewhere, or a member more, less, twice or under another name."""
    try:
        document = json.loads(given)
    except (ValueError, RecursionError):
        return mutate_bytes(given, chance)
    if chance.random() < 0.2:
        return mutate_bytes(given, chance)
    changed = _changed(document, chance)
    text = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
    if chance.random() < 0.05:
        text = text.replace("}", ',"' + "x" * chance.randint(0, 2) + '":' + "[" * 3000 + "}", 1)
    return text.encode("utf-8", "surrogatepass")


def mutate_lines(
    line: Callable[[bytes, random.Random], bytes],
) -> Callable[[bytes, random.Random], bytes]:
    """Lines of which one is changed as `line` says, left out, repeated or moved."""

    def mutate(given: bytes, chance: random.Random) -> bytes:
        lines = given.split(b"\n")
        at = chance.randrange(len(lines))
        other = chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                return mutate_bytes(given, chance)
            case _:
                lines[at] = line(lines[at], chance)
        return b"\n".join(lines)

    return mutate


def mutate_after_line(
    rest: Callable[[bytes, random.Random], bytes],
) -> Callable[[bytes, random.Random], bytes]:
    """A first line that says what the rest is, which alone is changed; now and then the line itself."""

    def mutate(given: bytes, chance: random.Random) -> bytes:
        first, line_end, following = given.partition(b"\n")
        if chance.random() < 0.05:
            return mutate_bytes(first, chance) + line_end + following
        return first + b"\n" + rest(following, chance)

    return mutate


def choose(
    given: Sequence[Callable[[bytes, random.Random], bytes]],
) -> Callable[[bytes, random.Random], bytes]:
    """One of these changes each time."""
    return lambda data, chance: chance.choice(given)(data, chance)


def _changed(value: Any, chance: random.Random) -> Any:
    """The value with one change, at any depth."""
    if isinstance(value, dict) and value:
        return _changed_object(value, chance)
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        put: tuple[list[Any], ...] = ([], [value[at], value[at]], [_changed(value[at], chance)])
        return [*value[:at], *chance.choice(put), *value[at + 1 :]]
    if isinstance(value, str) and chance.random() < 0.6:
        at = chance.randint(0, len(value))
        return value[:at] + chance.choice(TEXTS) + value[at + chance.randint(0, 2) :]
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        return value + chance.choice((-1, 1))
    return chance.choice((None, True, [], {}, [value], *NUMBERS, *TEXTS))


def _changed_object(value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    name = chance.choice(list(value))
    match chance.randrange(8):
        case 0:
            return {key: member for key, member in value.items() if key != name}
        case 1:
            return {**value, name + chance.choice(("_", "\n", "é")): value[name]}
        case 2:
            return dict(reversed(value.items()))
        case 3:
            return {**value, name: value[chance.choice(list(value))]}
        case _:
            return {**value, name: _changed(value[name], chance)}
