"""What people's phones, browsers, cameras and recorders really make comes out as it was recorded.

Each file is made here after the track layouts of such a device, and measured: length, first and last picture,
which way is up, colours, sound in step with the picture, nothing lost in silence.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from relay.media import errors
from tests.integration.media import boxes, card
from tests.integration.media.conftest import Done, Make, Run
from tests.integration.media.test_media_accepts import assert_as_promised

H264: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
BT709: Final = (
    *("-colorspace", "bt709", "-color_primaries", "bt709"),
    *("-color_trc", "bt709", "-color_range", "tv"),
)
AAC: Final = ("-c:a", "aac")
IN_STEP_SECONDS: Final = 0.04
WMA_SECONDS: Final = 2048 / 48000
NEAR: Final = 14
"""Of 256: what JPEG, 4:2:0 and a second encoder take away."""
TAKEN: Final = ("-disposition:v", "default", "-pix_fmt:v:1", "yuv420p")
"""Tracks that are enabled."""
VIDEO: Final = card.filmed(320, 180)
SOUND: Final = card.heard()

Edit = Callable[[bytes], bytes]


def _nothing(content: bytes) -> bytes:
    return content


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of recording: how it is made, and what is to come of it, where that is not as usual."""

    name: str
    arguments: tuple[str, ...]
    edit: Edit = _nothing
    size: tuple[int, int] = (320, 180)
    has_sound: bool = True
    has_video: bool = True
    near: int = NEAR
    late_seconds: float = 0
    """What its encoder puts before the sound, and its decoder leaves there."""


def _kind(name: str, *arguments: str, **others: object) -> Kind:
    return Kind(name=name, arguments=arguments, **others)  # type: ignore[arg-type]


def _unknown_sound_first(content: bytes) -> bytes:
    """The first of two sound tracks has a codec that nobody knows, as APAC of new phones."""
    return boxes.unknown(content, b"mp4a")


def _says_an_hour(content: bytes) -> bytes:
    """Index and tracks announce 3,600 s."""
    for kind, number in ((b"mvhd", 0), (b"mdhd", 0), (b"mdhd", 1)):
        begin, _ = boxes.found(content, kind, number)
        scale = int.from_bytes(content[begin + 20 : begin + 24])
        content = boxes.patched(content, kind, 16, (3600 * scale).to_bytes(4), number)
    return content


def _edits_of_nothing(content: bytes) -> bytes:
    """Every edit list has one entry of no length."""
    for number in (0, 1):
        content = boxes.patched(content, b"elst", 4, struct.pack(">IIiI", 1, 0, 0, 0x10000), number)
    return content


def _first_track_off(content: bytes) -> bytes:
    """The first track is not enabled."""
    return boxes.patched(content, b"tkhd", 0, b"\0\0\0\2", 0)


def _with_clean_aperture(content: bytes) -> bytes:
    """A clean aperture leaves out the edges, as of DV and of edited films."""
    values = struct.pack(">8I", 240, 1, 140, 1, 0, 1, 0, 1)
    return boxes.with_box_in_entry(content, b"avc1", struct.pack(">I4s", 40, b"clap") + values)


KINDS: Final = (
    _kind(
        "a new phone.mov",
        *(*VIDEO, *SOUND, *SOUND, "-map", "0", "-map", "1", "-map", "2", *H264, *BT709, *AAC),
        edit=_unknown_sound_first,
    ),
    _kind(
        "a muted microphone.mkv",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-bsf:a", "noise=drop=1"),
        has_sound=False,
    ),
    *(
        _kind(f"sound of {codec}.{ending}", *VIDEO, *SOUND, *H264, *BT709, "-c:a", codec, *options)
        for codec, ending, *options in (
            ("adpcm_ima_qt", "mov", "-ac", "1"),
            ("pcm_s8", "mov"),
            ("pcm_s16be", "mov"),
            ("pcm_bluray", "m2ts", "-ac", "2", "-mpegts_m2ts_mode", "1"),
            ("dca", "mkv", "-strict", "-2", "-ac", "2"),
            ("wmav2", "mkv"),
            ("truehd", "mkv", "-strict", "-2", "-ac", "2"),
        )
    ),
    _kind(
        "the voice on the second track.mkv",
        *(*VIDEO, *card.SILENT, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *(*H264, *BT709, *AAC),
    ),
    _kind(
        "the voice on the third track.mov",
        *(*VIDEO, *card.SILENT, *card.SILENT, *SOUND),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", *H264, *BT709, *AAC),
    ),
    _kind(
        "sign language in HDR.mp4",
        *(
            *VIDEO,
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p10le",
            "-x265-params",
        ),
        "log-level=error:colorprim=bt709:transfer=bt709:colormatrix=bt709:hdr10=1:max-cll=1000,400:master-display="
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
        *("-tag:v", "hvc1"),
        has_sound=False,
    ),
    _kind(
        "fragments that say an hour.mp4",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-movflags", "+frag_keyframe+empty_moov"),
        edit=_says_an_hour,
    ),
    _kind(
        "an edit list of nothing.mp4",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-bf", "0"),
        edit=_edits_of_nothing,
    ),
    _kind(
        "a slide show first.mov",
        *(*card.filmed(160, 90, rate=1), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
    ),
    _kind(
        "a larger track that is off.mov",
        *(*card.filmed(640, 360, rate=1), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
        edit=_first_track_off,
    ),
    _kind(
        "a clean aperture.mov",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC),
        edit=_with_clean_aperture,
    ),
    _kind(
        "colours unsaid, upright.mp4", *card.filmed(406, 720), *SOUND, *H264, *AAC, size=(406, 720)
    ),
    _kind(
        "colours unsaid, of an old camera.mp4",
        *VIDEO,
        *SOUND,
        *("-vf", "scale=in_color_matrix=bt709:out_color_matrix=bt601", *H264, *AAC),
    ),
    _kind(
        "a browser's full range.webm",
        *VIDEO,
        *SOUND,
        *("-vf", "scale=in_color_matrix=bt709:out_color_matrix=bt709:in_range=tv:out_range=pc"),
        *("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
        *("-colorspace", "bt709", "-color_range", "pc", "-c:a", "libopus", "-live", "1"),
    ),
    _kind(
        "a screen in RGB.mkv",
        *(*VIDEO, *SOUND, "-vf", "scale=in_color_matrix=bt709:in_range=tv,format=gbrp"),
        *("-c:v", "libx264rgb", "-pix_fmt", "rgb24", "-preset", "ultrafast", *AAC),
    ),
    *(
        _kind(f"an old {what}", *picture, *SOUND, *options, **others)
        for what, picture, options, others in (
            (
                "camera.wmv",
                VIDEO,
                ("-c:v", "wmv2", "-b:v", "4M", "-c:a", "wmav2"),
                {"near": 30, "late_seconds": WMA_SECONDS},
            ),
            (
                "page.flv",
                VIDEO,
                ("-c:v", "flv", "-b:v", "4M", "-c:a", "libmp3lame", "-ar", "44100"),
                {"near": 30},
            ),
            (
                "camcorder.dv",
                card.filmed(720, 480, rate=30),
                ("-target", "ntsc-dv", "-aspect", "4:3"),
                {"size": (640, 480), "near": 60},
            ),
            (
                "phone.avi",
                VIDEO,
                ("-c:v", "msmpeg4", "-b:v", "4M", "-c:a", "adpcm_ms"),
                {"near": 30},
            ),
        )
    ),
    *(
        _kind(f"a voice.{ending}", *SOUND, "-c:a", codec, *options, has_video=False)
        for ending, codec, *options in (
            ("amr", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k"),
            ("caf", "alac"),
            ("aiff", "pcm_s16be"),
            ("aifc", "pcm_s16be", "-f", "aiff"),
            ("au", "pcm_mulaw"),
        )
    ),
    _kind("a browser's voice.webm", *SOUND, *("-c:a", "libopus", "-live", "1"), has_video=False),
    _kind(
        "a voice of Safari.mp4",
        *(*SOUND, *AAC, "-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
        has_video=False,
    ),
    _kind("a voice.wma", *SOUND, "-c:a", "wmav2", has_video=False, late_seconds=WMA_SECONDS),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_what_devices_make_comes_out_as_it_was(run: Run, make: Make, kind: Kind) -> None:
    """Length, pictures, colours and sound are those of the recording."""
    source = make(kind.name, *kind.arguments)
    done = await run(kind.edit(source.read_bytes()))
    assert_as_it_was(done, kind)


def assert_as_it_was(done: Done, kind: Kind) -> None:
    """Measure a rendition of the card."""
    assert_as_promised(done)
    seen = card.look_at(done)
    assert abs(done.transcoded.duration_ms - card.SECONDS * 1000) < 120
    moments = card.MOMENTS
    if kind.has_video:
        assert (done.transcoded.width, done.transcoded.height) == kind.size
        assert len(seen.fields) == len(moments)
        for shown, at in zip(seen.fields, moments, strict=True):
            assert abs(shown - at) < IN_STEP_SECONDS
        for picture in (seen.first, seen.last):
            for name in ("red", "green", "blue", "white", "grey"):
                assert card.near(picture[name], card.COLOURS[name], kind.near), (name, picture)
    if not kind.has_sound:
        assert seen.beeps == ()
        return
    assert len(seen.beeps) == len(moments)
    for beep, at in zip(seen.beeps, moments, strict=True):
        assert abs(beep - kind.late_seconds - at) < IN_STEP_SECONDS
    for beep, shown in zip(seen.beeps, seen.fields, strict=False):
        assert abs(beep - kind.late_seconds - shown) < IN_STEP_SECONDS


# What becomes another on the way.


@pytest.mark.parametrize(("ending", "sound"), [("webm", "libopus"), ("mp4", "aac"), ("mkv", "aac")])
async def test_a_phone_that_is_turned_while_it_records_stays_in_step(
    run: Run, make: Make, tmp_path: Path, ending: str, sound: str
) -> None:
    """The picture fits from there on, with bars beside it, and the voice goes on."""
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
    expected = [*card.MOMENTS, *(card.SECONDS + at for at in card.MOMENTS)]
    assert [round(at, 1) for at in seen.fields] == expected
    assert [round(at, 1) for at in seen.beeps] == list(card.MOMENTS)
    assert abs(done.transcoded.duration_ms - 2 * card.SECONDS * 1000) < 120
    # Fitted into its height: bars at both sides, and the corners of the card next to them.
    assert all(card.near(seen.last[name], (0, 0, 0), NEAR) for name in ("red", "green"))


async def test_sound_that_becomes_stereo_goes_on(run: Run, make: Make) -> None:
    """No silence is put in where one microphone becomes two, and nothing is lost."""
    one = make("one.aac", *card.heard(), *AAC, "-ac", "1")
    two = make("two.aac", *card.heard(), *AAC, "-ac", "2")
    done = await run(one.read_bytes() + two.read_bytes() + one.read_bytes())
    assert_as_promised(done)
    expected = [part * card.SECONDS + at for part in range(3) for at in card.MOMENTS]
    beeps = card.look_at(done).beeps
    assert len(beeps) == len(expected)
    # Each part begins with the encoder's own silence of 21 ms.
    assert all(abs(beep - at) < 0.15 for beep, at in zip(beeps, expected, strict=True)), beeps
    assert abs(done.transcoded.duration_ms - 3 * card.SECONDS * 1000) < 250


# What is announced, and what is there.


async def test_a_quiet_memo_is_as_long_as_it_is(run: Run, make: Make) -> None:
    """A raw stream of AAC says no length: its first seconds make it look much longer."""
    source = make(
        "memo.aac",
        *("-f", "lavfi", "-i", "anullsrc=r=48000:d=20", *card.heard()),
        *("-filter_complex", "[0][1]concat=n=2:v=0:a=1", *AAC, "-b:a", "192k"),
    )
    done = await run(source, video_max_seconds=30)
    assert abs(done.transcoded.duration_ms - 26_000) < 200


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


async def test_tracks_of_data_do_not_count(run: Run, make: Make, tmp_path: Path) -> None:
    """Phones write place, movement and scenes beside the picture: nine tracks, two of which are taken."""
    words = tmp_path / "data.bin"
    words.write_bytes(b"where it was" * 40)
    data = [part for _ in range(9) for part in ("-f", "data", "-i", str(words))]
    maps = [part for number in range(11) for part in ("-map", str(number))]
    source = make("data.ts", *VIDEO, *SOUND, *data, *maps, *H264, *BT709, *AAC, "-c:d", "copy")
    done = await run(source, video_max_streams=2)
    assert_as_promised(done)
    assert b"where it was" not in done.rendition


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


# What cannot be heard is said.


@pytest.mark.parametrize("picture", [True, False])
async def test_sound_of_an_unknown_kind_alone_is_refused(
    run: Run, make: Make, *, picture: bool
) -> None:
    """Nobody gets a film of which the voice is gone without a word."""
    shown = VIDEO if picture else ()
    source = make(f"unknown-{picture}.mov", *shown, *SOUND, *H264, *AAC)
    with pytest.raises(errors.UnsupportedCodec):
        await run(boxes.unknown(source.read_bytes(), b"mp4a"))


async def test_sound_that_is_left_out_on_purpose_is_refused(run: Run, make: Make) -> None:
    """A decoder that is not on the list does not run, and the recording is not sent without its sound."""
    source = make("packed.mkv", *VIDEO, *SOUND, *H264, "-c:a", "wavpack")
    with pytest.raises(errors.UnsupportedCodec):
        await run(source)


async def test_a_locked_recording_of_windows_is_told(run: Run, make: Make) -> None:
    """Windows Media with a licence is refused as protected."""
    content = make("free.wma", *SOUND, "-c:a", "wmav2").read_bytes()
    lock = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + (24).to_bytes(8, "little")
    length = int.from_bytes(content[16:24], "little")
    locked = content[:16] + (length + 24).to_bytes(8, "little") + content[24:length] + lock
    with pytest.raises(errors.ProtectedRecording):
        await run(locked + content[length:])


@pytest.mark.parametrize(
    ("ending", "codec"), [("aiff", "pcm_s16be"), ("wma", "wmav2"), ("caf", "alac")]
)
async def test_a_voice_of_which_the_end_is_missing_is_told(
    run: Run, make: Make, ending: str, codec: str
) -> None:
    """What these containers announce is held against what is there: nobody sends half a memo unawares."""
    content = make(f"whole.{ending}", *SOUND, "-c:a", codec).read_bytes()
    with pytest.raises((errors.TruncatedRecording, errors.UnreadableRecording)):
        await run(content[: len(content) // 3])


async def test_a_larger_picture_that_nobody_can_decode_is_not_chosen(run: Run, make: Make) -> None:
    """Beside a track of an unknown kind the one that can be decoded is shown."""
    source = make(
        "unknown beside.mov",
        *(*card.filmed(640, 360), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mpeg4", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
    )
    done = await run(boxes.unknown(source.read_bytes(), b"mp4v"))
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (320, 180)
