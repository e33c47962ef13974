"""What hostile recordings found out: each of these once ended in another way."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import pytest

from relay.media import errors
from relay.media.jail import SCRIPTS, JailLimits, run_in_jail
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from tests.support.hostile_media.case import Hostile, Places
from tests.support.hostile_media.corpus import recordings
from tests.support.hostile_media.matroska import matroska
from tests.support.hostile_media.mov import box, full, mov, with_references
from tests.support.hostile_media.mov_pieces import packed_index
from tests.support.hostile_media.riff import riff
from tests.support.media.results import Make, Run

PLACES: Final = Places(canary="/etc/passwd", url="http://127.0.0.1:9/")


def named(files: Iterable[Hostile], name: str) -> bytes:
    """The file of this name."""
    return next(file.content for file in files if file.name == name)


@pytest.mark.parametrize(
    "name", ["avi/a codec b'ZMBV'", "avi/a codec b'FPS1'", "avi/a codec b'\\x00\\x00\\x00\\x00'"]
)
async def test_no_decoder_runs_that_is_not_on_the_list(run: Run, name: str) -> None:
    """The probe leaves a picture alone whose decoder is not taken, and says so: it cannot be broken there."""
    with pytest.raises(errors.UnsupportedCodec):
        await run(named(riff(recordings()), name))


def reference(index: bytes, whole: bytes) -> bytes:
    """An index that says that the samples are in another file."""
    assert index in whole
    changed = with_references(whole, box(b"url ", bytes(4) + b"/etc/passwd\0"))
    return changed[changed.rindex(b"moov") - 4 :]


def locked(index: bytes, _whole: bytes) -> bytes:
    """An index of a shop's own kind."""
    return index.replace(b"avc1\0\0\0\0\0\0\0\x01", b"drmi\0\0\0\0\0\0\0\x01")


@pytest.mark.parametrize(
    ("edit", "error"),
    [(reference, errors.PlaylistRefused), (locked, errors.ProtectedRecording)],
)
async def test_an_index_inside_zlib_hides_nothing(
    run: Run,
    plain: Path,
    edit: Callable[[bytes, bytes], bytes],
    error: type[errors.MediaRefused],
) -> None:
    """An old QuickTime packed its index: what it says is looked at all the same, and a plain one is taken."""
    whole = plain.read_bytes()
    start = whole.rindex(b"moov") - 4
    index = whole[start:]
    assert (await run(whole[:start] + packed_index(index))).transcoded.kind == "video"
    with pytest.raises(error):
        await run(whole[:start] + packed_index(edit(index, whole)))


async def test_an_index_that_unpacks_to_more_than_may_be_is_a_bomb(run: Run, plain: Path) -> None:
    """300 MB out of 300 KB."""
    whole = plain.read_bytes()
    start = whole.rindex(b"moov") - 4
    with pytest.raises(errors.DecompressionBomb):
        await run(whole[:start] + packed_index(bytes(300_000_000)))


async def test_an_index_that_does_not_unpack_is_damaged(run: Run) -> None:
    """No zlib in it."""
    index = box(b"moov", box(b"cmov", box(b"cmvd", struct.pack(">I", 9), b"x" * 500)))
    with pytest.raises(errors.UnreadableRecording):
        await run(b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + index)


async def test_more_streams_than_ffmpeg_opens_are_too_many(run: Run) -> None:
    """It says that there is no memory, which is not why."""
    for content in (
        named(mov(recordings()), "counts/1500 tracks"),
        named(matroska(PLACES, recordings()["webm"]), "ebml tracks/1500 films"),
    ):
        with pytest.raises(errors.TooManyStreams) as caught:
            await run(content)
        assert caught.value.members == {"max_streams": 8}


async def test_pictures_that_are_only_announced_are_no_bomb(run: Run) -> None:
    """An AVI that announces 4 billion has lost them: that is told, and not that it unfolds to too much."""
    with pytest.raises(errors.TruncatedRecording):
        await run(named(riff(recordings()), "avi/4 billion pictures announced"))


async def test_tracks_without_anything_are_damaged(run: Run) -> None:
    """There is a film, and nothing of it can be found: that is no document."""
    with pytest.raises(errors.UnreadableRecording):
        await run(named(mov(recordings()), "tables/no stco"))


@pytest.mark.parametrize(
    "text",
    [
        b"[Reference]\nRef1=http://127.0.0.1:9/\n",
        b"SMILtext<smil/>",
        b'<?xml version="1.0"?><SmoothStreamingMedia/>',
        "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n".encode("utf-16"),
    ],
)
async def test_more_kinds_of_playlists_are_named_so(run: Run, text: bytes) -> None:
    """Also in UTF-16, whose first two bytes are those of a frame of sound."""
    with pytest.raises(errors.PlaylistRefused):
        await run(text)


async def test_a_letter_in_utf16_is_no_sound(run: Run) -> None:
    """Nothing of it is decoded."""
    with pytest.raises(errors.NotARecording):
        await run(("Dear Alex,\n" * 50).encode("utf-16"))


@pytest.mark.parametrize("kind", [b"trak", b"stbl"])
async def test_boxes_in_each_other_without_end_are_damaged(run: Run, kind: bytes) -> None:
    """Deeper than any recorder writes."""
    inner = full(b"mvhd")
    for _ in range(5000):
        inner = box(kind, inner)
    with pytest.raises(errors.UnreadableRecording):
        await run(b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + box(b"moov", inner))


async def test_no_other_decoder_runs_on_a_rendition(make: Make, tools: MediaTools) -> None:
    """Whoever takes over the encoder chooses no decoder for the next jail: only H.264 is looked at."""
    content = make(
        "other.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=10:d=1", "-c:v", "mpeg4"
    ).read_bytes()
    with MemoryFile() as rendition, MemoryFile() as poster:
        rendition.write(content)
        with rendition.reader() as read, poster.writer() as written:
            outcome = await run_in_jail(
                [str(tools.python), "-I", "-S", f"{SCRIPTS}/finish.py", str(read), str(written)],
                limits=JailLimits(memory_bytes=2 << 30, threads=64, file_bytes=4 << 20, seconds=30),
                tools=tools,
                descriptors=(read, written),
            )
        assert (outcome.status, outcome.stdout, poster.size) == (1, b"", 0)
