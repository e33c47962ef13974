"""Real recordings made with ffmpeg, and one way to send them through the media room."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.media.transcode import Progress, transcode
from tests.support.media.results import Done, Make, Run

LATITUDE, LONGITUDE = b"45.5017", b"073.5673"
MARKED = "color=c=0x808080:s={size}:r={rate}:d={seconds},drawbox=x=0:y=0:w=iw/4:h=ih/4:c=red:t=fill"
"""A grey picture whose upper left corner is red, as it is stored."""


@pytest.fixture(scope="session")
def tools() -> MediaTools:
    """The real programs."""
    return MediaTools.find(ffmpeg="", bubblewrap="bwrap")


@pytest.fixture
def limits() -> MediaLimits:
    """The bounds that a worker has if nobody changes them."""
    return MediaLimits(
        video_max_seconds=3600,
        video_max_pixels=8192 * 4320,
        video_max_streams=8,
        jail_memory_bytes=4 << 30,
        jail_processes=128,
        transcode_seconds=7200,
    )


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run ffmpeg outside the jail, on recordings that the tests make themselves."""
    program = imageio_ffmpeg.get_ffmpeg_exe()

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [program, "-hide_banner", "-nostdin", "-y", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return done

    return run


@pytest.fixture(scope="session")
def make(
    tmp_path_factory: pytest.TempPathFactory,
    ffmpeg: Callable[..., subprocess.CompletedProcess[bytes]],
) -> Make:
    """Make a recording once per session, by its name and the arguments of ffmpeg."""
    folder = tmp_path_factory.mktemp("recordings")

    def recording(name: str, *arguments: str) -> Path:
        path = folder / name
        if not path.exists():
            ffmpeg(*arguments, str(path))
        return path

    return recording


@pytest.fixture(scope="session")
def plain(make: Make) -> Path:
    """A small ordinary MP4 with picture and sound, its index at the end."""
    return make(
        "plain.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=2"),
        *("-f", "lavfi", "-i", "sine=f=440:d=2"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    )


@pytest.fixture(scope="session")
def phone(make: Make) -> Callable[[str], Path]:
    """What a phone records: HEVC 10 bit, HLG or PQ, turned, 60 a second, 5.1, place and device."""

    def recording(transfer: str) -> Path:
        colour = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:range=limited"
        grey = MARKED.format(size="1920x1080", rate=60, seconds=1)
        to_hdr = (
            "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
            "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv,"
            "zscale=t=linear:npl=203,format=gbrpf32le,"
            f"zscale=p=bt2020,zscale=t={transfer}:m=bt2020nc:r=limited:npl=203,format=yuv420p10le"
        )
        stored = make(
            f"stored-{transfer}.mov",
            *("-f", "lavfi", "-i", grey, "-f", "lavfi"),
            *(
                "-i",
                "aevalsrc=0.1*sin(880*PI*t)|0|0.2*sin(440*PI*t)|0|0|0.05*sin(660*PI*t):c=5.1:d=1",
            ),
            *("-vf", to_hdr, "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1"),
            *("-x265-params", f"log-level=error:{colour}", "-c:a", "aac", "-b:a", "256k"),
        )
        return make(
            f"phone-{transfer}.mov",
            *("-display_rotation", "-90", "-i", str(stored), "-map", "0", "-c", "copy"),
            *("-movflags", "use_metadata_tags", "-metadata", "creation_time=2026-03-04T05:06:07Z"),
            *("-metadata", "com.apple.quicktime.location.ISO6709=+45.5017-073.5673+030.000/"),
            *("-metadata", "location=+45.5017-073.5673/", "-metadata", "title=NobodyMayRead"),
            *("-metadata", "com.apple.quicktime.make=Orchard", "-metadata", "make=Orchard"),
            *("-metadata", "com.apple.quicktime.model=Fon 21", "-metadata", "model=Fon 21"),
        )

    return recording


@pytest.fixture
async def run(tools: MediaTools, limits: MediaLimits) -> AsyncIterator[Run]:
    """Send a recording through the media room, with bounds changed where named."""
    opened: list[MemoryFile] = []

    async def whole(recording: Path | bytes, **changed: int) -> Done:
        content = recording if isinstance(recording, bytes) else recording.read_bytes()
        told: list[Progress] = []
        with MemoryFile() as source:
            source.write(content)
            done = await transcode(
                source,
                limits=dataclasses.replace(limits, **changed),
                tools=tools,
                progress=told.append,
            )
        opened.extend((done.rendition, done.poster))
        return Done(
            transcoded=done,
            rendition=done.rendition.read_at(0, done.rendition.size),
            poster=done.poster.read_at(0, done.poster.size),
            told=told,
        )

    yield whole
    for file in opened:
        file.close()


@pytest.fixture
def loudness(
    ffmpeg: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> Callable[[bytes], float]:
    """Integrated loudness of a file in LUFS, measured with loudnorm, which the recipe does not use."""

    def measure(content: bytes) -> float:
        path = tmp_path / "measured.mp4"
        path.write_bytes(content)
        arguments = ("-af", "loudnorm=print_format=summary", "-f", "null", "-")
        said = ffmpeg("-i", str(path), "-vn", *arguments).stderr.decode()
        line = next(line for line in said.splitlines() if line.startswith("Input Integrated:"))
        return float(line.split()[2])

    return measure
