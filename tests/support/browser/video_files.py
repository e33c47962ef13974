"""Videos to pick from a disk: short to play, and as heavy as a test needs."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Final

import imageio_ffmpeg

_PIECE_BYTES: Final = 1024 * 1024


def film(target: Path, seconds: int = 6, *, weighs_bytes: int = 0, grain: int = 0) -> Path:
    """A playable MP4; it is brought up to `weighs_bytes` with a box at its end that players pass over.

    With `grain` it is large after every transcode, as a film of rain is.
    """
    picture = f"testsrc2=size=640x360:rate=24:duration={seconds}"
    if grain:
        picture += f",noise=alls={grain}:allf=t"
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error"),
        *("-f", "lavfi", "-i", picture),
        *("-f", "lavfi", "-i", f"sine=frequency=220:duration={seconds}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        str(target),
    ]
    subprocess.run(command, check=True)
    missing = weighs_bytes - target.stat().st_size
    if missing > 0:
        with target.open("ab") as file:
            file.write(struct.pack(">I4s", missing, b"free"))
            file.truncate(weighs_bytes)
    return target
