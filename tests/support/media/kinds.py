"""What a recording of the test card is like, how it is made, and how what comes of it is measured."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from typing import Final

from tests.support.media import boxes, card
from tests.support.media.results import Done, assert_as_promised

H264: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
BT709: Final = (
    *("-colorspace", "bt709", "-color_primaries", "bt709"),
    *("-color_trc", "bt709", "-color_range", "tv"),
)
AAC: Final = ("-c:a", "aac")
WEBM: Final = (
    *("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", *BT709),
    *("-c:a", "libopus"),
)
FRAGMENTS: Final = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
IN_STEP_SECONDS: Final = 0.04
WMA_SECONDS: Final = 2048 / 48000
NEAR: Final = 14
"""Of 256: what JPEG, 4:2:0 and a second encoder take away."""
VIDEO: Final = card.filmed(320, 180)
SOUND: Final = card.heard()
TO_BT601: Final = "scale=in_color_matrix=bt709:out_color_matrix=bt601"
FULL: Final = "scale=in_color_matrix=bt709:out_color_matrix={matrix}:in_range=tv:out_range=pc"

Edit = Callable[[bytes], bytes]


LATE: Final = ("-itsoffset", "0.5")
ALIKE: Final = ("-muxdelay", "0", "-f", "mpegts")
LEFT: Final = "pan=stereo|c0=c0|c1=0*c0"
OPPOSED: Final = "pan=stereo|c0=c0|c1=-1*c0"


def _nothing(content: bytes) -> bytes:
    return content


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of recording: how it is made, and what is to come of it, where that is not as usual."""

    name: str
    arguments: tuple[str, ...]
    edit: Edit = _nothing
    size: tuple[int, int] = (320, 180)
    """(0, 0) of a voice alone."""
    seconds: float = card.SECONDS
    fields: tuple[float, ...] = card.BEEP_TIMES
    beeps: tuple[float, ...] = card.BEEP_TIMES
    near: int = NEAR
    colours: tuple[str, ...] = tuple(card.COLOURS)
    late_seconds: float = 0
    """What its encoder puts before the sound, and its decoder leaves there."""


def picture(name: str, *arguments: str, **others: object) -> Kind:
    """A kind that has a picture."""
    return Kind(name=name, arguments=arguments, **others)  # type: ignore[arg-type]


def voice(name: str, *arguments: str, **others: object) -> Kind:
    """A kind that is sound alone."""
    return picture(name, *SOUND, *arguments, size=(0, 0), fields=(), **others)


def assert_as_it_was(done: Done, kind: Kind) -> None:
    """Measure a rendition of the card."""
    assert_as_promised(done)
    seen = card.look_at(done)
    assert abs(done.transcoded.duration_ms - kind.seconds * 1000) < 120
    assert (done.transcoded.width, done.transcoded.height) == kind.size
    assert_near(seen.fields, kind.fields)
    beeps = tuple(at - kind.late_seconds for at in seen.beeps)
    assert_near(beeps, kind.beeps)
    if kind.fields == kind.beeps:
        assert_near(beeps, seen.fields)
    for picture in (seen.first, seen.last):
        for name in kind.colours if picture else ():
            assert card.near(picture[name], card.COLOURS[name], kind.near), (name, picture)


def assert_near(found: tuple[float, ...], expected: tuple[float, ...]) -> None:
    """All are there, and each at its moment."""
    assert len(found) == len(expected), found
    assert all(abs(one - at) < IN_STEP_SECONDS for one, at in zip(found, expected, strict=True)), (
        found
    )


def with_edits(*parts: tuple[float, float]) -> Edit:
    """With an edit list that shows only what is between these seconds, as who cuts a film on a phone."""

    def edit(content: bytes) -> bytes:
        length = _scale(content, b"mvhd", 0)
        for number in (0, 1):
            start, _ = boxes.found(content, b"elst", number)
            first = int.from_bytes(content[start + 20 : start + 24])
            scale = _scale(content, b"mdhd", number)
            entries = b"".join(
                struct.pack(
                    ">IiI",
                    round((end - begin) * length),
                    first + round(begin * scale),
                    0x10000,
                )
                for begin, end in parts
            )
            box = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(parts)) + entries
            content = boxes.replaced(content, b"elst", box, number)
        return content

    return edit


def _scale(content: bytes, header: bytes, number: int) -> int:
    start, _ = boxes.found(content, header, number)
    return int.from_bytes(content[start + 20 : start + 24])
