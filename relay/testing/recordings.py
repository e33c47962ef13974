"""A video as a phone makes it: upright, HEVC, the index at the end, and the place where it was taken."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import av

from relay.errors import Unavailable
from relay.media.tools import MediaTools

PLACE: Final = "+45.4215-075.6972+070.000/"
"""ISO 6709, as phones write it; nobody must ever find it in what is released."""


class PhoneBroken(Unavailable):
    """The demo's video could not be made."""

    code = "phone-broken"


async def record(tools: MediaTools, target: Path, seconds: int) -> None:
    """Write a MOV of `seconds` that is 1280 by 720 turned by 90°, with sound and a GPS tag."""
    plain = target.with_name("unturned.mov")
    await _run(
        tools,
        *("-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=30:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=220:duration={seconds}"),
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
        *("-tag:v", "hvc1", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        *("-metadata", "make=Fernsprech", "-metadata", "model=Handset 7"),
        str(plain),
    )
    await _run(
        tools,
        *("-display_rotation:v:0", "90", "-i", str(plain), "-c", "copy"),
        *("-movflags", "use_metadata_tags"),
        *("-metadata", f"com.apple.quicktime.location.ISO6709={PLACE}"),
        str(target),
    )
    plain.unlink()


def describe(path: Path) -> str:
    """What a player sees of a video, in one line."""
    with av.open(str(path)) as container:
        facts = [container.format.name.split(",")[0]]
        for stream in container.streams.video:
            context = stream.codec_context
            rate = float(stream.average_rate or 0)
            facts.append(
                f"{context.name} {context.width} by {context.height} {context.pix_fmt} {rate:g} fps"
            )
        facts += [
            f"{sound.codec_context.name} {sound.codec_context.sample_rate} Hz"
            for sound in container.streams.audio
        ]
        facts.append(f"{(container.duration or 0) / av.time_base:.1f} s")
        tags = {name for each in (container, *container.streams) for name in each.metadata}
    kept = {name for name in tags if "location" in name.lower() or name in {"make", "model"}}
    facts.append("tags: " + (", ".join(sorted(kept)) or "no place, no device"))
    return " · ".join(facts)


async def _run(tools: MediaTools, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(tools.ffmpeg),
        *("-y", "-hide_banner", "-loglevel", "error", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", "")},
    )
    _out, complaint = await process.communicate()
    if process.returncode:
        raise PhoneBroken(complaint.decode(errors="replace")[-200:])
