"""The recipe in numbers: which size, rate and loudness comes out, and what the command may not lack."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest

from relay.media import recipe, sound
from relay.media.facts import CODECS, Facts, StreamFacts


def video(**given: object) -> StreamFacts:
    """An HD video stream, but for what is given."""
    plain: dict[str, object] = {
        "index": 0,
        "kind": "video",
        "codec": "h264",
        "shown": True,
        "width": 1920,
        "height": 1080,
        "average_rate": "30/1",
        "base_rate": "30/1",
    }
    return StreamFacts(**(plain | given))  # type: ignore[arg-type] # facts of any kind


@pytest.mark.parametrize(
    ("width", "height", "rotation", "aspect", "expected"),
    [
        (1920, 1080, 0, "1/1", (1280, 720)),
        (1920, 1080, 90, "1/1", (720, 1280)),
        (1920, 1080, -90, "1/1", (720, 1280)),
        (1920, 1080, 180, "1/1", (1280, 720)),
        (3840, 2160, 0, "1/1", (1280, 720)),
        (320, 240, 0, "1/1", (320, 240)),
        (333, 251, 0, "1/1", (332, 250)),
        (1440, 1080, 0, "4/3", (1280, 720)),
        (720, 576, 0, "16/15", (768, 576)),
        (8000, 1000, 0, "1/1", (2560, 320)),
        (1, 1, 0, "1/1", (2, 2)),
    ],
)
def test_the_short_side_is_at_most_720_and_nothing_grows(
    width: int, height: int, rotation: int, aspect: str, expected: tuple[int, int]
) -> None:
    """Turned upright, square pixels, even sides, never larger than it was."""
    shape = recipe.shape(video(width=width, height=height, rotation=rotation, sample_aspect=aspect))
    assert (shape.width, shape.height) == expected


@pytest.mark.parametrize(
    ("average", "base", "expected"),
    [
        ("30/1", "30/1", Fraction(30)),
        ("60/1", "60/1", Fraction(30)),
        ("60000/1001", "60000/1001", Fraction(30000, 1001)),
        ("50/1", "50/1", Fraction(25)),
        ("48/1", "48/1", Fraction(24)),
        ("240/1", "240/1", Fraction(30)),
        ("24/1", "24/1", Fraction(24)),
        ("35/1", "35/1", Fraction(30)),
        ("15/1", "15/1", Fraction(15)),
        ("10/1", "10/1", Fraction(20)),
        ("1/1", "1/1", Fraction(15)),
        ("180/83", "2/1", Fraction(1260, 83)),
        ("17/1", "30/1", Fraction(30)),
        ("25/1", "1000/1", Fraction(25)),
        ("7/1", "600/1", Fraction(30)),
        ("", "1000/1", Fraction(30)),
        ("1000/1", "1000/1", Fraction(30)),
        ("", "", Fraction(30)),
        ("1/2400", "1/2400", Fraction(15)),
    ],
)
def test_the_rate_is_between_15_and_30(average: str, base: str, expected: Fraction) -> None:
    """Halved where that is even; what is slower comes more than once; a clock is not taken for a rate."""
    assert recipe.output_rate(video(average_rate=average, base_rate=base)) == expected


def test_loudness_is_lifted_to_16_below_full_and_silence_is_left() -> None:
    """The gain is the difference to the target; nothing to hear needs none."""
    assert sound.gain_db(-23.0) == 7.0
    assert sound.gain_db(-9.5) == -6.5
    assert sound.gain_db(-60.0) is None
    assert sound.gain_db(-math.inf) is None


def test_nothing_is_guessed_again_and_nothing_is_carried_over() -> None:
    """The command names demuxer, protocol and decoders, and drops tags, chapters and captions."""
    facts = Facts(demuxer="mov", duration_ms=1000, streams=(video(transfer=18, primaries=9),))
    source = recipe.Source(descriptor=7, codecs=CODECS, max_pixels=100, max_seconds=60)
    command = recipe.encode_command(
        facts, program="/relay/ffmpeg", sources=[source], together=None, threads=2
    )
    before, after = command[: command.index("-i")], command[command.index("-i") :]
    pairs = set(pairwise(before))
    assert {
        ("-f", "mov"),
        ("-fd", "7"),
        ("-protocol_whitelist", "fd"),
        ("-max_pixels", "100"),
    } <= pairs
    assert ("-codec_whitelist", ",".join(sorted(CODECS))) in pairs
    pairs = set(pairwise(after))
    assert {("-map_metadata", "-1"), ("-map_chapters", "-1"), ("-a53cc", "0")} <= pairs
    assert {("-movflags", "+faststart"), ("-g", "60"), ("-sc_threshold", "0")} <= pairs
    graph = after[after.index("-filter:v") + 1]
    assert "tonemap=" in graph
    assert graph.index("fps=") < graph.index("scale=") < graph.index("tonemap=")


def test_an_ordinary_picture_takes_no_detour_through_linear_light() -> None:
    """Tone mapping costs several times the rest, so only HDR pays for it."""
    facts = Facts(demuxer="mov", duration_ms=1000, streams=(video(),))
    source = recipe.Source(descriptor=7, codecs=CODECS, max_pixels=100, max_seconds=60)
    command = recipe.encode_command(
        facts, program="/relay/ffmpeg", sources=[source], together=None, threads=2
    )
    assert "zscale" not in " ".join(command)
