"""What starts apart, pauses, changes or breaks off on the way comes out in step, as far as it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.support.media import card
from tests.support.media.kinds import (
    AAC,
    ALIKE,
    BT709,
    FRAGMENTS,
    H264,
    LATE,
    NEAR,
    SOUND,
    VIDEO,
    WEBM,
    Kind,
    assert_as_it_was,
    assert_near,
    picture,
)
from tests.support.media.results import Make, Run, assert_as_promised

CODED: Final = (*H264, *BT709, *AAC)
LATER: Final = tuple(at + 0.5 for at in card.BEEP_TIMES)
SHORT: Final = 3
EARLY: Final = tuple(at for at in card.BEEP_TIMES if at < SHORT)


def _lost(begin: float, end: float) -> str:
    """Leaves out the packets between these seconds."""
    return f"noise=drop='gt(pts*tb\\,{begin})*lt(pts*tb\\,{end})'"


STARTS: Final = (
    *(
        picture(
            f"sound that begins later.{ending}",
            *(*VIDEO, *LATE, *SOUND, *CODED),
            seconds=card.SECONDS + 0.5,
            beeps=LATER,
        )
        for ending in ("mp4", "mkv", "ts")
    ),
    *(
        picture(
            f"a picture that begins later{name}",
            *(*LATE, *VIDEO, *SOUND, *CODED, *options),
            seconds=card.SECONDS + 0.5,
            fields=LATER,
        )
        for name, *options in (
            (".mp4",),
            (".mkv",),
            (".ts",),
            (" in fragments.mp4", "-bf", "0", *FRAGMENTS),
        )
    ),
    picture(
        "a clock that began long before.mkv", *VIDEO, *SOUND, *CODED, "-output_ts_offset", "1000"
    ),
    picture(
        "a first picture that needs another.mp4",
        *(*VIDEO, *SOUND, *CODED, "-g", "45", "-bf", "0", "-bsf:v", "noise=drop='lt(n,10)'"),
        fields=card.BEEP_TIMES[1:],
    ),
)
ENDS: Final = (
    *(
        picture(
            f"a picture that ends early.{ending}",
            *(*card.filmed(320, 180, seconds=SHORT), *SOUND, *codecs),
            fields=EARLY,
        )
        for ending, codecs in (("mp4", CODED), ("webm", WEBM))
    ),
    picture(
        "a sound that ends early.mp4",
        *(*VIDEO, *card.heard(seconds=SHORT), *CODED),
        beeps=EARLY,
    ),
)
PAUSES: Final = (
    *(
        picture(
            f"sound that lost four packets.{ending}",
            *VIDEO,
            *SOUND,
            *codecs,
            "-bsf:a",
            _lost(3, 3.08),
        )
        for ending, codecs in (("mp4", CODED), ("mkv", CODED), ("webm", WEBM))
    ),
    picture("sound that pauses.mp4", *VIDEO, *SOUND, *CODED, "-bsf:a", _lost(3, 4)),
    picture("a picture that pauses.mp4", *VIDEO, *SOUND, *CODED, "-bf", "0", "-bsf:v", _lost(3, 4)),
    picture(
        "a recording that pauses.webm",
        *(*VIDEO, *SOUND, "-vf", "select='lt(t,3)+gte(t,4)'", "-fps_mode", "vfr"),
        *("-af", "aselect='lt(t,3)+gte(t,4)'", *WEBM),
        near=30,
    ),
)


@pytest.mark.parametrize("kind", [*STARTS, *ENDS, *PAUSES], ids=lambda kind: kind.name)
async def test_what_starts_pauses_and_ends_apart_stays_in_step(
    run: Run, make: Make, kind: Kind
) -> None:
    """Each picture and each sound is at its own moment of the recording, from the first on."""
    assert_as_it_was(await run(make(kind.name, *kind.arguments)), kind)


# What becomes another on the way.


@pytest.mark.parametrize(("ending", "sound"), [("webm", "libopus"), ("mp4", "aac"), ("mkv", "aac")])
async def test_a_phone_that_is_turned_while_it_records_stays_in_step(
    run: Run, make: Make, tmp_path: Path, ending: str, sound: str
) -> None:
    """The picture fits from there on, with bars beside it, and the voice continues."""
    codec: tuple[str, ...] = (
        H264 if ending != "webm" else ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M")
    )
    codec += ("-g", "30")
    flat = make(f"flat.{ending}", *card.filmed(320, 240), *codec, *BT709)
    high = make(f"high.{ending}", *card.filmed(240, 320), *codec, *BT709)
    listed = tmp_path / "both.txt"
    listed.write_text(f"file '{flat}'\nfile '{high}'\n", "utf-8")
    voice = card.heard(seconds=2 * card.SECONDS)
    both = make(
        f"turned-{sound}.{ending}",
        *("-f", "concat", "-safe", "0", "-i", str(listed), *voice),
        *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", sound),
    )
    done = await run(both)
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (320, 240)
    seen = card.look_at(done)
    expected = [*card.BEEP_TIMES, *(card.SECONDS + at for at in card.BEEP_TIMES)]
    assert [round(at, 1) for at in seen.fields] == expected
    assert [round(at, 1) for at in seen.beeps] == list(card.BEEP_TIMES)
    assert abs(done.transcoded.duration_ms - 2 * card.SECONDS * 1000) < 120
    # Fitted into its height: bars at both sides, and the corners of the card next to them.
    assert all(card.near(seen.last[name], (0, 0, 0), NEAR) for name in ("red", "green"))


async def test_sound_that_becomes_stereo_goes_on(run: Run, make: Make) -> None:
    """No silence is put in where one microphone becomes two, and nothing is lost."""
    one = make("one.aac", *card.heard(), *AAC, "-ac", "1")
    two = make("two.aac", *card.heard(), *AAC, "-ac", "2")
    done = await run(one.read_bytes() + two.read_bytes() + one.read_bytes())
    assert_as_promised(done)
    expected = [part * card.SECONDS + at for part in range(3) for at in card.BEEP_TIMES]
    beeps = card.look_at(done).beeps
    assert len(beeps) == len(expected)
    # Each part begins with the encoder's own silence of 21 ms.
    assert all(abs(beep - at) < 0.15 for beep, at in zip(beeps, expected, strict=True)), beeps
    assert abs(done.transcoded.duration_ms - 3 * card.SECONDS * 1000) < 250


@pytest.mark.parametrize("turned", [False, True])
async def test_what_changes_in_a_pause_stays_in_step(run: Run, make: Make, *, turned: bool) -> None:
    """A headset is taken off, and the phone turned, while nothing is recorded for a second."""
    both = [
        make(
            f"{name}.ts",
            *(*card.filmed(*size, seconds=SHORT), *card.heard(seconds=SHORT), *CODED),
            *("-ar", rate, "-ac", channels, "-output_ts_offset", begin, *ALIKE),
        ).read_bytes()
        for name, size, rate, channels, begin in (
            ("before a pause", (320, 180), "48000", "1", "0"),
            (f"after a pause, {turned}", (180, 320) if turned else (320, 180), "44100", "2", "4"),
        )
    ]
    done = await run(b"".join(both))
    assert_as_promised(done)
    expected = (*EARLY, *(at + SHORT + 1 for at in EARLY))
    seen = card.look_at(done)
    assert_near(seen.fields, expected)
    assert_near(seen.beeps, expected)
    assert abs(done.transcoded.duration_ms - 7000) < 120


async def test_sound_that_changes_may_begin_later(run: Run, make: Make) -> None:
    """The picture waits for nobody, also where the sound becomes another after its late begin."""
    first = make(
        "late and mono.ts",
        *(*card.filmed(320, 180, seconds=SHORT), *LATE, *card.heard(seconds=SHORT), *CODED),
        *("-ac", "1", *ALIKE),
    )
    second = make(
        "on and stereo.ts",
        *(*card.filmed(320, 180, seconds=SHORT), *card.heard(seconds=SHORT), *CODED),
        *("-ac", "2", "-output_ts_offset", "4", *ALIKE),
    )
    seen = card.look_at(await run(first.read_bytes() + second.read_bytes()))
    assert_near(seen.fields, (1.0, 2.5, 5.0, 6.5))
    assert_near(seen.beeps, (1.5, 3.0, 5.0, 6.5))


# What breaks off, and what is damaged.


@pytest.mark.parametrize(
    ("ending", "codecs"),
    [
        ("webm", (*WEBM, "-live", "1")),
        ("mp4", (*CODED, "-g", "30", *FRAGMENTS)),
        ("ts", (*CODED, "-g", "30")),
        ("flv", (*CODED, "-g", "30")),
    ],
)
@pytest.mark.parametrize("share", [0.6, 0.8])
async def test_a_recorder_whose_battery_ends_leaves_what_it_had(
    run: Run, make: Make, ending: str, codecs: tuple[str, ...], share: float
) -> None:
    """These kinds are written as they are recorded, and say no length: what is there is taken."""
    content = make(f"battery.{ending}", *VIDEO, *SOUND, *codecs).read_bytes()
    done = await run(content[: int(len(content) * share)])
    assert_as_promised(done)
    assert 2900 < done.transcoded.duration_ms < card.SECONDS * 1000
    seen = card.look_at(done)
    assert_near(seen.fields, card.BEEP_TIMES[: len(seen.fields)])
    assert_near(seen.beeps, card.BEEP_TIMES[: len(seen.beeps)])
    assert len(seen.fields) >= 2
    assert len(seen.beeps) >= 2


def _damaged(content: bytes) -> bytes:
    """A few bytes in the middle are others."""
    at = len(content) // 2
    return content[:at] + bytes(number * 37 % 256 for number in range(300)) + content[at + 300 :]


@pytest.mark.parametrize(
    ("ending", "codecs"),
    [("mp4", CODED), ("mkv", CODED), ("ts", CODED), ("webm", WEBM), ("flv", CODED)],
)
async def test_a_damaged_place_does_not_take_the_rest_with_it(
    run: Run, make: Make, ending: str, codecs: tuple[str, ...]
) -> None:
    """The length stays, and all pictures after it come at their moments."""
    source = make(f"damaged.{ending}", *VIDEO, *SOUND, *codecs, "-g", "30")
    done = await run(_damaged(source.read_bytes()))
    assert_as_promised(done)
    assert abs(done.transcoded.duration_ms - card.SECONDS * 1000) < 120
    seen = card.look_at(done)
    assert_near(seen.fields, card.BEEP_TIMES)
    assert_near(seen.beeps[-1:], card.BEEP_TIMES[-1:])
    assert all(card.near(seen.last[name], card.COLOURS[name], NEAR) for name in card.COLOURS)


# What is long, and what only says so.


async def test_one_picture_and_a_long_voice(run: Run, make: Make) -> None:
    """A picture that is shown for two minutes is shown as often as any other."""
    source = make(
        "one picture.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=1/120:d=120"),
        *("-f", "lavfi", "-i", "sine=f=300:d=120", *H264, *AAC),
    )
    done = await run(source)
    assert_as_promised(done)
    assert abs(done.transcoded.duration_ms - 120_000) < 200
    with done.open() as container:
        assert container.streams.video[0].average_rate == 15


async def test_words_that_go_on_for_long_do_not_make_it_long(
    run: Run, make: Make, tmp_path: Path
) -> None:
    """A subtitle that is shown for an hour is not picture or sound."""
    words = tmp_path / "long.srt"
    words.write_text("1\n00:00:01,000 --> 01:00:00,000\nwords\n", "ascii")
    source = make(
        "long words.mkv",
        *(*VIDEO, *SOUND, "-i", str(words), "-map", "0", "-map", "1", "-map", "2"),
        *(*H264, *BT709, *AAC, "-c:s", "srt"),
    )
    done = await run(source, video_max_seconds=60)
    assert abs(done.transcoded.duration_ms - card.SECONDS * 1000) < 120
