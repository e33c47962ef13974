"""Every kind of recording that people send comes out as the same clean, upright, quiet MP4."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.support.media.results import Done, Run, assert_as_promised

LATITUDE, LONGITUDE = b"45.5017", b"073.5673"
Make = Callable[..., Path]
SOUND = ("-f", "lavfi", "-i", "sine=f=440:d=2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def colour_at(done: Done, across: float, down: float) -> tuple[int, int, int]:
    """Red, green and blue of one place of the first picture, 0 to 1 across and down."""
    with done.open() as container:
        frame = next(container.decode(video=0)).reformat(format="rgb24")
    row = int(frame.height * down) * frame.planes[0].line_size
    at = row + int(frame.width * across) * 3
    red, green, blue = bytes(frame.planes[0])[at : at + 3]
    return red, green, blue


def is_red(colour: tuple[int, int, int]) -> bool:
    """Clearly red, whatever tone mapping made of it."""
    red, green, blue = colour
    return red > 120 and red > 2 * green and red > 2 * blue


async def test_an_index_at_the_end_moves_to_the_front(run: Run, plain: Path) -> None:
    """An ordinary MP4 becomes a faststart one, of the same size and length."""
    assert plain.read_bytes().find(b"mdat") < plain.read_bytes().find(b"moov")
    done = await run(plain)
    assert_as_promised(done)
    made = done.transcoded
    assert (made.kind, made.profile, made.width, made.height) == ("video", "h264-720p", 320, 240)
    assert abs(made.duration_ms - 2000) < 60
    with done.open() as container:
        assert container.streams.video[0].average_rate == 25


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
async def test_a_phone_in_hdr_comes_out_upright_and_without_its_place(
    run: Run, phone: Callable[[str], Path], loudness: Callable[[bytes], float], transfer: str
) -> None:
    """HEVC 10 bit HLG or PQ, turned, 60 a second, 5.1, GPS: upright bt709 at 30, stereo, no traces."""
    source = phone(transfer)
    original = source.read_bytes()
    assert LATITUDE in original
    assert b"Orchard" in original
    with av.open(str(source)) as container:
        video = container.streams.video[0]
        assert video.codec_context.pix_fmt == "yuv420p10le"
        assert video.average_rate == 60
        assert next(container.decode(video)).rotation == -90
        assert container.streams.audio[0].codec_context.channels == 6

    done = await run(source)
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (720, 1280)
    with done.open() as container:
        assert container.streams.video[0].average_rate == 30
        assert next(container.decode(video=0)).rotation == 0
    # Stored upper left; a quarter turn clockwise brings it to the upper right.
    assert is_red(colour_at(done, 0.9, 0.1))
    for corner in ((0.1, 0.1), (0.1, 0.9), (0.9, 0.9)):
        red, green, blue = colour_at(done, *corner)
        assert max(red, green, blue) - min(red, green, blue) < 16
        assert 108 <= green <= 148, "grey that is neither washed out nor dark"
    for trace in (LATITUDE, LONGITUDE, b"Orchard", b"Fon 21", b"NobodyMayRead", b"2026"):
        assert trace not in done.rendition
        assert trace not in done.poster
    assert abs(loudness(done.rendition) + 16) < 1


@pytest.mark.parametrize(("codec", "size"), [("libvpx", "640x480"), ("libvpx-vp9", "480x640")])
async def test_what_a_browser_records_has_no_length_until_now(
    run: Run, make: Make, codec: str, size: str
) -> None:
    """WebM as MediaRecorder writes it, without duration and cues, gets both."""
    source = make(
        f"browser-{codec}.webm",
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=30:d=2", *SOUND),
        *("-c:v", codec, "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
        *("-f", "webm", "-live", "1"),
    )
    with av.open(str(source)) as container:
        assert container.duration is None
    done = await run(source)
    assert_as_promised(done)
    assert f"{done.transcoded.width}x{done.transcoded.height}" == size
    assert abs(done.transcoded.duration_ms - 2000) < 100
    with done.open() as container:
        assert container.streams.video[0].average_rate == 30


async def test_a_variable_rate_becomes_steady_and_keeps_its_length(run: Run, make: Make) -> None:
    """Pictures at 30 and then at 6 a second come out evenly spaced, in time with the sound."""
    source = make(
        "variable.mkv",
        *("-f", "lavfi", "-i", "testsrc2=s=320x240:r=30:d=2", *SOUND),
        *("-vf", "select='lt(t,1)+not(mod(n,5))'", "-fps_mode", "vfr", *H264, "-c:a", "aac"),
    )
    done = await run(source)
    assert_as_promised(done)
    with done.open() as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert max(steps) - min(steps) < 0.002
    assert abs(done.transcoded.duration_ms - 2000) < 150


async def test_a_video_without_sound_has_none_afterwards(run: Run, make: Make) -> None:
    """No silent track is invented."""
    source = make("mute.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=15:d=1", *H264)
    done = await run(source)
    assert_as_promised(done)
    with done.open() as container:
        assert not container.streams.audio
        assert container.streams.video[0].average_rate == 15


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("voice.m4a", "aac"), ("voice.mp3", "libmp3lame"), ("voice.wav", "pcm_s16le")),
        *(("voice.flac", "flac"), ("voice.ogg", "libopus"), ("voice.aac", "aac")),
    ],
)
async def test_sound_alone_is_delivered_as_sound_with_a_plain_poster(
    run: Run, make: Make, loudness: Callable[[bytes], float], name: str, codec: str
) -> None:
    """A voice recording keeps being one; its poster is a plain picture."""
    source = make(
        name, *SOUND, "-af", "volume=-12dB", "-c:a", codec, "-metadata", "artist=Jane Roe"
    )
    done = await run(source)
    assert_as_promised(done)
    made = done.transcoded
    assert (made.kind, made.profile, made.width, made.height) == ("audio", "audio", 0, 0)
    assert abs(made.duration_ms - 2000) < 150
    assert abs(loudness(done.rendition) + 16) < 1
    assert b"Jane Roe" not in done.rendition


async def test_odd_sides_become_even(run: Run, make: Make) -> None:
    """A side of an odd number of pixels loses one, for H.264 knows only even ones."""
    source = make(
        "odd.mkv",
        *("-f", "lavfi", "-i", "testsrc2=s=333x251:r=10:d=1"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"),
    )
    done = await run(source)
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (332, 250)


async def test_a_single_picture_is_a_video_too(run: Run, make: Make) -> None:
    """One frame comes through and is its own poster."""
    source = make(
        "one.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-frames:v", "1", *H264
    )
    done = await run(source)
    assert_as_promised(done)
    with done.open() as container:
        assert len(list(container.decode(video=0))) == 1
    assert done.transcoded.duration_ms == 40


async def test_a_long_film_comes_through_whole(run: Run, make: Make) -> None:
    """Five minutes keep their length to a tenth of a second, and progress is told on the way."""
    source = make(
        "long.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=2:d=300"),
        *("-f", "lavfi", "-i", "sine=f=300:d=300", *H264, "-c:a", "aac", "-b:a", "32k"),
    )
    done = await run(source)
    assert_as_promised(done)
    assert abs(done.transcoded.duration_ms - 300_000) < 100
    assert len([p for p in done.told if p.stage == "encoding"]) > 3


@pytest.mark.parametrize(("volume", "expected"), [("-30dB", -16.0), ("12dB", -16.0)])
async def test_quiet_and_loud_voices_end_at_the_same_loudness(
    run: Run, make: Make, loudness: Callable[[bytes], float], volume: str, expected: float
) -> None:
    """Nobody has to reach for the volume."""
    source = make(f"voice{volume}.wav", *SOUND, "-af", f"volume={volume}")
    done = await run(source)
    assert abs(loudness(done.rendition) - expected) < 1


async def test_silence_is_not_lifted_into_noise(
    run: Run, make: Make, loudness: Callable[[bytes], float]
) -> None:
    """A recording of nothing but a microphone's noise is left as quiet as it was."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=2:a=0.0005")
    source = make("noise.wav", *noise)
    done = await run(source)
    assert_as_promised(done)
    assert loudness(done.rendition) < -55


async def test_a_dark_beginning_does_not_become_the_poster(run: Run, make: Make) -> None:
    """The poster is taken from the first key picture that shows something."""
    source = make(
        "dark.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=6"),
        *("-vf", "drawbox=w=iw:h=ih:c=black:t=fill:enable='lt(t,3)'", *H264),
    )
    done = await run(source)
    with av.open(io.BytesIO(done.poster), "r") as poster:
        luma = bytes(next(poster.decode(video=0)).planes[0])
    assert sum(luma) / len(luma) > 60


async def test_pixels_that_are_not_square_become_square(run: Run, make: Make) -> None:
    """An anamorphic camcorder picture keeps its proportions."""
    source = make(
        "wide.mkv",
        *("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=1", "-vf", "setsar=64/45", *H264),
    )
    done = await run(source)
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (1024, 576)


async def test_subtitles_attachments_and_data_are_left_behind(
    run: Run, make: Make, tmp_path: Path
) -> None:
    """What is neither picture nor sound never reaches the other person."""
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nSecretWords\n", encoding="ascii")
    letter = tmp_path / "letter.txt"
    letter.write_text("SecretLetter", encoding="ascii")
    source = make(
        "extras.mkv",
        *("-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=1", "-i", str(words)),
        *("-map", "0", "-map", "1", *H264, "-c:s", "srt"),
        *("-attach", str(letter), "-metadata:s:t", "mimetype=text/plain"),
    )
    assert b"SecretLetter" in source.read_bytes()
    done = await run(source)
    assert_as_promised(done)
    assert b"SecretWords" not in done.rendition
    assert b"SecretLetter" not in done.rendition


OLDER: dict[str, tuple[str, ...]] = {
    "camera.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"),
    "camcorder.ts": (*H264, "-c:a", "aac"),
    "camcorder.m2ts": (*H264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1"),
    "interlaced.mpg": (
        "-c:v",
        "mpeg2video",
        "-flags",
        "+ildct+ilme",
        "-vf",
        "setfield=tff,fieldorder=tff",
        "-c:a",
        "mp2",
        "-f",
        "dvd",
    ),
    "phone.3gp": (
        "-c:v",
        "h263",
        "-s",
        "352x288",
        "-c:a",
        "libopencore_amrnb",
        "-ar",
        "8000",
        "-ac",
        "1",
    ),
    "free.ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "new.mp4": ("-c:v", "libsvtav1", "-preset", "13", "-svtav1-params", "lp=1", "-c:a", "libopus"),
    "studio.mov": ("-c:v", "prores_ks", "-profile:v", "0", "-c:a", "alac"),
    "wide-colour.mp4": (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p10le",
        "-x265-params",
        "log-level=error:colorprim=bt2020:transfer=bt2020-10:colormatrix=bt2020nc",
        "-c:a",
        "aac",
    ),
    "fragments.mp4": (*H264, "-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov"),
}


@pytest.mark.parametrize("name", OLDER)
async def test_other_cameras_and_programs_are_understood(run: Run, make: Make, name: str) -> None:
    """Older and newer containers and codecs come out the same."""
    picture = ("-f", "lavfi", "-i", "testsrc2=s=352x288:r=25:d=2")
    done = await run(make(name, *picture, *SOUND, *OLDER[name]))
    assert_as_promised(done)
    assert done.transcoded.kind == "video"
    assert abs(done.transcoded.duration_ms - 2000) < 200
    with done.open() as container:
        assert len(container.streams.audio) == 1


async def test_a_song_with_a_cover_picture_is_sound(run: Run, make: Make) -> None:
    """The picture inside a sound file is not a video, and it is not delivered."""
    cover = make("cover.png", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1")
    source = make(
        "cover.mp3",
        *SOUND,
        "-i",
        str(cover),
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "copy",
        "-c:a",
        "libmp3lame",
    )
    done = await run(source)
    assert_as_promised(done)
    assert done.transcoded.kind == "audio"


async def test_notes_that_a_camera_appends_do_no_harm(run: Run, plain: Path) -> None:
    """Bytes after the last box, which some cameras write, are neither a fault nor delivered."""
    done = await run(plain.read_bytes() + b"CameraNotes" * 40)
    assert_as_promised(done)
    assert b"CameraNotes" not in done.rendition
