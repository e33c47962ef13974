"""What is known of a recording, and which decoders may see it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

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


# What the jail answers comes from where a hostile file was: only what FFmpeg can have is taken.
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Packets: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Duration: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Degrees: TypeAlias = Annotated[int, msgspec.Meta(ge=-360, le=360)]
Rate: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9]{1,10}/[1-9][0-9]{0,9})?\Z")]
Aspect: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(?:[1-9][0-9]{0,9}/[1-9][0-9]{0,9})?\Z")]


class StreamFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One stream. Colour numbers are those of ISO/IEC 23091-2; rates are fractions, "" if unknown."""

    index: Count
    kind: str
    codec: str
    """"" where nobody knows it."""
    packets: Packets = 0
    begin_ms: Milliseconds = 0
    end_ms: Milliseconds = 0
    enabled: bool = False
    """What a player takes where there is more than one of its kind."""
    picture: bool = False
    """A cover picture, not a video."""
    shown: bool = False
    """The one video that is shown."""
    locked: bool = False
    width: Count = 0
    height: Count = 0
    rotation: Degrees = 0
    """Degrees, as the display matrix says."""
    sample_aspect: Aspect = "1/1"
    pixel_format: str = ""
    transfer: Count = 2
    primaries: Count = 2
    matrix: Count = 2
    full_range: bool = False
    interlaced: bool = False
    average_rate: Rate = ""
    base_rate: Rate = ""
    channels: Count = 0
    tags: dict[str, str] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One media file as PyAV sees it; times and packets are counted, whatever it announces."""

    refused: str = ""
    """Code of the refusal that was decided inside."""
    demuxer: str = ""
    whole: bool = False
    """Its edit list leaves out everything, and is not followed."""
    duration_ms: Duration | None = None
    announced_ms: Duration | None = None
    """What the file says of itself, or what is guessed from its bit rate."""
    chapters: Count = 0
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
