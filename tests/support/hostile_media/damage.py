"""Real recordings that were cut, joined and damaged at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.support.hostile_media.case import ANY, Hostile, hostile

Damage = Callable[[bytes, random.Random], bytes]
HEAD_BYTES: Final = 600
"""Where most containers say what they hold."""


def damaged(seeds: Mapping[str, bytes], chance: random.Random) -> Iterator[Hostile]:
    """Each recording with each kind of damage."""
    for name, content in seeds.items():
        for how, damage in _DAMAGES.items():
            yield hostile(f"damage/{name}: {how}", damage(content, chance), *ANY)
    names = list(seeds)
    for one in names:
        other = chance.choice([name for name in names if name != one])
        middle = chance.randrange(1, len(seeds[one]))
        spliced = seeds[one][:middle] + seeds[other]
        yield hostile(f"damage/{one}: {other} after {middle} bytes", spliced, *ANY)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def _cut_early(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(4, 200)]


def _cut_by_a_byte(content: bytes, _chance: random.Random) -> bytes:
    return content[:-1]


def _headless(content: bytes, chance: random.Random) -> bytes:
    return content[chance.randrange(1, HEAD_BYTES) :]


def _flipped(content: bytes, chance: random.Random, count: int, end: int) -> bytes:
    changed = bytearray(content)
    for _ in range(count):
        changed[chance.randrange(min(end, len(content)))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _one_bit(content: bytes, chance: random.Random) -> bytes:
    return _flipped(content, chance, 1, len(content))


def _some_bits(content: bytes, chance: random.Random) -> bytes:
    return _flipped(content, chance, 60, len(content))


def _many_bits(content: bytes, chance: random.Random) -> bytes:
    return _flipped(content, chance, 3000, len(content))


def _bits_of_the_head(content: bytes, chance: random.Random) -> bytes:
    return _flipped(content, chance, 12, HEAD_BYTES)


def _numbers_of_the_head(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(6):
        at = chance.randrange(12, min(HEAD_BYTES, len(content) - 8))
        changed[at : at + 4] = chance.choice(
            (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1")
        )
    return bytes(changed)


def _numbers_of_the_end(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(12):
        at = chance.randrange(max(0, len(content) - 2 * HEAD_BYTES), len(content) - 4)
        changed[at : at + 4] = chance.choice(
            (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1")
        )
    return bytes(changed)


def _hole(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    end = chance.randrange(start, len(content))
    return content[:start] + bytes(end - start) + content[end:]


def _left_out(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[chance.randrange(start, len(content)) :]


def _twice(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    end = chance.randrange(start, len(content))
    return content[:end] + content[start:]


def _noise(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randrange(1, 5000)) + content[at:]


def _noise_after_the_head(content: bytes, chance: random.Random) -> bytes:
    return content[:64] + chance.randbytes(20_000)


_DAMAGES: Final[dict[str, Damage]] = {
    "cut": _cut,
    "cut early": _cut_early,
    "without its last byte": _cut_by_a_byte,
    "without its beginning": _headless,
    "one bit": _one_bit,
    "60 bits": _some_bits,
    "3,000 bits": _many_bits,
    "bits of its head": _bits_of_the_head,
    "numbers of its head": _numbers_of_the_head,
    "numbers of its end": _numbers_of_the_end,
    "a hole": _hole,
    "a piece left out": _left_out,
    "a piece twice": _twice,
    "noise in it": _noise,
    "noise after its head": _noise_after_the_head,
}
