"""A test card that is filmed: what a recording shows and sounds like can be measured in what comes of it.

Six seconds of grey with a red, a green, a blue and a white corner; at 1, 2.5 and 4.5 s a white field in the
middle and a beep.
"""

from __future__ import annotations

import array
import dataclasses
import io
from typing import Final, TypeAlias

import av

from tests.support.media.results import Done

SECONDS: Final = 6
BEEP_TIMES: Final = (1.0, 2.5, 4.5)
FIELD_SECONDS: Final = 0.3
CORNERS: Final = (("red", 0, 0), ("green", 1, 0), ("blue", 0, 1), ("white", 1, 1))
COLOURS: Final = {
    "red": (192, 32, 32),
    "green": (32, 160, 32),
    "blue": (32, 32, 192),
    "white": (232, 232, 232),
    "grey": (128, 128, 128),
}
BEEP_AT_LEAST: Final = 0.1
PIECE_SECONDS: Final = 0.005
WHITE_SUM: Final = 600

Colour: TypeAlias = tuple[int, int, int]


def filmed(width: int, height: int, *, rate: int = 30, seconds: int = SECONDS) -> tuple[str, ...]:
    """The card as an input of ffmpeg; colours in bt709, limited range."""
    side = min(width, height) // 4
    field = "+".join(f"between(t,{at},{at + FIELD_SECONDS - 0.01})" for at in BEEP_TIMES)
    boxes = [
        f"drawbox=x={'iw-w' if right else 0}:y={'ih-h' if low else 0}:w={side}:h={side}"
        f":c=0x{''.join(f'{part:02x}' for part in COLOURS[name])}:t=fill"
        for name, right, low in CORNERS
    ]
    boxes.append(f"drawbox=x=(iw-w)/2:y=(ih-h)/2:w={side}:h={side}:c=white:t=fill:enable='{field}'")
    picture = f"color=c=0x808080:s={width}x{height}:r={rate}:d={seconds},format=gbrp"
    drawn = ",".join(boxes)
    to_video = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    return ("-f", "lavfi", "-i", f"{picture},{drawn},{to_video}")


def heard(
    *, seconds: int = SECONDS, channels: str = "mono", times: tuple[float, ...] = BEEP_TIMES
) -> tuple[str, ...]:
    """The beeps as an input of ffmpeg."""
    loud = "+".join(f"between(t,{at},{at + FIELD_SECONDS})" for at in times)
    beep = f"aevalsrc='0.5*sin(2000*PI*t)*({loud})':d={seconds}:s=48000:c=mono"
    return ("-f", "lavfi", "-i", f"{beep},aformat=channel_layouts={channels}")


SILENT: Final = ("-f", "lavfi", "-i", f"anullsrc=r=48000:cl=mono:d={SECONDS}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What can be seen and heard in a rendition; times in seconds."""

    first: dict[str, Colour]
    """The corners and the ground of the first picture."""
    last: dict[str, Colour]
    fields: tuple[float, ...]
    """When the white field appears."""
    beeps: tuple[float, ...]


def look_at(done: Done) -> Seen:
    """Decode a whole rendition."""
    return look_at_bytes(done.rendition)


def look_at_bytes(content: bytes) -> Seen:
    """Decode a whole file that PyAV reads."""
    first: dict[str, Colour] = {}
    last: dict[str, Colour] = {}
    fields: list[float] = []
    was_white = False
    with av.open(io.BytesIO(content), "r") as container:
        for frame in container.decode(video=0) if container.streams.video else ():
            last = _colours(frame)
            first = first or last
            is_white = sum(last["middle"]) > WHITE_SUM
            if is_white and not was_white:
                fields.append(round(float(frame.time or 0), 3))
            was_white = is_white
    return Seen(first=first, last=last, fields=tuple(fields), beeps=_beeps(content))


def _colours(frame: av.VideoFrame) -> dict[str, Colour]:
    plane = frame.reformat(format="rgb24").planes[0]
    pixels, line = bytes(plane), plane.line_size

    def at(across: float, down: float) -> Colour:
        place = int(frame.height * down) * line + int(frame.width * across) * 3
        red, green, blue = pixels[place : place + 3]
        return red, green, blue

    places = {name: at(0.05 + 0.9 * right, 0.05 + 0.9 * low) for name, right, low in CORNERS}
    return places | {"grey": at(0.5, 0.05), "middle": at(0.5, 0.5)}


def _beeps(content: bytes) -> tuple[float, ...]:
    """When it becomes loud after at least 0.2 s of quiet."""
    loud: list[float] = []
    ended = -1.0
    with av.open(io.BytesIO(content), "r") as container:
        if not container.streams.audio:
            return ()
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        begin: float | None = None
        samples = array.array("h")
        for frame in container.decode(audio=0):
            begin = float(frame.time or 0) if begin is None else begin
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
    step = int(16000 * PIECE_SECONDS)
    for place in range(0, len(samples), step):
        if max(map(abs, samples[place : place + step])) > BEEP_AT_LEAST * 32768:
            at = (begin or 0) + place / 16000
            if at - ended > 0.2:
                loud.append(round(at, 3))
            ended = at
    return tuple(loud)


def near(one: Colour, other: Colour, tolerance: int) -> bool:
    """Whether no part of two colours is further apart."""
    return all(abs(mine - theirs) <= tolerance for mine, theirs in zip(one, other, strict=True))
