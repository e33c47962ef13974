"""What a recording holds, found out in the jail and checked against the limits outside."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from relay.media import errors
from relay.media.jail import SCRIPTS, Outcome, Sentence, run_in_jail
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.recipe import CAMERA_MAX_RATE
from relay.media.tools import MediaTools
from relay.settings import MIB

PROBE_SECONDS = 60
PROBE_FILE_BYTES = MIB
BOMB_PIXELS_PER_BYTE = 50_000
"""A still picture filmed in 4K takes a fifth of this; only made-up pictures unfold so far."""
BOMB_PIXELS = 20_000_000_000
"""80 s of 4K at 30 pictures a second: less is no trouble to unfold."""
BOMB_MEMORY_RATIO = 1000

VIDEO_CODECS = frozenset(
    (
        *("av1", "dvvideo", "flv", "h263", "h263i", "h264", "hevc", "libdav1d", "mjpeg", "mjpegb"),
        *("mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "prores"),
        *("svq1", "svq3", "theora", "vc1", "vp6", "vp6f", "vp8", "vp9", "wmv1", "wmv2", "wmv3"),
    )
)
AUDIO_CODECS = frozenset(
    (
        *("aac", "aac_latm", "ac3", "adpcm_ima_amv", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms"),
        *("adpcm_swf", "adpcm_yamaha", "alac", "amrnb", "amrwb", "dca", "eac3", "evrc", "flac"),
        *(
            "g722",
            "g726",
            "gsm",
            "gsm_ms",
            "libopencore_amrnb",
            "libopencore_amrwb",
            "libopus",
            "mace3",
        ),
        *("mace6", "mlp", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "nellymoser"),
        *(
            "opus",
            "qcelp",
            "qdm2",
            "qdmc",
            "speex",
            "truehd",
            "vorbis",
            "wmalossless",
            "wmapro",
            "wmav1",
        ),
        *("wmav2", "wmavoice", "pcm_alaw", "pcm_bluray", "pcm_dvd", "pcm_f32be", "pcm_f32le"),
        *("pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16be_planar", "pcm_s16le"),
        *("pcm_s16le_planar", "pcm_s24be", "pcm_s24le", "pcm_s24le_planar", "pcm_s32be"),
        *("pcm_s32le", "pcm_s32le_planar", "pcm_s8", "pcm_s8_planar", "pcm_u16be", "pcm_u16le"),
        *("pcm_u24be", "pcm_u24le", "pcm_u32be", "pcm_u32le", "pcm_u8", "s302m"),
    )
)
CODECS = VIDEO_CODECS | AUDIO_CODECS
"""FFmpeg knows five hundred decoders; only these may see hostile bytes."""


class StreamFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One stream. Colour numbers are those of ISO/IEC 23091-2; rates are fractions, "" if unknown."""

    index: int
    kind: str
    codec: str
    """"" where nobody knows it."""
    packets: int = 0
    begin_ms: int = 0
    end_ms: int = 0
    enabled: bool = False
    """What a player takes where there is more than one of its kind."""
    picture: bool = False
    """A cover picture, not a video."""
    shown: bool = False
    """The one video that is shown."""
    locked: bool = False
    width: int = 0
    height: int = 0
    rotation: int = 0
    """Degrees, as the display matrix says."""
    sample_aspect: str = "1/1"
    pixel_format: str = ""
    transfer: int = 2
    primaries: int = 2
    matrix: int = 2
    full_range: bool = False
    interlaced: bool = False
    average_rate: str = ""
    base_rate: str = ""
    frames: int = 0
    channels: int = 0
    tags: dict[str, str] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One media file as PyAV sees it; times and packets are counted, whatever it announces."""

    refused: str = ""
    """Code of the refusal that was decided inside."""
    demuxer: str = ""
    whole: bool = False
    """Its edit list leaves out everything, and is not followed."""
    duration_ms: int | None = None
    announced_ms: int | None = None
    """What the file says of itself, or what is guessed from its bit rate."""
    chapters: int = 0
    tags: dict[str, str] = {}
    streams: tuple[StreamFacts, ...] = ()

    @property
    def video(self) -> StreamFacts | None:
        """The stream that is shown."""
        return next((s for s in self.streams if s.shown), None)

    @property
    def sounds(self) -> list[StreamFacts]:
        """The streams that may be heard, first what a player takes."""
        heard = [s for s in self._filled_sounds if s.codec in AUDIO_CODECS]
        return sorted(heard, key=lambda s: not s.enabled)

    @property
    def played(self) -> list[StreamFacts]:
        """The sounds that are meant to be heard together.

        A MOV or MP4 says which are: the others are another language, or the same once more. Elsewhere a mark
        says only which one a player that has to choose begins with.
        """
        return [s for s in self.sounds if s.enabled or self.demuxer != "mov"]

    @property
    def has_unknown_sound(self) -> bool:
        """Whether there is sound, and none that can be decoded."""
        return bool(self._filled_sounds) and not self.sounds

    @property
    def _filled_sounds(self) -> list[StreamFacts]:
        return [s for s in self.streams if s.kind == "audio" and s.packets]


async def probe(source: MemoryFile, *, limits: MediaLimits, tools: MediaTools) -> Facts:
    """Look at `source` (sealed) in the jail; a MediaRefused where it cannot or may not be prepared."""
    if source.size == 0:
        raise errors.EmptyRecording
    with source.reader() as descriptor:
        outcome = await run_in_jail(
            [
                *(str(tools.python), "-I", "-S", "-B", f"{SCRIPTS}/probe.py"),
                *(str(descriptor), ",".join(sorted(CODECS))),
            ],
            sentence=Sentence(
                memory_bytes=limits.jail_memory_bytes,
                threads=limits.jail_processes,
                file_bytes=PROBE_FILE_BYTES,
                seconds=min(PROBE_SECONDS, limits.transcode_seconds),
            ),
            tools=tools,
            descriptors=(descriptor,),
        )
    facts = read_facts(outcome, source_bytes=source.size, limits=limits)
    check_facts(facts, source_bytes=source.size, limits=limits)
    return facts


def read_facts(outcome: Outcome, *, source_bytes: int, limits: MediaLimits) -> Facts:
    """Decode what the probe printed; whatever kept it from printing is a refusal too."""
    if outcome.timed_out:
        raise errors.TookTooLong
    if outcome.ran_out_of_memory:
        raise out_of_memory(source_bytes=source_bytes, limits=limits)
    if outcome.status != 0:
        raise errors.UnreadableRecording(f"probe ended with {outcome.status}")
    try:
        return msgspec.json.decode(outcome.stdout, type=Facts)
    except msgspec.DecodeError:
        raise errors.UnreadableRecording("the probe's answer was not understood") from None


def check_facts(facts: Facts, *, source_bytes: int, limits: MediaLimits) -> None:
    """Hold a probed file against the limits; the first that it breaks is raised."""
    if facts.refused == errors.OutOfMemory.code:
        raise out_of_memory(source_bytes=source_bytes, limits=limits)
    if any(stream.locked for stream in facts.streams):
        raise errors.ProtectedRecording
    tracks = [stream for stream in facts.streams if stream.kind in {"video", "audio"}]
    if len(tracks) > limits.video_max_streams:
        raise errors.TooManyStreams(max_streams=limits.video_max_streams)
    pixels = max((s.width * s.height for s in facts.streams), default=0)
    if pixels > limits.video_max_pixels:
        raise errors.TooManyPixels(max_pixels=limits.video_max_pixels)
    if (facts.duration_ms or 0) > limits.video_max_seconds * 1000:
        raise errors.TooLong(max_seconds=limits.video_max_seconds)
    _check_content(facts)
    unfolded = _unfolded_pixels(facts)
    if unfolded > max(BOMB_PIXELS, BOMB_PIXELS_PER_BYTE * source_bytes):
        raise errors.DecompressionBomb(f"{unfolded / source_bytes:.0f} pixels per byte")


def _check_content(facts: Facts) -> None:
    if facts.video and facts.video.codec not in VIDEO_CODECS:
        raise errors.UnsupportedCodec(facts.video.codec)
    if facts.has_unknown_sound:
        raise errors.UnsupportedCodec("no sound that can be decoded")
    if facts.refused:
        raise refusal(facts.refused)
    if facts.video is None and not facts.sounds:
        raise errors.NotARecording("no video and no sound in it")


def _unfolded_pixels(facts: Facts) -> float:
    video = facts.video
    if video is None:
        return 0
    # A recorder that writes no index may claim the tick of its clock as its rate, such as 1000.
    rate = min(float(Fraction(video.average_rate or 30)), CAMERA_MAX_RATE)
    counted = max(video.packets, video.frames, rate * (facts.duration_ms or 0) / 1000)
    return video.width * video.height * counted


def out_of_memory(*, source_bytes: int, limits: MediaLimits) -> errors.MediaRefused:
    """A small file that fills the memory is a bomb; a large one is only large."""
    if source_bytes * BOMB_MEMORY_RATIO < limits.jail_memory_bytes:
        return errors.DecompressionBomb("filled the memory")
    return errors.OutOfMemory()


def refusal(code: str) -> errors.MediaRefused:
    """The error of that code."""
    kinds = {kind.code: kind for kind in errors.MediaRefused.__subclasses__()}
    return kinds.get(code, errors.UnreadableRecording)()
