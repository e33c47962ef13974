"""What comes out of a transcode, and what every result is like."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Awaitable, Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from relay.media.transcode import Progress, Transcoded

Make = Callable[..., Path]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A transcode and everything that was told on the way."""

    transcoded: Transcoded
    rendition: bytes
    poster: bytes
    told: list[Progress]

    def open(self) -> av.container.InputContainer:
        """The rendition, as a player opens it."""
        return av.open(io.BytesIO(self.rendition), "r")


Run = Callable[..., Awaitable[Done]]


def assert_as_promised(done: Done) -> None:
    """All that holds for every rendition, whatever it was made from."""
    data = done.rendition
    assert data[4:8] == b"ftyp"
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    assert b"moof" not in data[: data.find(b"mdat")]
    with done.open() as container:
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        assert container.chapters() == []
        assert {stream.type for stream in container.streams} <= {"video", "audio"}
        for audio in container.streams.audio:
            assert audio.codec_context.name == "aac"
            assert audio.codec_context.sample_rate == 48000
            assert audio.codec_context.layout.name == "stereo"
        for video in container.streams.video:
            context = video.codec_context
            assert (context.name, context.profile, context.pix_fmt) == ("h264", "Main", "yuv420p")
            assert min(context.width, context.height) <= 720
            assert context.width % 2 == context.height % 2 == 0
            assert video.average_rate is not None
            assert video.average_rate <= 30
            assert context.color_trc == context.color_primaries == context.colorspace == 1
            assert video.sample_aspect_ratio in {None, Fraction(1)}
            assert_keyframes(container, video)
        described = done.transcoded
        assert container.duration is not None
        assert abs(described.duration_ms - container.duration / 1000) < 1
    with av.open(io.BytesIO(done.poster), "r") as poster:
        shown = next(poster.decode(video=0))
        assert poster.metadata == {}
        assert min(shown.width, shown.height) <= 720
        if described.kind == "video":
            assert (shown.width, shown.height) == (described.width, described.height)
    assert described.size == len(data)
    fractions = [progress.fraction for progress in done.told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def assert_keyframes(container: InputContainer, video: VideoStream) -> None:
    """A keyframe comes at least every two seconds."""
    times = [
        float(p.pts * p.time_base)
        for p in container.demux(video)
        if p.is_keyframe and p.pts is not None
    ]
    assert times[0] < 0.1
    assert all(later - earlier <= 2.05 for earlier, later in pairwise(times))
    container.seek(0)
