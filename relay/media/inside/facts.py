"""What PyAV sees in a media file, as plain values for JSON. Runs in the jail."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import TypedDict

import av
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

PACKETS_TO_FIRST_FRAME = 400
LARGEST_FRAME_BYTES = 8191
"""Of a raw stream of AAC."""


class StreamFacts(TypedDict, total=False):
    """One stream; numbers of colour as ISO/IEC 23091-2 has them."""

    index: int
    kind: str
    codec: str
    packets: int
    begin_ms: int
    end_ms: int
    enabled: bool
    picture: bool
    shown: bool
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
    channels: int
    tags: dict[str, str]


class Facts(TypedDict):
    """The whole file."""

    duration_ms: int | None
    announced_ms: int | None
    chapters: int
    tags: dict[str, str]
    streams: list[StreamFacts]


def open_container(
    descriptor: int, demuxer: str, codecs: str, *, whole: bool = False
) -> InputContainer:
    """Open through one demuxer, one protocol and the decoders that are allowed, from the first byte.

    With `whole` what the edit list of a MOV leaves out is there as well.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "codec_whitelist": codecs}
    if whole:
        options["ignore_editlist"] = "1"
    return av.open("fd:", format=demuxer, options=options, metadata_errors="replace")


def read(descriptor: int, demuxer: str, codecs: str, *, whole: bool = False) -> Facts:
    """Open a file and read its facts."""
    with open_container(descriptor, demuxer, codecs, whole=whole) as container:
        return read_facts(container, codecs)


def has_too_many_streams(descriptor: int, demuxer: str, codecs: str) -> bool:
    """Whether more than FFmpeg opens is why it said that there is no memory: it has one code for both."""
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as said, contextlib.suppress(av.error.FFmpegError):
        read(descriptor, demuxer, codecs)
    return any("max_streams" in line for _, _, line in said)


def drop_tags(facts: Facts) -> None:
    """What a recording says of itself in words, which may be megabytes, is nobody's business outside."""
    facts["tags"] = {}
    for stream in facts["streams"]:
        stream["tags"] = {}


def is_empty(facts: Facts) -> bool:
    """Whether there are tracks of picture or sound, and nothing in any of them."""
    tracks = [s for s in facts["streams"] if s["kind"] in {"video", "audio"} and not s["picture"]]
    return bool(tracks) and not any(s["packets"] for s in tracks)


def read_facts(container: InputContainer, codecs: str) -> Facts:
    """All facts that need no decoding: what is there is counted, whatever the file announces."""
    found: Facts = {
        "duration_ms": None,
        "announced_ms": max(0, container.duration or 0) // 1000 or None,
        "chapters": len(container.chapters()),
        "tags": dict(container.metadata),
        "streams": [_stream_facts(stream) for stream in container.streams],
    }
    _count(container, found["streams"])
    _choose_video(found["streams"], frozenset(codecs.split(",")))
    found["duration_ms"] = _duration_ms(found["streams"])
    return found


def _count(container: InputContainer, streams: list[StreamFacts]) -> None:
    """Read every packet: how many each stream has, and from when to when."""
    begins: dict[int, Fraction] = {}
    ends: dict[int, Fraction] = {}
    counted: dict[int, int] = {}
    for packet in _packets(container):
        if packet.size == 0 or packet.is_discard:
            continue
        index = packet.stream_index
        counted[index] = counted.get(index, 0) + 1
        if packet.pts is None or not packet.time_base:
            continue
        begin = packet.pts * packet.time_base
        end = begin + (packet.duration or 0) * packet.time_base
        begins[index] = min(begin, begins.get(index, begin))
        ends[index] = max(end, ends.get(index, end))
    for stream in streams:
        index = stream["index"]
        stream["packets"] = counted.get(index, 0)
        stream["begin_ms"] = round(begins.get(index, Fraction(0)) * 1000)
        stream["end_ms"] = round(ends.get(index, Fraction(0)) * 1000)


def _packets(container: InputContainer) -> Iterator[Packet[Stream]]:
    """All there are; where a recorder lost its power, a raw stream ends within a frame."""
    end = 0
    try:
        for packet in container.demux():
            end = max(end, (packet.pos or 0) + packet.size)
            yield packet
    except av.error.InvalidDataError:
        if not end or end + LARGEST_FRAME_BYTES < container.size:
            raise


def _choose_video(streams: list[StreamFacts], codecs: frozenset[str]) -> None:
    """Mark what is shown: of the tracks that can be decoded and are enabled, the largest."""
    films = [s for s in streams if s["kind"] == "video" and not s["picture"] and s["packets"]]
    if films:
        best = max(
            films, key=lambda s: (s["codec"] in codecs, s["enabled"], s["width"] * s["height"])
        )
        best["shown"] = True


def _duration_ms(streams: list[StreamFacts]) -> int | None:
    """From the first to the last of picture and sound; None where no times are known."""
    timed = [
        s for s in streams if s["end_ms"] > s["begin_ms"] and (s["shown"] or s["kind"] == "audio")
    ]
    if not timed:
        return None
    return max(s["end_ms"] for s in timed) - min(s["begin_ms"] for s in timed)


def _stream_facts(stream: Stream) -> StreamFacts:
    context: CodecContext | None = stream.codec_context
    facts: StreamFacts = {
        "index": stream.index,
        "kind": stream.type,
        "codec": getattr(context, "name", ""),
        "enabled": bool(stream.disposition & Disposition.default),
        "picture": bool(stream.disposition & Disposition.attached_pic),
        "shown": False,
        "tags": dict(stream.metadata),
        "locked": "enc_key_id" in stream.metadata,
    }
    if context is None:  # nobody knows this codec
        facts |= {"width": 0, "height": 0}
    elif isinstance(stream, VideoStream):
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
        }
    elif isinstance(stream, AudioStream):
        facts["channels"] = stream.codec_context.channels
    return facts


def _interlaced(order: object) -> bool:
    return getattr(order, "name", str(order)) in {"TT", "BB", "TB", "BT"}


def _ratio(value: Fraction | None) -> str:
    return f"{value.numerator}/{value.denominator}" if value else ""


def may_decode(stream: StreamFacts, codecs: str) -> bool:
    """Whether its decoder is one that may run; FFmpeg's own list does not hold for what PyAV decodes."""
    return stream["codec"] in codecs.split(",")


def add_first_frame(container: InputContainer, facts: Facts, codecs: str) -> bool:
    """Decode one picture for what only it knows, such as rotation; False where none comes out.

    Nothing is decoded where the decoder is not one of `codecs`.
    """
    mine = next((s for s in facts["streams"] if s["shown"]), None)
    if mine is None or not may_decode(mine, codecs):
        return True
    for count, packet in enumerate(container.demux(container.streams[mine["index"]])):
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
