"""A rendition or poster in which anything identifying is left is refused, even if the recipe let it by."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from relay.media.clean import check_poster, check_rendition
from relay.media.errors import TracesRemained
from relay.media.facts import Facts
from relay.media.jail import SCRIPTS, JailLimits, run_in_jail
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools

Make = Callable[..., Path]
Done = subprocess.CompletedProcess[bytes]
CLEAN = (
    *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
    *("-flags", "+bitexact", "-movflags", "+faststart"),
)
TRACES: dict[str, tuple[str, ...]] = {
    "place": ("-metadata", "location=+45.5017-073.5673/"),
    "title": ("-metadata", "title=Somebody"),
    "time": ("-metadata", "creation_time=2026-03-04T05:06:07Z"),
    "device": ("-metadata", "make=Orchard", "-movflags", "+faststart+use_metadata_tags"),
    "language": ("-metadata:s:v", "language=fra"),
    "handler": ("-metadata:s:v", "handler_name=Fon 21"),
    "index": ("-movflags", "0"),
    "fragments": ("-movflags", "+frag_keyframe+empty_moov"),
    "timecode": ("-timecode", "10:00:00:00"),
}


def memory(content: bytes) -> MemoryFile:
    """In memory, sealed."""
    file = MemoryFile()
    file.write(content)
    file.seal()
    return file


async def examine(content: bytes, tools: MediaTools) -> None:
    """Look at a rendition as the media room does."""
    with (
        memory(content) as rendition,
        MemoryFile() as poster,
        rendition.reader() as read,
        poster.writer() as written,
    ):
        outcome = await run_in_jail(
            [str(tools.python), "-I", "-S", f"{SCRIPTS}/finish.py", str(read), str(written)],
            limits=JailLimits(memory_bytes=2 << 30, threads=64, file_bytes=4 << 20, seconds=30),
            tools=tools,
            descriptors=(read, written),
        )
        assert outcome.status == 0, outcome.stderr
        check_rendition(rendition, msgspec.json.decode(outcome.stdout, type=Facts))
        check_poster(poster)


@pytest.fixture
def encoded(make: Make) -> Callable[..., bytes]:
    """A small MP4 as the recipe makes it, but for the options given."""

    def encode(name: str, *options: str) -> bytes:
        return make(
            f"encoded-{name}.mp4",
            *("-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=1", "-f", "lavfi", "-i", "sine=d=1"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
            *(*CLEAN, *options),
        ).read_bytes()

    return encode


async def test_a_clean_one_passes(encoded: Callable[..., bytes], tools: MediaTools) -> None:
    """What holds nothing but picture and sound is let through."""
    await examine(encoded("clean"), tools)


@pytest.mark.parametrize("trace", TRACES)
async def test_a_trace_is_refused(
    encoded: Callable[..., bytes], tools: MediaTools, trace: str
) -> None:
    """Place, title, time, device, language, names, and any other shape than was promised."""
    content = encoded(trace, *TRACES[trace])
    with pytest.raises(TracesRemained):
        await examine(content, tools)


async def test_a_turned_picture_is_refused(
    make: Make, encoded: Callable[..., bytes], tools: MediaTools
) -> None:
    """A display matrix would say how the phone was held."""
    encoded("clean")
    turned = make(
        "turned.mp4",
        *("-display_rotation", "90", "-i", str(make("encoded-clean.mp4")), "-c", "copy", *CLEAN),
    )
    with pytest.raises(TracesRemained):
        await examine(turned.read_bytes(), tools)


@pytest.mark.parametrize(
    "added",
    [b"\0\0\0\x18uuid" + bytes(16), b"\0\0\0\x0cfreeGPS!", b"\0\0\0\x10meta" + bytes(8), b"tail"],
)
async def test_bytes_that_a_player_would_skip_are_refused(
    encoded: Callable[..., bytes], tools: MediaTools, added: bytes
) -> None:
    """An unknown box, something in free space, or a tail after the last box."""
    content = encoded("clean") + added
    with pytest.raises(TracesRemained):
        await examine(content, tools)


def test_a_bare_jpeg_passes_and_any_tag_is_refused(make: Make) -> None:
    """A comment, EXIF, or bytes after the end make a poster unfit."""
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120", "-frames:v", "1")
    bare = make("bare.jpg", *picture, "-flags", "+bitexact", "-fflags", "+bitexact").read_bytes()
    with memory(bare) as file:
        check_poster(file)
    exif = b"\xff\xe1\x00\x0eExif\0\0MM\0*\0\0"
    comment = b"\xff\xfe\x00\x07Lavc9"
    for spoiled in (
        *(bare[:2] + segment + bare[2:] for segment in (exif, comment)),
        *(bare[:-2] + segment + bare[-2:] for segment in (exif, comment)),
        *(bare + b"tail", bare[:-2], b"", b"\x89PNG\r\n\x1a\n"),
    ):
        with memory(spoiled) as file, pytest.raises(TracesRemained):
            check_poster(file)
