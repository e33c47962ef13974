"""What the media pipeline costs beside its one big ffmpeg run: each step in seconds, and the ratio.

`python bench/transcode_recipe.py [SECONDS]`: a 1080p video of that length, 60 unless told.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from relay.media import recipe, sound
from relay.media.facts import CODECS
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.probe import probe
from relay.media.tools import MediaTools
from relay.media.transcode import MAX_THREADS, Progress, transcode

LIMITS = MediaLimits(
    video_max_seconds=3600,
    video_max_pixels=8192 * 4320,
    video_max_streams=8,
    jail_memory_bytes=4 << 30,
    jail_processes=128,
    transcode_seconds=7200,
)


def make_recording(ffmpeg: Path, path: Path, seconds: int) -> None:
    """A 1080p video with some noise in the picture, and a tone."""
    picture = f"testsrc2=s=1920x1080:r=30:d={seconds},noise=alls=12:allf=t"
    sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=d={seconds}")
    codecs = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-c:a", "aac")
    command = [
        str(ffmpeg),
        "-v",
        "error",
        "-y",
        *sources,
        *codecs,
        "-pix_fmt",
        "yuv420p",
        str(path),
    ]
    subprocess.run(command, check=True)


def bare_seconds(tools: MediaTools, path: Path, folder: Path) -> float:
    """The very encode that the media pipeline runs, from file to file and without a jail."""
    with MemoryFile() as source:
        source.write(path.read_bytes())
        source.seal()
        facts = asyncio.run(probe(source, limits=LIMITS, tools=tools))
    with path.open("rb") as read, (folder / "bare.mp4").open("wb+") as written:
        again = os.open(folder / "bare.mp4", os.O_RDONLY)
        opened = recipe.Source(
            descriptor=read.fileno(), codecs=CODECS, max_pixels=1 << 30, max_seconds=3600
        )
        heard = sound.Sound(
            stream=facts.sounds[0], loudness_lufs=-21.0, range_lu=9.0, changes=False
        )
        command = recipe.encode_command(
            facts,
            program=str(tools.ffmpeg),
            sources=[opened],
            together=sound.Together(sounds=[heard], loudness_lufs=heard.loudness_lufs),
            threads=min(os.cpu_count() or 1, MAX_THREADS),
        )
        begin = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            stdin=again,
            stdout=written,
            stderr=subprocess.DEVNULL,
            pass_fds=(read.fileno(),),
        )
        os.close(again)
        return time.perf_counter() - begin


def whole_seconds(tools: MediaTools, path: Path) -> tuple[float, dict[str, float]]:
    """Everything from the sealed source to the checked rendition, and when each stage began."""
    began: dict[str, float] = {}
    begin = time.perf_counter()

    def tell(progress: Progress) -> None:
        began.setdefault(progress.stage, time.perf_counter() - begin)

    with MemoryFile() as source:
        source.write(path.read_bytes())
        done = asyncio.run(transcode(source, limits=LIMITS, tools=tools, progress=tell))
        with done.rendition, done.poster:
            return time.perf_counter() - begin, began


def main(seconds: int) -> None:
    """Print the table."""
    tools = MediaTools.find(ffmpeg="", bubblewrap="bwrap")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "recording.mp4")
        make_recording(tools.ffmpeg, path, seconds)
        bare = bare_seconds(tools, path, Path(name))
        whole, began = whole_seconds(tools, path)
    ends = [*list(began.values())[1:], whole]
    for (stage, start), end in zip(began.items(), ends, strict=True):
        print(f"{stage:<10} {end - start:7.2f} s")
    print(
        f"{'whole':<10} {whole:7.2f} s\n{'bare':<10} {bare:7.2f} s\nratio      {whole / bare:7.3f}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
