"""Recordings from outside: which container it is, and what the jail says of what is in it."""

from __future__ import annotations

import functools
import os
import random
import struct
from typing import Final

from relay.media import errors, recipe
from relay.media.clean import check_poster, check_rendition
from relay.media.facts import Facts
from relay.media.inside.containers import RefusedError, check_whole, recognize
from relay.media.jail import Outcome
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.probe import check_facts, read_facts
from relay.settings import Settings
from tests.support.fuzz.mutation import choose, mutate_bytes, mutate_json
from tests.support.fuzz.reading import attempt, listed, passes
from tests.support.fuzz.target import Target

_REFUSALS: Final = frozenset(
    {
        *("video-playlist", "video-protected", "video-not-recognized", "video-truncated"),
        *("video-expands-too-much", "video-unreadable"),
    }
)


@functools.cache
def _file() -> int:
    """A file in memory, used again for each input."""
    return os.memfd_create("relay-fuzz")


def _containers(given: bytes) -> str | None:
    descriptor = _file()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, given, 0)
    said = _recognized(descriptor)
    assert "-" not in said or said in _REFUSALS
    return said


def _recognized(descriptor: int) -> str:
    try:
        demuxer = recognize(descriptor)
        check_whole(descriptor, demuxer)
    except RefusedError as refused:
        return str(refused)
    return demuxer


@functools.cache
def _limits() -> MediaLimits:
    given = {"RELAY_DATABASE_URL": "postgresql://localhost/relay"}
    return MediaLimits.from_settings(Settings.from_environment(given, database_alone=True))


def _facts(given: bytes) -> str | None:
    """What the probe printed: it was alone with a hostile file, and is believed no more than that."""
    outcome = Outcome(status=0, stdout=given, stderr=b"", timed_out=False)
    refused = errors.MediaRefused
    facts = attempt(lambda: read_facts(outcome, source_bytes=1000, limits=_limits()), refused)
    if facts is None:
        return None
    fine = passes(lambda: check_facts(facts, source_bytes=1000, limits=_limits()), refused)
    if fine and facts.video:
        out = recipe.shape(facts.video)
        assert 2 <= out.width <= recipe.LONG_SIDE_PIXELS
        assert 2 <= out.height <= recipe.LONG_SIDE_PIXELS
        assert 0 < out.rate <= recipe.MAX_RATE
    _ = facts.played, facts.sounds
    return listed(len(facts.streams), fine)


def _renditions(given: bytes) -> str | None:
    """What was made in the jail, as the last look at it sees it."""
    file = _written(given)
    try:
        is_clean = passes(lambda: check_rendition(file, Facts()), errors.TracesRemained)
        return "clean" if is_clean else None
    finally:
        file.close()


def _posters(given: bytes) -> str | None:
    file = _written(given)
    try:
        is_clean = passes(lambda: check_poster(file), errors.TracesRemained)
    finally:
        file.close()
    assert not is_clean or (given.startswith(b"\xff\xd8") and b"Exif" not in given[:20])
    return "clean" if is_clean else None


def _written(given: bytes) -> MemoryFile:
    file = MemoryFile()
    file.write(given)
    file.seal()
    return file


_BOXES: Final = (
    *(b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref", b"stbl", b"stsd", b"cmov", b"cmvd"),
    *(
        b"mdat",
        b"moof",
        b"ftyp",
        b"meta",
        b"encv",
        b"url ",
        b"mvhd",
        b"tkhd",
        b"udta",
        b"avc1",
        b"hdlr",
    ),
)
_ELEMENTS: Final = (
    *(b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\x6d\x80", b"\x62\x40", b"\x50\x35"),
    *(b"\x1f\x43\xb6\x75", b"\x01\xff\xff\xff\xff\xff\xff\xff"),
)


def _box(given: bytes, chance: random.Random) -> bytes:
    """A piece of the file put into a box of its size, or of a size that is none."""
    at = chance.randint(0, len(given))
    to = min(len(given), at + chance.choice((0, 4, 8, 64, 4096)))
    inner = given[at:to]
    size = chance.choice(
        (len(inner) + 8, len(inner) + 8, len(inner) + 8, 0, 1, 7, 2**31, 2**32 - 1)
    )
    box = struct.pack(">I", size) + chance.choice(_BOXES) + inner
    return given[:at] + box + given[to:]


def _element(given: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(given))
    to = min(len(given), at + chance.choice((0, 2, 8, 60)))
    inner = given[at:to]
    return given[:at] + chance.choice(_ELEMENTS) + bytes([0x80 | len(inner)]) + inner + given[to:]


TARGETS: Final = (
    Target(
        name="containers",
        reads=(
            "relay.media.inside.containers.recognize",
            "relay.media.inside.containers.check_whole",
        ),
        check=_containers,
        mutate=choose([mutate_bytes, _box, _element]),
        largest=16_384,
    ),
    Target(
        name="probe-answers",
        reads=("relay.media.probe.read_facts", "relay.media.probe.check_facts"),
        check=_facts,
        mutate=mutate_json,
    ),
    Target(
        name="renditions",
        reads=("relay.media.clean.check_rendition",),
        check=_renditions,
        mutate=choose([mutate_bytes, _box]),
    ),
    Target(name="posters", reads=("relay.media.clean.check_poster",), check=_posters),
)
