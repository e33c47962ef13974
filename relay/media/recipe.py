"""From what a recording holds to the ffmpeg command that makes it clean: pure functions, no process.

The only file that imports ffmpeg-python.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING

import ffmpeg

if TYPE_CHECKING:
    from relay.media.probe import Facts, StreamFacts

SHORT_SIDE_PIXELS = 720
LONG_SIDE_PIXELS = 2560
"""Keeps a panorama within what a phone can play."""
MAX_RATE = 30
SLOWEST_FILM_RATE = 23
CAMERA_MAX_RATE = 240
"""Above this a number is the tick of a recorder's clock, not a rate of pictures."""
KEYFRAME_SECONDS = 2
TARGET_LUFS = -16.0
SILENCE_LUFS = -55.0
"""Below this there is only the noise of the microphone, which is better left alone."""
PEAK_LIMIT = 0.84
"""-1.5 dBFS: a single loud noise is held back so that the voice may be lifted."""
QUALITY = "23"
PRESET = "veryfast"
"""The best a 2-core worker can do in half of real time; measured in docs/media.md."""
VIDEO_MAX_RATE, VIDEO_BUFFER = "4M", "8M"
AUDIO_RATE = "128k"

_PQ, _HLG = 16, 18
_BT709, _UNKNOWN, _BT2020, _P3 = 1, {0, 2, 3}, 9, {11, 12}
_HD_LINES = 720
_TRANSFERS = {1: "bt709", 6: "smpte170m", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12"}
_TRANSFERS |= {_PQ: "smpte2084", _HLG: "arib-std-b67"}
_PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc", 10: "bt2020c"}
_SCALE_MATRICES = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How the recording is opened, and how much of it is looked at."""

    descriptor: int
    codecs: frozenset[str]
    """Decoders that may run."""
    max_pixels: int
    max_seconds: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The picture that comes out."""

    width: int
    height: int
    rate: Fraction
    """Pictures per second."""

    @property
    def keyframe_frames(self) -> int:
        """How many pictures lie between two that stand alone."""
        return max(1, round(self.rate * KEYFRAME_SECONDS))


def shape(video: StreamFacts) -> Shape:
    """Upright, square pixels, even sides, short side at most 720, at most 30 pictures a second."""
    width = Fraction(video.width) * (Fraction(video.sample_aspect) if video.sample_aspect else 1)
    height = Fraction(video.height)
    if video.rotation % 180 == 90:  # noqa: PLR2004 - a quarter turn
        width, height = height, width
    short, long = min(width, height), max(width, height)
    scale = min(Fraction(1), SHORT_SIDE_PIXELS / short, LONG_SIDE_PIXELS / long)
    return Shape(width=_even(width * scale), height=_even(height * scale), rate=output_rate(video))


def _even(side: Fraction) -> int:
    return max(2, int(side / 2) * 2 if side < SHORT_SIDE_PIXELS else round(side / 2) * 2)


def output_rate(video: StreamFacts) -> Fraction:
    """The rate of the recording, halved until it is at most 30; 30 where it is no rate at all."""
    average = Fraction(video.average_rate or 0)
    base = Fraction(video.base_rate or 0)
    # A variable rate: take the faster of both, or quick movements would lose their pictures.
    rate = max(average, base) if base <= CAMERA_MAX_RATE else average
    if rate <= 0:
        return Fraction(MAX_RATE)
    while rate > MAX_RATE and rate / 2 >= SLOWEST_FILM_RATE:
        rate /= 2
    return min(rate, Fraction(MAX_RATE)).limit_denominator(1001)


def loudness_command(
    audio: StreamFacts, demuxer: str, *, program: str, source: Source
) -> list[str]:
    """Decode the sound alone, as it will be heard, and measure it (EBU R 128)."""
    sound = _heard(_input(demuxer, source, threads=1), audio)
    sound = sound.filter("ebur128", framelog="quiet")
    output = ffmpeg.output(sound, "-", format="null")
    told = ("-loglevel", "info", "-progress", "pipe:2")
    return _compiled(output, program, *told, "-filter_complex_threads", "1")


def encode_command(
    facts: Facts,
    *,
    program: str,
    source: Source,
    gain_db: float | None,
    threads: int,
) -> list[str]:
    """Make the rendition: written to stdout, read again through stdin to move the index forward."""
    opened = _input(facts.demuxer, source, threads=threads)
    streams = []
    options: dict[str, str | int] = {}
    if facts.video is not None:
        out = shape(facts.video)
        streams.append(_shown(opened, facts.video, out))
        options |= _video_options(out, threads)
    if facts.audio is not None:
        streams.append(_normalized(_heard(opened, facts.audio), gain_db))
        options |= {"c:a": "aac", "b:a": AUDIO_RATE, "ar": 48000, "ac": 2, "flags:a": "+bitexact"}
    output = ffmpeg.output(
        *streams,
        "fd:",
        **options,
        format="mp4",
        movflags="+faststart",
        fflags="+bitexact",
        map_metadata=-1,
        map_chapters=-1,
        t=source.max_seconds + 1,
    )
    told = ("-loglevel", "error", "-progress", "pipe:2")
    return _compiled(output, program, *told, "-filter_complex_threads", str(threads))


def _compiled(output: ffmpeg.nodes.OutputStream, program: str, *options: str) -> list[str]:
    output = output.global_args("-hide_banner", "-nostdin", "-nostats", "-y", *options)
    return [str(argument) for argument in output.compile(cmd=program)]


def _input(demuxer: str, source: Source, *, threads: int) -> ffmpeg.nodes.Stream:
    """Only the demuxer that the probe settled on, the decoders on the list, and one descriptor."""
    return ffmpeg.input(
        "fd:",
        format=demuxer,
        fd=source.descriptor,
        protocol_whitelist="fd",
        codec_whitelist=",".join(sorted(source.codecs)),
        max_pixels=source.max_pixels,
        threads=threads,
        t=source.max_seconds + 1,
    )


def _shown(source: ffmpeg.nodes.Stream, video: StreamFacts, out: Shape) -> ffmpeg.nodes.Stream:
    picture = source[str(video.index)]
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame", deint="interlaced")
    # Dropping and shrinking come first: everything after them costs that much less.
    picture = picture.filter("fps", fps=f"{out.rate.numerator}/{out.rate.denominator}")
    if video.transfer in {_PQ, _HLG} or video.primaries == _BT2020 or video.primaries in _P3:
        picture = picture.filter("scale", out.width, out.height)
        picture = _to_bt709(picture, video)
    else:
        matrix = _SCALE_MATRICES.get(video.matrix)
        if matrix is None:
            matrix = "bt709" if min(video.width, video.height) >= _HD_LINES else "bt601"
        picture = picture.filter(
            "scale",
            out.width,
            out.height,
            in_color_matrix=matrix,
            out_color_matrix="bt709",
            out_range="tv",
        )
    picture = picture.filter("format", "yuv420p").filter("setsar", "1")
    return picture.filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )


def _to_bt709(picture: ffmpeg.nodes.Stream, video: StreamFacts) -> ffmpeg.nodes.Stream:
    """Through linear light; brighter than bt709 can show is rolled off rather than cut."""
    wide = video.transfer in {_PQ, _HLG}
    # Said of the frames themselves: a recording may leave any of these unsaid.
    picture = picture.filter(
        "setparams",
        color_trc=_TRANSFERS.get(video.transfer, "bt709"),
        color_primaries=_PRIMARIES.get(video.primaries, "bt2020" if wide else "bt709"),
        colorspace=_MATRICES.get(video.matrix, "bt2020nc" if wide else "bt709"),
        range="pc" if video.full_range else "tv",
    )
    picture = picture.filter("zscale", transfer="linear", npl=REFERENCE_WHITE_NITS if wide else 100)
    picture = picture.filter("format", "gbrpf32le").filter("zscale", primaries="bt709")
    if wide:
        picture = picture.filter("tonemap", "mobius", param=ROLL_OFF_FROM, desat=0, peak=HDR_PEAK)
    return picture.filter("zscale", transfer="bt709", matrix="bt709", range="limited")


REFERENCE_WHITE_NITS = 203
"""White paper in HDR (ITU-R BT.2408) becomes white paper in bt709."""
ROLL_OFF_FROM = 0.6
HDR_PEAK = 5
"""1,000 nits over that white: what phones record."""


def _video_options(out: Shape, threads: int) -> dict[str, str | int]:
    return {
        "c:v": "libx264",
        "preset": PRESET,
        "crf": QUALITY,
        "maxrate": VIDEO_MAX_RATE,
        "bufsize": VIDEO_BUFFER,
        "profile:v": "main",
        "pix_fmt": "yuv420p",
        "g": out.keyframe_frames,
        "keyint_min": out.keyframe_frames,
        "sc_threshold": 0,
        "threads:v": threads,
        "flags:v": "+bitexact",
        # Closed captions would carry text of the original past the reviewer's eyes; x264's own
        # note (SEI) names its version and settings.
        "a53cc": 0,
        "bsf:v": "filter_units=remove_types=6",
    }


def _heard(source: ffmpeg.nodes.Stream, audio: StreamFacts) -> ffmpeg.nodes.Stream:
    """Stereo at 48 kHz, gaps filled with silence so that lips and sound stay together."""
    sound = source[str(audio.index)]
    sound = sound.filter("aresample", 48000, **{"async": 1, "first_pts": 0})
    return sound.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def _normalized(sound: ffmpeg.nodes.Stream, gain_db: float | None) -> ffmpeg.nodes.Stream:
    if gain_db is None:
        return sound
    sound = sound.filter("volume", f"{gain_db:.2f}dB")
    return sound.filter("alimiter", limit=PEAK_LIMIT, level="disabled", attack=2, release=60)


def gain_db(loudness_lufs: float | None) -> float | None:
    """How much louder the sound has to be, None where it is silence."""
    if loudness_lufs is None or loudness_lufs < SILENCE_LUFS:
        return None
    return TARGET_LUFS - loudness_lufs
