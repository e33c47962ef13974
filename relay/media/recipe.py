"""From what a recording holds to the ffmpeg command that makes it clean: pure functions, no process.

The only file that imports ffmpeg-python.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import ffmpeg

from relay.media import sound
from relay.media.filters import chain, named

if TYPE_CHECKING:
    from relay.media.facts import Facts, StreamFacts

SHORT_SIDE_PIXELS = 720
LONG_SIDE_PIXELS = 2560
"""Keeps a panorama within what a phone can play."""
MAX_RATE = 30
SLOWEST_FILM_RATE = 23
SLOWEST_RATE = 15
"""Fewer pictures come more than once: a change is shown at most half a step beside its moment."""
CAMERA_MAX_RATE = 240
"""Above this a number is the tick of a recorder's clock, not a rate of pictures."""
KEYFRAME_SECONDS = 2
QUALITY = "23"
PRESET = "veryfast"
"""The best a 2-core worker can do in half of real time; measured in docs/media.md."""
VIDEO_MAX_RATE, VIDEO_BUFFER = "4M", "8M"
AUDIO_RATE = "128k"

_APART = {"mov", "matroska", "avi"}
"""Kinds whose clock never begins again: each track can be read without the others."""
_TOLD = ("-hide_banner", "-nostdin", "-nostats", "-y")
_MEASURED = ("-loglevel", "info", "-progress", "pipe:2")

_PQ, _HLG = 16, 18
_BT709, _UNKNOWN, _BT2020, _P3 = 1, {0, 2, 3}, 9, {11, 12}
_HD_LINES = 720
_FULL_RANGE_FORMATS = ("yuvj", "rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8")
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
    whole: bool = False
    """What the edit list of a MOV leaves out is taken as well."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The picture that comes out."""

    width: int
    height: int
    rate: Fraction
    """Pictures per second."""

    @property
    def keyframe_frames(self) -> int:
        """How many pictures lie between two that can be decoded by themselves."""
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
    """That of the recording, halved until it is at most 30, or made a multiple that is at least 15."""
    rate = _recorded_rate(video)
    while rate > MAX_RATE and rate / 2 >= SLOWEST_FILM_RATE:
        rate /= 2
    rate *= math.ceil(SLOWEST_RATE / rate)
    return min(rate, Fraction(MAX_RATE)).limit_denominator(1001)


def _recorded_rate(video: StreamFacts) -> Fraction:
    """How fast pictures come where they come fastest; 30 where that is not known."""
    average = Fraction(video.average_rate or 0)
    base = Fraction(video.base_rate or 0)
    # A variable rate: take the faster of both, or quick movements would lose their pictures.
    if base <= CAMERA_MAX_RATE and (average or base):
        return max(average, base)
    # Long rests, as of a filmed screen, make an average slow, and say nothing of the movements.
    return average if average >= SLOWEST_FILM_RATE else Fraction(MAX_RATE)


def loudness_command(
    audio: StreamFacts, demuxer: str, *, program: str, source: Source
) -> list[str]:
    """Decode a track of sound, as it will be heard, and measure it."""
    opened = _input(demuxer, source, threads=1)
    options = {"filter:a": sound.measured(), "format": "null"}
    output = ffmpeg.output(opened[str(audio.index)], "-", **options)
    return _compiled(output, program, *_MEASURED, "-filter_threads", "1")


def together_command(
    facts: Facts, together: sound.Together, *, program: str, sources: Sequence[Source]
) -> list[str]:
    """Mix several tracks, as they will be heard, and measure what comes of it."""
    streams = [one.stream for one in together.sounds]
    opened, tracks = _opened(facts.demuxer, streams, sources)
    mixed = sound.joined(together, tracks, sound.LOUDNESS)
    output = ("-map", "[voice]", "-f", "null", "-")
    return [program, *opened, *mixed, *output, *_TOLD, *_MEASURED, "-filter_threads", "1"]


def inputs(facts: Facts, tracks: int) -> int:
    """How often the recording is opened for so many tracks.

    Several of them are each read on their own: one that begins late, or lies in another place of the file,
    is waited for without keeping all of the others in memory.
    """
    return tracks if facts.demuxer in _APART else 1


def encode_command(
    facts: Facts,
    *,
    program: str,
    sources: Sequence[Source],
    together: sound.Together | None,
    threads: int,
) -> list[str]:
    """Make the rendition: written to stdout, read again through stdin to move the index forward.

    Picture and sound are filtered apart: where one becomes another on the way, as when a phone is turned,
    its filters are made again, and those of the other continue.
    """
    opened = _input(facts.demuxer, sources[0], threads=threads)
    streams = []
    options: dict[str, str | int] = {}
    if facts.video is not None:
        out = shape(facts.video)
        streams.append(opened[str(facts.video.index)])
        options |= {"filter:v": chain(*_shown(facts.video, out))} | _video_options(out, threads)
    if together is not None:
        streams.append(opened[str(together.sounds[0].stream.index)])
        options |= {"c:a": "aac", "b:a": AUDIO_RATE, "ar": 48000, "ac": 2, "flags:a": "+bitexact"}
        if together.is_plain:
            options["filter:a"] = sound.delivered(together)
    output = ffmpeg.output(
        *streams,
        "fd:",
        **options,
        format="mp4",
        movflags="+faststart",
        fflags="+bitexact",
        map_metadata=-1,
        map_chapters=-1,
        t=sources[0].max_seconds + 1,
    )
    told = ("-loglevel", "error", "-progress", "pipe:2")
    command = _compiled(output, program, *told, "-filter_threads", str(threads))
    if together is None or together.is_plain:
        return command
    return _joined(command, facts, sources, together, threads)


def _joined(
    command: list[str],
    facts: Facts,
    sources: Sequence[Source],
    together: sound.Together,
    threads: int,
) -> list[str]:
    """The command with its sound put together first: ffmpeg-python has no words for it."""
    film = [facts.video] if facts.video else []
    streams = [one.stream for one in together.sounds]
    at, end = command.index(f"0:{streams[0].index}"), command.index("-i") + 2
    opened, tracks = command[1:end], [command[at]]
    if len(streams) > 1:
        opened, tracks = _opened(facts.demuxer, [*film, *streams], sources, threads=threads)
        tracks = tracks[len(film) :]
    mixed = sound.joined(together, tracks, *sound.leveled(together.loudness_lufs))
    return [command[0], *opened, *mixed, *command[end:at], "[voice]", *command[at + 1 :]]


def _opened(
    demuxer: str, streams: Sequence[StreamFacts], sources: Sequence[Source], *, threads: int = 1
) -> tuple[list[str], list[str]]:
    """The inputs, and each stream in them."""
    # Each thread takes its share of the jail's address space, and sound has no use for a second.
    arguments = ["-filter_complex_threads", "1"]
    for number, source in enumerate(sources):
        needed = threads if number == 0 else 1
        command = ffmpeg.output(_input(demuxer, source, threads=needed), "-").compile()
        arguments += command[1 : command.index("-i") + 2]
    numbers = range(len(streams)) if len(sources) > 1 else [0] * len(streams)
    tracks = zip(numbers, streams, strict=True)
    return arguments, [f"{number}:{stream.index}" for number, stream in tracks]


def _compiled(output: ffmpeg.nodes.OutputStream, program: str, *options: str) -> list[str]:
    output = output.global_args(*_TOLD, *options)
    return [str(argument) for argument in output.compile(cmd=program)]


def _input(demuxer: str, source: Source, *, threads: int) -> ffmpeg.nodes.Stream:
    """Only the demuxer that the probe settled on, the decoders on the list, and one descriptor."""
    options = {"ignore_editlist": 1} if source.whole else {}
    return ffmpeg.input(
        "fd:",
        **options,
        format=demuxer,
        fd=source.descriptor,
        protocol_whitelist="fd",
        codec_whitelist=",".join(sorted(source.codecs)),
        max_pixels=source.max_pixels,
        # The clean aperture of a MOV says what a television would show; browsers show all.
        apply_cropping="codec",
        threads=threads,
        t=source.max_seconds + 1,
    )


def _shown(video: StreamFacts, out: Shape) -> list[str]:
    filters = []
    if video.interlaced:
        filters.append(named("bwdif", mode="send_frame", deint="interlaced"))
    rate = named("fps", fps=f"{out.rate.numerator}/{out.rate.denominator}")
    repeats = out.rate > _recorded_rate(video)
    # Dropping and shrinking come first, and repeating last: what is between costs that much less.
    if not repeats:
        filters.append(rate)
    if video.transfer in {_PQ, _HLG} or video.primaries == _BT2020 or video.primaries in _P3:
        filters += [_fitted(video, out), *_to_bt709(video)]
    else:
        filters.append(
            _fitted(
                video,
                out,
                in_color_matrix=_SCALE_MATRICES.get(video.matrix) or _matrix_unsaid(video),
                out_color_matrix="bt709",
                in_range=_range(video),
                out_range="tv",
            )
        )
    return [
        *filters,
        named("format", "yuv420p"),
        named("pad", out.width, out.height, "(ow-iw)/2", "(oh-ih)/2"),
        named("setsar", "1"),
        named(
            "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
        ),
        # What the recording says of its brightness is not so of this picture.
        named("sidedata", mode="delete"),
        *([rate] if repeats else []),
    ]


def _fitted(video: StreamFacts, out: Shape, **colours: str) -> str:
    """Scale to the size that comes out; what turns on the way, to fit into it."""
    width, height = video.width, video.height
    if video.rotation % 180 == 90:  # noqa: PLR2004 - a quarter turn
        width, height = height, width
    same = f"eq(iw\\,{width})*eq(ih\\,{height})"
    wide = f"2*round(min({out.width}\\,{out.height}*dar)/2)"
    high = f"2*round(min({out.height}\\,{out.width}/dar)/2)"
    return named(
        "scale",
        w=f"if({same}\\,{out.width}\\,{wide})",
        h=f"if({same}\\,{out.height}\\,{high})",
        **colours,
    )


def _matrix_unsaid(video: StreamFacts) -> str:
    """What a browser takes for the colours of a recording that does not say: by its lines, as stored."""
    aspect = Fraction(video.sample_aspect) if video.sample_aspect else Fraction(1)
    lines = video.height / min(aspect, Fraction(1))
    return "bt709" if lines >= _HD_LINES else "bt601"


def _range(video: StreamFacts) -> str:
    """What the container says counts; of some kinds of picture the format itself says it."""
    return "pc" if video.full_range or video.pixel_format.startswith(_FULL_RANGE_FORMATS) else "tv"


def _to_bt709(video: StreamFacts) -> list[str]:
    """Through linear light; brighter than bt709 can show is rolled off rather than cut."""
    wide = video.transfer in {_PQ, _HLG}
    filters = [
        # Said of the frames themselves: a recording may leave any of these unsaid.
        named(
            "setparams",
            color_trc=_TRANSFERS.get(video.transfer, "bt709"),
            color_primaries=_PRIMARIES.get(video.primaries, "bt2020" if wide else "bt709"),
            colorspace=_MATRICES.get(video.matrix, "bt2020nc" if wide else "bt709"),
            range=_range(video),
        ),
        named("zscale", transfer="linear", npl=REFERENCE_WHITE_NITS if wide else 100),
        named("format", "gbrpf32le"),
        named("zscale", primaries="bt709"),
    ]
    if wide:
        filters.append(named("tonemap", "mobius", param=ROLL_OFF_FROM, desat=0, peak=HDR_PEAK))
    return [*filters, named("zscale", transfer="bt709", matrix="bt709", range="limited")]


REFERENCE_WHITE_NITS = 203
"""White paper in HDR (ITU-R BT.2408) becomes white paper in bt709."""
ROLL_OFF_FROM = 0.6
HDR_PEAK = 5
"""1,000 nits over that white: what phones record."""


def _video_options(out: Shape, threads: int) -> dict[str, str | int]:
    return {
        "c:v": "libx264",
        # From the first moment, also where the sound begins earlier.
        "fps_mode": "cfr",
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
