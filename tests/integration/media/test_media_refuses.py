"""What cannot be prepared is refused with a code and a calm sentence that says what to do."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.media import errors
from relay.media.memory import MemoryFile
from tests.support.media.results import Run

Make = Callable[..., Path]
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SECOND = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=1")

TEXT = b"Dear Alex,\nI have been thinking about what happened.\n" * 50
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 20
PLAYLISTS = {
    "hls": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "hls-with-mark": b"\xef\xbb\xbf\r\n#EXTM3U\n#EXTINF:10,\nconcat:/etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "dash": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>\n',
    "pls": b"[playlist]\nFile1=/etc/passwd\nNumberOfEntries=1\n",
}


async def test_an_empty_file_is_refused(run: Run) -> None:
    """Zero bytes arrive when a phone has moved the original to a cloud."""
    with pytest.raises(errors.EmptyRecording):
        await run(b"")


@pytest.mark.parametrize(
    "content", [TEXT, PDF, bytes(4096), b"\x00", b"RIFF\x10\x00\x00\x00WEBPVP8 "]
)
async def test_what_is_not_a_recording_is_refused(run: Run, content: bytes) -> None:
    """A letter, a document, zeros or a picture are not taken for a video, whatever they are named."""
    with pytest.raises(errors.NotARecording):
        await run(content)


@pytest.mark.parametrize(
    ("codec", "container"), [("png", "image2"), ("mjpeg", "image2"), ("libaom-av1", "avif")]
)
async def test_a_photograph_is_not_a_video(
    run: Run, make: Make, codec: str, container: str
) -> None:
    """A picture with a video's name stays a picture."""
    picture = make(f"{codec}.bin", *SECOND, "-frames:v", "1", "-c:v", codec, "-f", container)
    with pytest.raises(errors.NotARecording):
        await run(picture)


@pytest.mark.parametrize("content", PLAYLISTS.values(), ids=PLAYLISTS)
async def test_a_playlist_with_a_videos_name_is_refused(run: Run, content: bytes) -> None:
    """A file that only names other files is not followed."""
    with pytest.raises(errors.PlaylistRefused):
        await run(content)


async def test_content_kept_in_another_file_is_not_followed(run: Run, plain: Path) -> None:
    """A MOV whose data reference names a file of the machine is refused like a playlist."""
    data = bytearray(plain.read_bytes())
    at = data.find(b"url \0\0\0\x01")
    data[at + 7] = 0
    with pytest.raises(errors.PlaylistRefused):
        await run(bytes(data))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
async def test_a_file_cut_off_before_its_index_is_truncated(
    run: Run, plain: Path, keep: float
) -> None:
    """An MP4 with the index at the end cannot be opened without that end."""
    data = plain.read_bytes()
    with pytest.raises(errors.TruncatedRecording):
        await run(data[: int(len(data) * keep)])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("front.mp4", ("-movflags", "+faststart")),
        ("cut.mkv", ()),
        ("cut.avi", ()),
    ],
)
async def test_a_file_cut_off_in_the_middle_is_truncated(
    run: Run, make: Make, name: str, options: tuple[str, ...]
) -> None:
    """Where a container says how long it is, a part of it is not taken for the whole."""
    data = make(name, *SECOND, *H264, *options).read_bytes()
    with pytest.raises(errors.TruncatedRecording):
        await run(data[: len(data) * 2 // 3])


async def test_an_index_that_points_past_the_end_is_truncated(run: Run, make: Make) -> None:
    """A longer promise than what comes through is not delivered as if it were whole."""
    data = bytearray(
        make("holes.mp4", *(*SECOND[:3], "testsrc2=s=320x240:r=10:d=20"), *H264).read_bytes()
    )
    at, moov = data.find(b"mdat"), data.find(b"moov")
    for index in range(at + (moov - at) // 4, moov - 4):
        data[index] = 0
    with pytest.raises((errors.TruncatedRecording, errors.UnreadableRecording)):
        await run(bytes(data))


@pytest.mark.parametrize("scheme", ["cenc-aes-ctr"])
async def test_an_encrypted_recording_is_refused_as_protected(
    run: Run, make: Make, scheme: str
) -> None:
    """Common encryption, as bought films have it."""
    source = make(
        f"{scheme}.mp4",
        *(*SECOND, *H264, "-encryption_scheme", scheme),
        *("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"),
        *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    with pytest.raises(errors.ProtectedRecording):
        await run(source)


async def test_an_older_copy_protection_is_refused_as_protected(run: Run, plain: Path) -> None:
    """A sample entry of a shop's own kind says the same."""
    with pytest.raises(errors.ProtectedRecording):
        await run(plain.read_bytes().replace(b"avc1\0\0\0\0\0\0\0\x01", b"drmi\0\0\0\0\0\0\0\x01"))


async def test_a_locked_matroska_is_refused_as_protected(run: Run, make: Make) -> None:
    """A track with ContentEncryption, written into the space of an unused element."""
    data = bytearray(
        make("locked.webm", *SECOND, "-c:v", "libvpx", "-deadline", "realtime").read_bytes()
    )
    tracks = bytes.fromhex("1654ae6b")
    at = data.find(tracks, data.find(tracks) + 1)
    # Tracks, TrackEntry, ContentEncodings, ContentEncoding, ContentEncryption: sizes of one byte.
    locked = bytes.fromhex("1654ae6b8dae8b6d80886240855035824254")
    data[at : at + len(locked)] = locked
    with pytest.raises(errors.ProtectedRecording):
        await run(bytes(data))


async def test_an_archive_with_a_password_is_refused_as_protected(run: Run) -> None:
    """A video in a locked archive has to be taken out first."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("video.mp4", bytes(100))
    data = bytearray(archive.getvalue())
    data[6] |= 1
    with pytest.raises(errors.ProtectedRecording):
        await run(bytes(data))


async def test_longer_than_allowed_is_refused(run: Run, plain: Path) -> None:
    """The bound is told with the refusal, so that a page can show it."""
    with pytest.raises(errors.TooLong) as caught:
        await run(plain, video_max_seconds=1)
    assert caught.value.members == {"max_seconds": 1}


async def test_longer_than_allowed_is_noticed_where_no_length_is_written(
    run: Run, make: Make
) -> None:
    """What a browser records says no length; it is counted."""
    source = make(
        "nolength.webm",
        *("-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=5"),
        *("-c:v", "libvpx", "-deadline", "realtime", "-f", "webm", "-live", "1"),
    )
    with pytest.raises(errors.TooLong):
        await run(source, video_max_seconds=3)


async def test_a_larger_picture_than_allowed_is_refused(run: Run, make: Make) -> None:
    """36 million pixels are more than 8K."""
    source = make("large.avi", "-f", "lavfi", "-i", "color=s=6000x6000:d=0.1:r=10", "-c:v", "mjpeg")
    with pytest.raises(errors.TooManyPixels):
        await run(source)


async def test_more_than_eight_streams_are_refused(run: Run, make: Make) -> None:
    """Nine sound tracks are one too many."""
    maps = [argument for _ in range(9) for argument in ("-map", "0")]
    source = make("nine.mkv", "-f", "lavfi", "-i", "sine=d=1", *maps, "-c:a", "libopus")
    with pytest.raises(errors.TooManyStreams):
        await run(source)


async def test_a_codec_of_the_past_is_refused(run: Run, make: Make) -> None:
    """A decoder that nobody's camera needs is not run on a stranger's bytes."""
    with pytest.raises(errors.UnsupportedCodec):
        await run(make("past.mov", *SECOND, "-c:v", "qtrle"))


@pytest.mark.parametrize("memory", [256 << 20, 400 << 20, 600 << 20, 650 << 20])
async def test_a_small_file_that_fills_the_memory_is_a_bomb(
    run: Run, make: Make, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    """A few kilobytes that need more memory than there is are named so.

    FFmpeg may hang there, or leave pictures out and call it a success.
    """
    monkeypatch.setattr("relay.media.transcode.STALL_SECONDS", 3)
    source = make(
        "bomb.mp4",
        "-f",
        "lavfi",
        "-i",
        "color=s=8000x4000:r=1:d=4",
        *H264,
        "-x264-params",
        "ref=16",
    )
    assert source.stat().st_size < 100_000
    with pytest.raises(errors.DecompressionBomb):
        await run(source, jail_memory_bytes=memory)


async def test_a_large_file_that_fills_the_memory_is_only_large(run: Run, make: Make) -> None:
    """An honest recording is told to come smaller."""
    source = make(
        "honest.mp4",
        *("-f", "lavfi", "-i", "color=gray:s=3840x2160:r=5:d=1,noise=alls=80:allf=t", *H264),
    )
    with pytest.raises(errors.OutOfMemory):
        await run(source, jail_memory_bytes=400 << 20)


async def test_endless_pictures_from_a_few_bytes_are_a_bomb(
    run: Run, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many large black pictures in a file smaller than a letter are not even begun."""
    monkeypatch.setattr("relay.media.probe.BOMB_PIXELS", 1_000_000_000)
    source = make(
        "endless.mp4", "-f", "lavfi", "-i", "color=s=4000x2000:r=30:d=6", *H264, "-g", "999"
    )
    with pytest.raises(errors.DecompressionBomb):
        await run(source)


async def test_what_takes_too_long_is_ended(run: Run, make: Make) -> None:
    """The wall clock ends the work, and the sender is told what would work better."""
    once = make("slow.mp4", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=2", *H264)
    source = make("slower.mp4", "-stream_loop", "100", "-i", str(once), "-c", "copy")
    with pytest.raises(errors.TookTooLong):
        await run(source, transcode_seconds=2)


@pytest.mark.parametrize("seed", range(12))
async def test_a_damaged_file_is_refused_or_prepared_but_never_breaks_the_jail(
    run: Run, plain: Path, seed: int
) -> None:
    """Bytes turned at random end in a rendition or a refusal, nothing else."""
    data = bytearray(plain.read_bytes())
    state = seed * 7919 + 1
    for _ in range(60):
        state = (state * 1103515245 + 12345) % 2**31
        data[state % len(data)] ^= 1 << seed % 8
    try:
        length: int | None = (await run(bytes(data))).transcoded.duration_ms
    except errors.MediaRefused:
        length = None
    assert length is None or length > 0


def test_every_refusal_says_calmly_what_to_do_in_both_languages() -> None:
    """Codes are unique, both sentences exist, and none of them blames or shouts."""
    kinds: list[type[errors.MediaRefused]] = [errors.MediaRefused]
    kinds += errors.MediaRefused.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) == 15
    advice = ("send", "export", "choose", "check", "ask", "shorter", "save")
    conseils = ("envoye", "exporte", "choisi", "vérifie", "parle", "court", "sauvegard")
    for kind in kinds:
        english, french = kind.sentence("en").lower(), kind.sentence("fr").lower()
        assert any(word in english for word in advice), kind
        assert any(word in french for word in conseils), kind
        for harsh in (
            "!",
            "invalid",
            "illegal",
            "error",
            "your fault",
            "wrong",
            "forbidden",
            "must",
        ):
            assert harsh not in english, kind
        for harsh in ("!", "invalide", "erreur", "interdit", "illégal", "votre faute", "devez"):
            assert harsh not in french, kind


def test_a_sealed_source_cannot_be_changed_by_anyone() -> None:
    """Not even by somebody who still holds a descriptor for writing."""
    with MemoryFile() as file:
        file.write(struct.pack(">I", 7))
        with file.writer() as descriptor:
            file.seal()
            file.seal()
            with (
                pytest.raises(PermissionError),
                open(descriptor, "wb", closefd=False, buffering=0) as w,
            ):
                w.write(b"x")
        with pytest.raises(PermissionError):
            file.write(b"x")
        assert file.read_at(0, 100) == b"\0\0\0\x07"
        assert list(file.chunks(3)) == [b"\0\0\0", b"\x07"]
