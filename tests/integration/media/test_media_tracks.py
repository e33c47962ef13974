"""Each person at a microphone of their own, a screen beside a voice: every track of sound is heard."""

from __future__ import annotations

import array
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import pytest

from tests.support.media import boxes, card
from tests.support.media.kinds import (
    AAC,
    ALIKE,
    BT709,
    H264,
    LATE,
    LEFT,
    OPPOSED,
    SOUND,
    VIDEO,
    Kind,
    assert_as_it_was,
    assert_near,
    picture,
)
from tests.support.media.results import Done, Make, Run, assert_as_promised

OTHERS: Final = (0.3, 1.8, 3.3)
"""When somebody else speaks."""
OTHER: Final = card.heard(times=OTHERS)
BOTH: Final = tuple(sorted((*card.BEEP_TIMES, *OTHERS)))
ONE_DIES: Final = tuple(sorted((*(at for at in card.BEEP_TIMES if at < 2), *OTHERS)))
CODED: Final = (*H264, *BT709, *AAC)
ENABLED: Final = ("-disposition:a", "default")
TURNED: Final = "volume=-1"


def _tracks(*inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Inputs of ffmpeg, of which each becomes a track."""
    maps = [part for number in range(len(inputs)) for part in ("-map", str(number))]
    return (*(part for one in inputs for part in one), *maps)


def _first_unknown(content: bytes) -> bytes:
    return boxes.unknown(content, b"mp4a")


def _last_off(content: bytes) -> bytes:
    """The third track is not enabled, as another language or a commentary."""
    return boxes.patched(content, b"tkhd", 0, b"\0\0\0\2", 2)


TWO: Final = _tracks(VIDEO, SOUND, OTHER)
HEARD: Final = (
    *(
        picture(f"two microphones.{ending}", *TWO, *CODED, *options, beeps=BOTH)
        for ending, *options in (
            ("mkv",),
            ("mov", *ENABLED),
            ("ts",),
            ("avi",),
            ("webm", "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M", "-c:a", "libopus"),
        )
    ),
    picture(
        "two microphones and no camera.mka",
        *(*_tracks(SOUND, OTHER), *AAC),
        size=(0, 0),
        fields=(),
        beeps=BOTH,
    ),
    picture(
        "the camera's own microphone and two more.mkv",
        *(*_tracks(VIDEO, SOUND, OTHER, card.heard(times=(5.2,))), *CODED),
        beeps=(*BOTH, 5.2),
    ),
    picture(
        "another language.mov",
        *(*TWO, *CODED, *ENABLED),
        edit=_last_off,
    ),
    picture(
        "a quiet microphone beside a loud screen.mkv",
        *(*TWO, *CODED, "-filter:a:0", "volume=-32dB"),
        beeps=BOTH,
    ),
    picture(
        "a silent track beside two.mkv",
        *(*_tracks(VIDEO, card.SILENT, SOUND, OTHER), *CODED),
        beeps=BOTH,
    ),
    picture(
        "an unknown track beside two.mov",
        *(*_tracks(VIDEO, SOUND, SOUND, OTHER), *CODED, *ENABLED),
        edit=_first_unknown,
        beeps=BOTH,
    ),
    *(
        picture(
            f"a first track that dies.{ending}",
            *(*TWO, *CODED, "-bsf:a:0", "noise=drop='gt(pts*tb\\,2)'"),
            beeps=ONE_DIES,
        )
        for ending in ("mkv", "ts")
    ),
    picture(
        "a second track that is short.mkv",
        *(*_tracks(VIDEO, OTHER, card.heard(seconds=2)), *CODED),
        beeps=ONE_DIES,
    ),
    *(
        picture(
            f"a second track that begins later.{ending}",
            *(*_tracks(VIDEO, SOUND, (*LATE, *card.heard(times=(1.3, 3.0, 5.0)))), *CODED),
            *ENABLED,
            seconds=card.SECONDS + 0.5,
            beeps=(1.0, 1.8, 2.5, 3.5, 4.5, 5.5),
        )
        for ending in ("mkv", "mov", "ts")
    ),
    *(
        picture(
            f"a picture and a first track that begin later.{ending}",
            *_tracks((*LATE, *VIDEO), (*LATE, *SOUND), card.heard(times=(0.3, 2.2, 3.7))),
            *CODED,
            seconds=card.SECONDS + 0.5,
            fields=(1.5, 3.0, 5.0),
            beeps=(0.3, 1.5, 2.2, 3.0, 3.7, 5.0),
        )
        for ending in ("mkv", "ts")
    ),
    *(
        picture(
            f"somebody who joins late.{ending}",
            *_tracks(
                card.filmed(320, 180, seconds=16),
                card.heard(seconds=16),
                ("-itsoffset", "12", *card.heard(seconds=3)),
            ),
            *CODED,
            seconds=16,
            beeps=(*card.BEEP_TIMES, 13.0, 14.5),
        )
        for ending in ("mkv", "ts")
    ),
    picture(
        "a pause in one of two.mkv",
        *(*TWO, *CODED, "-bsf:a:0", "noise=drop='gt(pts*tb\\,3.7)*lt(pts*tb\\,4.3)'"),
        beeps=BOTH,
    ),
    picture(
        "wrong cables.mkv",
        *(*TWO, *CODED, "-filter:a:0", LEFT, "-filter:a:1", OPPOSED),
        beeps=BOTH,
    ),
    picture(
        "two tracks that cancel each other.mkv",
        *(*_tracks(VIDEO, SOUND, SOUND), *CODED, "-filter:a:1", TURNED),
    ),
)


@pytest.mark.parametrize("kind", HEARD, ids=lambda kind: kind.name)
async def test_every_track_is_heard_at_its_moments(
    run: Run, make: Make, loudness: Callable[[bytes], float], kind: Kind
) -> None:
    """Everybody is heard, on whichever track they speak, in step, and as loud as any other voice."""
    done = await run(kind.edit(make(kind.name, *kind.arguments).read_bytes()))
    assert_as_it_was(done, kind)
    assert abs(loudness(done.rendition) + 16) < 1.5
    shares = [progress.fraction for progress in done.told]
    assert all(one <= next_one for one, next_one in pairwise(shares))


async def test_the_same_sound_twice_is_heard_once(
    run: Run, make: Make, loudness: Callable[[bytes], float]
) -> None:
    """A program writes the mix on one track and the microphone alone on the other: no echo, no distortion."""
    source = make("mix and microphone.mkv", *_tracks(VIDEO, SOUND, SOUND), *CODED)
    once = await run(make("microphone alone.mkv", *VIDEO, *SOUND, *CODED))
    twice = await run(source)
    assert_near(card.look_at(twice).beeps, card.BEEP_TIMES)
    assert abs(loudness(twice.rendition) + 16) < 1.5
    assert max(_envelope(twice)) < 0.9
    loud = [sum(level > card.BEEP_AT_LEAST for level in _envelope(done)) for done in (once, twice)]
    assert abs(loud[0] - loud[1]) <= 3, "an echo would make each beep longer"


@pytest.mark.parametrize(("ending", "decibels"), [("mkv", 6), ("mkv", -30), ("mov", -30)])
async def test_a_hum_does_not_drown_the_voice(
    run: Run, make: Make, ending: str, decibels: int
) -> None:
    """A microphone that nobody wears is not lifted to a voice, and one that roars is held down.

    Nor does it hide a voice on a track that a MOV has switched off.
    """
    hum = ("-f", "lavfi", "-i", f"sine=f=100:d=12,volume={decibels}dB")
    voice = card.heard(seconds=12)
    source = make(
        f"a hum of {decibels}.{ending}",
        *(*_tracks(card.filmed(320, 180, seconds=12), hum, voice), *CODED),
        *("-filter:a:1", "volume=-20dB"),
    )
    done = await run(source)
    assert_as_promised(done)
    levels = _envelope(done)
    loud = [level > max(levels) / 3 for level in levels]
    begun = [at / 100 for at, (before, now) in enumerate(pairwise(loud), 1) if now and not before]
    assert_near(tuple(begun), card.BEEP_TIMES)


async def test_a_track_that_changes_beside_one_that_does_not(run: Run, make: Make) -> None:
    """A headset is taken off in a pause: the camera's own microphone continues, and both stay in step."""
    parts = [
        make(
            f"two of which one {name}.ts",
            *_tracks(
                card.filmed(320, 180, seconds=3),
                card.heard(seconds=3, times=(1.0,)),
                card.heard(seconds=3, times=(2.0,)),
            ),
            *(*CODED, "-ar:a:0", rate, "-ac:a:0", channels, "-ar:a:1", "48000"),
            *("-output_ts_offset", begin, *ALIKE),
        ).read_bytes()
        for name, rate, channels, begin in (
            ("is mono", "48000", "1", "0"),
            ("is stereo", "44100", "2", "4"),
        )
    ]
    done = await run(b"".join(parts))
    assert_as_promised(done)
    assert_near(card.look_at(done).beeps, (1.0, 2.0, 5.0, 6.0))
    assert abs(done.transcoded.duration_ms - 7000) < 120


def _envelope(done: Done) -> list[float]:
    """The loudest of each 10 ms, both sides."""
    samples = array.array("f")
    with done.open() as container:
        for frame in container.decode(audio=0):
            samples.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
    pieces = (samples[at : at + 480] for at in range(0, len(samples), 480))
    return [max(map(abs, piece)) for piece in pieces]
