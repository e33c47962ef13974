"""Looks at a finished rendition with fresh eyes and makes its poster. Runs in the jail.

Arguments: descriptor of the rendition, descriptor for the JPEG. Prints the facts as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction

sys.path.insert(0, "/relay/code")
sys.path.insert(1, "/relay/site")

import av  # found on the path above
from av.container import InputContainer

from relay.media.inside import facts

CODECS = "h264,aac"
LAST_LOOK_SECONDS = 30
DARK, FLAT = 34, 12
"""Mean luma below which a picture is taken for black, and the spread below which for one colour."""
SAMPLE_EVERY = 97
"""One pixel of so many is enough to tell; a prime, so that the samples do not form a column."""
PLAIN_WIDTH, PLAIN_HEIGHT = 1280, 720
PLAIN_TOP, PLAIN_BOTTOM, PLAIN_BLUE, PLAIN_RED = 178, 142, 136, 122
"""A soft grey-blue, lighter at the top: calm, and without words in any language."""


def main(rendition: int, poster: int) -> None:
    """Print the facts and write the poster."""
    found = facts.read(rendition, "mov", CODECS)
    with facts.open_container(rendition, "mov", CODECS) as container:
        facts.add_first_frame(container, found, CODECS)
    films = [stream for stream in found["streams"] if stream["kind"] == "video"]
    if not all(facts.may_decode(stream, CODECS) for stream in films):
        raise SystemExit(1)
    if films:
        with facts.open_container(rendition, "mov", CODECS) as container:
            picture = choose(container)
    else:
        picture = plain()
    _write(poster, jpeg(picture))
    json.dump(found, sys.stdout)


def choose(container: InputContainer) -> av.VideoFrame:
    """The first key picture that shows something; if none does, the one that shows most."""
    stream = container.streams.video[0]
    stream.codec_context.skip_frame = "NONKEY"
    best: tuple[float, av.VideoFrame] | None = None
    for frame in container.decode(stream):
        luma = bytes(frame.planes[0])[:: SAMPLE_EVERY if frame.width > SAMPLE_EVERY else 1]
        mean = sum(luma) / len(luma)
        spread = sum(abs(value - mean) for value in luma) / len(luma)
        if mean >= DARK and spread >= FLAT:
            return frame
        if best is None or spread > best[0]:
            best = (spread, frame)
        if (frame.time or 0) >= LAST_LOOK_SECONDS:
            break
    if best is None:
        raise SystemExit(1)
    return best[1]


def plain() -> av.VideoFrame:
    """The poster of a sound recording: a quiet gradient."""
    frame = av.VideoFrame(PLAIN_WIDTH, PLAIN_HEIGHT, "yuvj420p")
    luma, blue, red = frame.planes
    step = (PLAIN_TOP - PLAIN_BOTTOM) / PLAIN_HEIGHT
    rows = (bytes([round(PLAIN_TOP - step * row)]) * luma.line_size for row in range(luma.height))
    luma.update(b"".join(rows))
    blue.update(bytes([PLAIN_BLUE]) * blue.buffer_size)
    red.update(bytes([PLAIN_RED]) * red.buffer_size)
    return frame


def jpeg(frame: av.VideoFrame) -> bytes:
    """A JPEG without any comment or tag."""
    if frame.format.name != "yuvj420p":
        frame = frame.reformat(
            format="yuvj420p",
            src_colorspace="itu709",
            dst_colorspace="itu601",
            dst_color_range="JPEG",
        )
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"flags": "+bitexact+qscale", "global_quality": str(3 * 118)}
    frame.pts = 0
    frame.pict_type = 1
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


main(int(sys.argv[1]), int(sys.argv[2]))
