"""What PyAV sees in a media file, as plain values for JSON. Runs in the jail."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TypedDict

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

PACKETS_TO_FIRST_FRAME = 400


class StreamFacts(TypedDict, total=False):
    """One stream; numbers of colour as ISO/IEC 23091-2 has them."""

    index: int
    kind: str
    codec: str
    picture: bool
    locked: bool
    width: int
    height: int
    rotation: int
    sample_aspect: str
    pixel_format: str
    transfer: int
    primaries: int
    matrix: int
    full_range: bool
    interlaced: bool
    average_rate: str
    base_rate: str
    frames: int
    channels: int
    tags: dict[str, str]


class Facts(TypedDict):
    """The whole file."""

    duration_ms: int | None
    chapters: int
    tags: dict[str, str]
    streams: list[StreamFacts]


def open_container(descriptor: int, demuxer: str, codecs: str) -> InputContainer:
    """Open through one demuxer, one protocol and the decoders that are allowed, from the first byte."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "codec_whitelist": codecs}
    return av.open("fd:", format=demuxer, options=options, metadata_errors="replace")


def read_facts(container: InputContainer) -> Facts:
    """All facts that need no decoding."""
    duration = container.duration
    return {
        "duration_ms": duration // 1000 if duration and duration > 0 else None,
        "chapters": len(container.chapters()),
        "tags": dict(container.metadata),
        "streams": [_stream_facts(stream) for stream in container.streams],
    }


def _stream_facts(stream: Stream) -> StreamFacts:
    context = stream.codec_context
    facts: StreamFacts = {
        "index": stream.index,
        "kind": stream.type,
        "codec": getattr(context, "name", ""),
        "picture": bool(stream.disposition & Disposition.attached_pic),
        "tags": dict(stream.metadata),
        "locked": "enc_key_id" in stream.metadata,
    }
    if isinstance(stream, VideoStream):
        video = stream.codec_context
        facts |= {
            "width": video.width,
            "height": video.height,
            "rotation": 0,
            "sample_aspect": _ratio(stream.sample_aspect_ratio) or "1/1",
            "pixel_format": video.pix_fmt or "",
            "transfer": int(video.color_trc),
            "primaries": int(video.color_primaries),
            "matrix": int(video.colorspace),
            "full_range": int(video.color_range) == 2,  # noqa: PLR2004 - AVCOL_RANGE_JPEG
            "interlaced": _interlaced(video.field_order),
            "average_rate": _ratio(stream.average_rate),
            "base_rate": _ratio(stream.base_rate),
            "frames": stream.frames,
        }
    elif isinstance(stream, AudioStream):
        facts["channels"] = stream.codec_context.channels
    return facts


def _interlaced(order: object) -> bool:
    return getattr(order, "name", str(order)) in {"TT", "BB", "TB", "BT"}


def _ratio(value: Fraction | None) -> str:
    return f"{value.numerator}/{value.denominator}" if value else ""


def add_first_frame(container: InputContainer, facts: Facts) -> bool:
    """Decode one picture for what only it knows, such as rotation; False where none comes out."""
    stream = next((s for s in container.streams.video if not _is_picture(s)), None)
    if stream is None:
        return True
    mine = next(f for f in facts["streams"] if f["index"] == stream.index)
    for count, packet in enumerate(container.demux(stream)):
        if packet.has_sidedata("encryption_info") or packet.has_sidedata("encryption_init_info"):
            mine["locked"] = True
            return True
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            frames = []
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                mine["rotation"] = frame.rotation
                mine["width"], mine["height"] = frame.width, frame.height
                mine["pixel_format"] = frame.format.name
                return True
        if count > PACKETS_TO_FIRST_FRAME:
            break
    return False


def _is_picture(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def measure_duration_ms(container: InputContainer) -> int | None:
    """Read every packet for the time the last one ends: a recorder in a browser writes no duration."""
    first: Fraction | None = None
    last = Fraction(0)
    for packet in container.demux():
        if packet.pts is None or not packet.time_base:
            continue
        begin = packet.pts * packet.time_base
        first = begin if first is None else min(first, begin)
        last = max(last, begin + (packet.duration or 0) * packet.time_base)
    return None if first is None else max(1, round((last - first) * 1000))
