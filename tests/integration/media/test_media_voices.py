"""A voice is enough: memos of phones and recorders come out whole, in either ear, and never half."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Final

import pytest
from av.container import InputContainer

from relay.media import errors
from tests.support.media import boxes, card
from tests.support.media.kinds import (
    AAC,
    FRAGMENTS,
    H264,
    LEFT,
    OPPOSED,
    SOUND,
    VIDEO,
    WMA_SECONDS,
    Edit,
    Kind,
    assert_as_it_was,
    voice,
)
from tests.support.media.results import Make, Run, assert_as_promised

RIGHT: Final = "pan=stereo|c0=0*c0|c1=c0"


def _saying(whole: int, samples: int) -> Edit:
    """A WAV of a recorder that could not go back to write how long it became."""

    def edit(content: bytes) -> bytes:
        at = content.index(b"data") + 4
        sized = content[:4] + whole.to_bytes(4, "little") + content[8:at]
        return sized + samples.to_bytes(4, "little") + content[at + 4 :]

    return edit


VOICES: Final = (
    *(
        voice(f"a voice of {name}", "-c:a", codec, *options)
        for name, codec, *options in (
            ("an old phone.amr", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k"),
            ("an old phone.3gp", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
            ("a phone.m4a", "aac", "-b:a", "64k"),
            ("a phone without loss.m4a", "alac"),
            ("a messenger.ogg", "libopus", "-ar", "16000", "-ac", "1", "-b:a", "16k"),
            ("another messenger.aac", "aac", "-ar", "44100", "-ac", "1"),
            ("free programs.oga", "libvorbis"),
            ("a program.caf", "alac"),
            ("a program.aiff", "pcm_s16be"),
            ("a program.aifc", "pcm_s16be", "-f", "aiff"),
            ("a program.au", "pcm_mulaw"),
            ("a studio.flac", "flac", "-sample_fmt", "s32", "-ar", "96000"),
            ("a recorder.mp3", "libmp3lame", "-q:a", "5", "-metadata", "title=memo"),
            ("a recorder without a table.mp3", "libmp3lame", "-q:a", "5", "-write_xing", "0"),
            ("a dictaphone.wav", "adpcm_ima_wav"),
            ("an answering machine.wav", "pcm_mulaw", "-ar", "8000"),
            ("an old computer.wav", "pcm_u8", "-ar", "11025"),
            ("a field recorder.wav", "pcm_s24le", "-ar", "96000", "-write_bext", "1"),
            ("a studio.wav", "pcm_f32le"),
            ("a long day.wav", "pcm_s16le", "-rf64", "always"),
            ("a browser.webm", "libopus", "-live", "1"),
            ("a browser.mp4", "aac", *FRAGMENTS),
            ("somebody far away.wav", "pcm_s24le", "-af", "volume=-30dB"),
            ("one side.wav", "pcm_s16le", "-af", LEFT),
            ("opposed sides.wav", "pcm_s16le", "-af", OPPOSED),
            ("many microphones.wav", "pcm_s16le", "-af", "pan=4c|c0=c0"),
        )
    ),
    *(
        voice(f"a voice that says {name}.wav", "-c:a", "pcm_s16le", edit=_saying(whole, samples))
        for name, whole, samples in (
            ("nothing", 0, 0),
            ("4 GiB", 0xFFFFFFFF, 0xFFFFFFFF),
            ("2 GiB", 0x80000024, 0x80000000),
            ("nearly 2 GiB", 0x7FFFF024, 0x7FFFF000),
        )
    ),
    voice("a voice.wma", "-c:a", "wmav2", late_seconds=WMA_SECONDS),
)


@pytest.mark.parametrize("kind", VOICES, ids=lambda kind: kind.name)
async def test_a_voice_comes_out_as_it_was(run: Run, make: Make, kind: Kind) -> None:
    """Length and every moment of it are those of the recording."""
    source = make(kind.name, *kind.arguments)
    done = await run(kind.edit(source.read_bytes()))
    assert_as_it_was(done, kind)


# One ear, one loudspeaker.


@pytest.mark.parametrize("filtered", [LEFT, RIGHT, OPPOSED])
async def test_a_voice_is_heard_in_either_ear_and_through_one_loudspeaker(
    run: Run, make: Make, loudness: Callable[[bytes], float], filtered: str
) -> None:
    """A microphone in the wrong socket fills one side, one that is wired wrong cancels itself in mono."""
    name = {LEFT: "left", RIGHT: "right", OPPOSED: "opposed"}[filtered]
    done = await run(make(f"sides {name}.wav", *SOUND, "-af", filtered, "-c:a", "pcm_s16le"))
    assert_as_promised(done)
    left, right, both = _peaks(done.open())
    assert left == pytest.approx(right, rel=0.05)
    assert both == pytest.approx(left, rel=0.05)
    assert abs(loudness(done.rendition) + 16) < 1


async def test_two_sides_that_differ_stay_two(run: Run, make: Make) -> None:
    """Two people, each with a microphone on a side, are not put into the middle."""
    apart = "pan=stereo|c0=c0|c1=0.2*c0"
    done = await run(make("two people.wav", *SOUND, "-af", apart, "-c:a", "pcm_s16le"))
    left, right, _ = _peaks(done.open())
    assert right < 0.3 * left


def _peaks(container: InputContainer) -> tuple[float, float, float]:
    """The loudest of the left, the right, and of both through one loudspeaker."""
    left, right = array.array("f"), array.array("f")
    with container:
        for frame in container.decode(audio=0):
            left.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
            right.frombytes(bytes(frame.planes[1])[: frame.samples * 4])
    middle = ((one + other) / 2 for one, other in zip(left, right, strict=True))
    return max(map(abs, left)), max(map(abs, right)), max(map(abs, middle))


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


@pytest.mark.parametrize(
    ("ending", "codec"), [("aiff", "pcm_s16be"), ("wma", "wmav2"), ("caf", "alac")]
)
async def test_a_voice_of_which_the_end_is_missing_is_told(
    run: Run, make: Make, ending: str, codec: str
) -> None:
    """The length that a container announces is compared with its content: no half memo goes unnoticed."""
    content = make(f"whole.{ending}", *SOUND, "-c:a", codec).read_bytes()
    with pytest.raises((errors.TruncatedRecording, errors.UnreadableRecording)):
        await run(content[: len(content) // 3])


async def test_a_raw_stream_that_ends_within_a_frame_comes_as_far_as_it_goes(
    run: Run, make: Make
) -> None:
    """A recorder without power leaves what it had."""
    content = make("without power.aac", *SOUND, *AAC).read_bytes()
    done = await run(content[: len(content) * 2 // 3])
    assert_as_promised(done)
    assert abs(done.transcoded.duration_ms - card.SECONDS * 1000 * 2 / 3) < 200


async def test_a_raw_stream_that_cannot_be_read_on_is_told(run: Run, make: Make) -> None:
    """A frame of no length in the middle: what comes after it is not lost in silence."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=3:a=0.3")
    content = make("noise.aac", *noise, *AAC, "-b:a", "128k").read_bytes()
    with pytest.raises(errors.UnreadableRecording):
        await run(content + bytes.fromhex("fff150800000fc") + content)


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
