"""The whole corpus: some 1,290 hostile files, the same for the same seed."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.hostile_media import seeds
from tests.support.hostile_media.case import (
    BOMB,
    LARGE,
    LONG,
    PREPARED,
    UNKNOWN,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    Places,
    hostile,
)
from tests.support.hostile_media.damage import damaged
from tests.support.hostile_media.matroska import matroska
from tests.support.hostile_media.mov import mov
from tests.support.hostile_media.mov_pieces import mov_pieces
from tests.support.hostile_media.references import references
from tests.support.hostile_media.riff import riff
from tests.support.hostile_media.streams import streams

_BOMBS: Final[Mapping[str, tuple[str, ...]]] = {
    "black.mp4": (PREPARED, BOMB),
    "large.avi": (LARGE,),
    "still.avi": (PREPARED,),
    "hours.flac": (LONG,),
    "hours.webm": (LONG,),
    "slow.mkv": (PREPARED,),
    "quick.mkv": (PREPARED,),
    "thin.avi": (PREPARED,),
    "flat.avi": (PREPARED,),
    "dot.mkv": (PREPARED,),
}


@functools.cache
def recordings() -> dict[str, bytes]:
    """One real recording of each kind that relay takes."""
    return _made(seeds.TAKEN)


def corpus(places: Places, chance: random.Random) -> Iterator[Hostile]:
    """Every hostile file, one after another."""
    taken = recordings()
    yield from references(places, taken)
    yield from mov(taken)
    yield from mov_pieces(taken)
    yield from matroska(places, taken["webm"])
    yield from riff(taken)
    yield from streams(places, taken)
    yield from _others(taken)
    for name, content in _made(seeds.FORMATS).items():
        yield hostile(f"formats/{name}", content, UNSUPPORTED)
    for name, content in _made(seeds.BOMBS).items():
        yield hostile(f"bombs/{name}", content, *_BOMBS[name])
    yield from damaged(taken, chance)


def share(files: Sequence[Hostile], count: int, chance: random.Random) -> list[Hostile]:
    """So many of them, of as many classes as there are, in an order by chance."""
    by_kind: dict[str, list[Hostile]] = {}
    for file in files:
        by_kind.setdefault(file.kind, []).append(file)
    for of_kind in by_kind.values():
        chance.shuffle(of_kind)
    chosen: list[Hostile] = []
    while len(chosen) < min(count, len(files)):
        for kind in sorted(by_kind):
            if by_kind[kind] and len(chosen) < count:
                chosen.append(by_kind[kind].pop())
    chance.shuffle(chosen)
    return chosen


def _others(taken: Mapping[str, bytes]) -> Iterator[Hostile]:
    """What ffmpeg reads and relay does not, as it is and behind the first bytes of what relay takes."""
    heads = {"mp4": 32, "webm": 64, "avi": 32, "wav": 12, "ogg": 28, "flv": 13, "mp3": 4}
    files = {name: taken["opus.ogg" if name == "ogg" else name] for name in heads}
    for name, content in _made(seeds.OTHERS).items():
        yield hostile(f"others/{name}", content, UNKNOWN)
        for head, length in heads.items():
            disguised = files[head][:length] + content
            yield hostile(f"others/{name} behind the head of {head}", disguised, *_DISGUISED)


_DISGUISED: Final = (UNREADABLE, UNKNOWN, "video-truncated", UNSUPPORTED, PREPARED)
"""A raw stream is looked for in whatever is there; what is found may be too little, or just noise."""


def _made(wanted: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: seeds.made(arguments, Path(folder)) for name, arguments in wanted.items()}
