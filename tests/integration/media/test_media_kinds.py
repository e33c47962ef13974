"""What people's phones, browsers, cameras and screen recorders really make comes out as it was recorded.

Each file is made here after the track layouts of such a device, and measured: length, first and last picture,
which way is up, colours, sound in step with the picture, nothing lost in silence.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import pytest

from tests.support.media import boxes, card
from tests.support.media.kinds import (
    AAC,
    BT709,
    FRAGMENTS,
    FULL,
    H264,
    SOUND,
    TO_BT601,
    VIDEO,
    WMA_SECONDS,
    Kind,
    assert_as_it_was,
    picture,
    with_edits,
)
from tests.support.media.results import Make, Run, assert_as_promised

TAKEN: Final = ("-disposition:v", "default", "-pix_fmt:v:1", "yuv420p")
"""Tracks that are enabled."""
BOTH: Final = (*VIDEO, *SOUND)
CODED: Final = (*H264, *BT709, *AAC)
HEVC: Final = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params")
HDR: Final = (
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv,"
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,"
    "zscale=t={transfer}:m=bt2020nc:r=limited:npl=203,format=yuv420p10le"
)
BT2020: Final = "log-level=error:colorprim=bt2020:colormatrix=bt2020nc:transfer={transfer}"
BRIGHTNESS: Final = (
    ":hdr10=1:max-cll=1000,400:master-display="
    "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
)


def _unknown_sound_first(content: bytes) -> bytes:
    """The first of two sound tracks has a codec that nobody knows, as APAC of new phones."""
    return boxes.unknown(content, b"mp4a")


def _says_an_hour(content: bytes) -> bytes:
    """Index and tracks announce 3,600 s."""
    for kind, number in ((b"mvhd", 0), (b"mdhd", 0), (b"mdhd", 1)):
        begin, _ = boxes.found(content, kind, number)
        scale = int.from_bytes(content[begin + 20 : begin + 24])
        content = boxes.patched(content, kind, 16, (3600 * scale).to_bytes(4), number)
    return content


def _edits_of_nothing(content: bytes) -> bytes:
    """Every edit list has one entry of no length."""
    for number in (0, 1):
        content = boxes.patched(content, b"elst", 4, struct.pack(">IIiI", 1, 0, 0, 0x10000), number)
    return content


def _first_track_off(content: bytes) -> bytes:
    """The first track is not enabled."""
    return boxes.patched(content, b"tkhd", 0, b"\0\0\0\2", 0)


def _with_clean_aperture(content: bytes) -> bytes:
    """A clean aperture leaves out the edges, as of DV and of edited films."""
    values = struct.pack(">8I", 240, 1, 140, 1, 0, 1, 0, 1)
    return boxes.with_box_in_entry(content, b"avc1", struct.pack(">I4s", 40, b"clap") + values)


def _dolby_vision(content: bytes) -> bytes:
    """Profile 8.4, as phones write it: HLG, and a box that says so."""
    values = bytes([1, 0, 8 << 1, 5 << 3 | 5, 4 << 4]) + bytes(19)
    return boxes.with_box_in_entry(content, b"hvc1", struct.pack(">I4s", 32, b"dvvC") + values)


def _without_index(content: bytes) -> bytes:
    """An AVI whose camera lost its power: no index, and no size."""
    return content[:4] + bytes(4) + content[8 : content.rindex(b"idx1")]


PHONES: Final = (
    picture(
        "a new phone.mov",
        *(*VIDEO, *SOUND, *SOUND, "-map", "0", "-map", "1", "-map", "2", *H264, *BT709, *AAC),
        edit=_unknown_sound_first,
    ),
    picture(
        "a muted microphone.mkv",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-bsf:a", "noise=drop=1"),
        beeps=(),
    ),
    picture(
        "the voice on the second track.mkv",
        *(*VIDEO, *card.SILENT, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *(*H264, *BT709, *AAC),
    ),
    picture(
        "the voice on the third track.mov",
        *(*VIDEO, *card.SILENT, *card.SILENT, *SOUND),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", *H264, *BT709, *AAC),
    ),
    picture(
        "sign language in HDR.mp4",
        *(
            *VIDEO,
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p10le",
            "-x265-params",
        ),
        "log-level=error:colorprim=bt709:transfer=bt709:colormatrix=bt709:hdr10=1:max-cll=1000,400:master-display="
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
        *("-tag:v", "hvc1"),
        beeps=(),
    ),
    picture(
        "an edit list of nothing.mp4",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-bf", "0"),
        edit=_edits_of_nothing,
    ),
    picture(
        "colours unsaid, upright.mp4", *card.filmed(406, 720), *SOUND, *H264, *AAC, size=(406, 720)
    ),
    *(
        picture(
            f"a phone that was {how}",
            *("-noautorotate", *matrix, *BOTH, "-vf", stored, *CODED),
        )
        for how, stored, *matrix in (
            ("turned to the left.mp4", "transpose=clock", "-display_rotation", "90"),
            ("turned to the right.mov", "transpose=cclock", "-display_rotation", "-90"),
            ("upside down.mp4", "hflip,vflip", "-display_rotation", "180"),
            ("its own mirror.mov", "hflip", "-display_hflip"),
            (
                *("turned and mirrored.mp4", "hflip,transpose=clock"),
                *("-display_rotation", "90", "-display_hflip"),
            ),
        )
    ),
    picture(
        "a turned camera of wide pixels.mov",
        *("-noautorotate", "-display_rotation", "90", *BOTH),
        *(
            "-vf",
            "scale=240:180,setsar=4/3,transpose=clock",
            *HEVC,
            "log-level=error",
            *BT709,
            *AAC,
        ),
        size=(240, 134),
    ),
    *(
        picture(f"{rate} pictures a second.mov", *card.filmed(320, 180, rate=rate), *SOUND, *CODED)
        for rate in (10, 60, 240)
    ),
    picture(
        "Dolby Vision.mov",
        *(*BOTH, "-vf", HDR.format(transfer="arib-std-b67"), *HEVC),
        *(BT2020.format(transfer="arib-std-b67"), *AAC),
        edit=_dolby_vision,
    ),
    picture(
        "HDR10.mp4",
        *(*BOTH, "-vf", HDR.format(transfer="smpte2084"), *HEVC),
        *(BT2020.format(transfer="smpte2084") + BRIGHTNESS, *AAC),
    ),
    picture(
        "wide colours without HDR.mp4",
        *(*BOTH, "-vf", "zscale=pin=709:min=709:tin=709:rin=limited:p=2020:m=2020_ncl:t=2020_10"),
        *("-pix_fmt", "yuv420p10le", *HEVC, BT2020.format(transfer="bt2020-10"), *AAC),
    ),
    picture(
        "trimmed on the phone.mov",
        *(*card.filmed(320, 180, seconds=8), *card.heard(seconds=8)),
        *("-c:v", "libx264", "-preset", "fast", "-g", "90", *BT709, *AAC),
        edit=with_edits((0.4, 6.4)),
        fields=tuple(at - 0.4 for at in card.BEEP_TIMES),
        beeps=tuple(at - 0.4 for at in card.BEEP_TIMES),
    ),
    picture(
        "the middle cut out.mov",
        *(*card.filmed(320, 180, seconds=8), *card.heard(seconds=8)),
        *("-c:v", "libx264", "-preset", "fast", "-g", "90", *BT709, *AAC),
        edit=with_edits((0, 2), (4, 8)),
        fields=(1.0, 2.5),
        beeps=(1.0, 2.5),
    ),
    picture(
        "an old phone.3gp",
        *(*card.filmed(352, 288), *SOUND, "-vf", TO_BT601, "-c:v", "h263", "-b:v", "3M"),
        *("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
        size=(352, 288),
    ),
    picture(
        "a round message.mp4",
        *(*card.filmed(240, 240), *SOUND, *CODED, "-movflags", "+faststart"),
        size=(240, 240),
    ),
)
BROWSERS: Final = (
    picture(
        "fragments that say an hour.mp4",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC, "-movflags", "+frag_keyframe+empty_moov"),
        edit=_says_an_hour,
    ),
    picture(
        "a browser's full range.webm",
        *VIDEO,
        *SOUND,
        *("-vf", "scale=in_color_matrix=bt709:out_color_matrix=bt709:in_range=tv:out_range=pc"),
        *("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
        *("-colorspace", "bt709", "-color_range", "pc", "-c:a", "libopus", "-live", "1"),
    ),
    picture("a browser's fragments.mp4", *BOTH, *H264, *BT709, "-c:a", "libopus", *FRAGMENTS),
    picture(
        "HEVC of a browser.mp4",
        *(*BOTH, *HEVC, "log-level=error:bframes=0", *BT709, *AAC, *FRAGMENTS),
    ),
    picture(
        "AV1 of a browser.webm",
        *(*BOTH, "-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1", *BT709),
        *("-c:a", "libopus", "-live", "1"),
    ),
    picture("H264 of a browser.mkv", *BOTH, *H264, *BT709, "-c:a", "libopus", "-live", "1"),
    picture(
        "a picture one can see through.webm",
        *(*BOTH, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
        *("-pix_fmt", "yuva420p", *BT709, "-c:a", "libopus"),
    ),
)
SCREENS: Final = (
    picture(
        "a slide show first.mov",
        *(*card.filmed(160, 90, rate=1), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
    ),
    picture(
        "a larger track that is off.mov",
        *(*card.filmed(640, 360, rate=1), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
        edit=_first_track_off,
    ),
    picture(
        "a screen in RGB.mkv",
        *(*VIDEO, *SOUND, "-vf", "scale=in_color_matrix=bt709:in_range=tv,format=gbrp"),
        *("-c:v", "libx264rgb", "-pix_fmt", "rgb24", "-preset", "ultrafast", *AAC),
    ),
    picture(
        "a screen at rest.mp4",
        *(*card.filmed(320, 180, rate=60), *SOUND, "-vf", "mpdecimate=max=0:frac=0.001"),
        *("-fps_mode", "vfr", *CODED),
    ),
    picture(
        "a meeting of two pictures a second.mp4",
        *(*BOTH, "-vf", "select='not(mod(n,15))'", "-fps_mode", "vfr", *CODED, "-ar", "32000"),
    ),
    picture("a screen in all colours.mkv", *BOTH, *CODED, "-pix_fmt", "yuv444p"),
    picture("fragments and an index.mp4", *BOTH, *CODED, "-movflags", "+hybrid_fragmented"),
)
CAMERAS: Final = (
    picture(
        "a clean aperture.mov",
        *(*VIDEO, *SOUND, *H264, *BT709, *AAC),
        edit=_with_clean_aperture,
    ),
    picture(
        "colours unsaid, of an old camera.mp4",
        *VIDEO,
        *SOUND,
        *("-vf", "scale=in_color_matrix=bt709:out_color_matrix=bt601", *H264, *AAC),
    ),
    *(
        picture(f"an old {what}", *filmed, *SOUND, *options, **others)
        for what, filmed, options, others in (
            (
                "camera.wmv",
                VIDEO,
                ("-c:v", "wmv2", "-b:v", "4M", "-c:a", "wmav2"),
                {"near": 30, "late_seconds": WMA_SECONDS},
            ),
            (
                "page.flv",
                VIDEO,
                ("-c:v", "flv", "-b:v", "4M", "-c:a", "libmp3lame", "-ar", "44100"),
                {"near": 30},
            ),
            (
                "camcorder.dv",
                card.filmed(720, 480, rate=30),
                ("-target", "ntsc-dv", "-aspect", "4:3"),
                {"size": (640, 480), "near": 60},
            ),
            (
                "phone.avi",
                VIDEO,
                ("-c:v", "msmpeg4", "-b:v", "4M", "-c:a", "adpcm_ms"),
                {"near": 30},
            ),
        )
    ),
    picture(
        "a camcorder of fields.mts",
        *(*card.filmed(320, 180, rate=50), *SOUND, "-vf", "interlace,setfield=tff"),
        *(*H264, "-flags", "+ildct+ilme", *BT709, "-c:a", "ac3", "-ac", "6"),
        *("-f", "mpegts", "-mpegts_m2ts_mode", "1"),
    ),
    picture(
        "a camcorder of wide pixels.ts",
        *(*BOTH, "-vf", "scale=240:180,setsar=4/3", "-c:v", "mpeg2video", "-b:v", "8M", *BT709),
        *("-c:a", "mp2"),
    ),
    picture(
        "a wide camcorder of tape.dv",
        *(*card.filmed(720, 576, rate=25), *SOUND, "-target", "pal-dv", "-aspect", "16:9"),
        size=(1024, 576),
        near=60,
    ),
    picture(
        "a camcorder of discs.vob",
        *(*card.filmed(720, 576, rate=25), *SOUND, "-target", "pal-dvd"),
        size=(720, 576),
    ),
    picture("a clock that turns over.ts", *BOTH, *CODED, "-output_ts_offset", "95441"),
    picture("sound in packets of its own.ts", *BOTH, *CODED, "-mpegts_flags", "+latm"),
    picture(
        "an old photo camera.avi",
        *(*BOTH, "-vf", FULL.format(matrix="bt601"), "-c:v", "mjpeg", "-q:v", "3"),
        *("-pix_fmt", "yuvj420p", "-c:a", "pcm_u8", "-ar", "11025"),
    ),
    picture(
        "an old photo camera that lost its power.avi",
        *(*BOTH, "-vf", FULL.format(matrix="bt601"), "-c:v", "mjpeg", "-q:v", "3"),
        *("-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"),
        edit=_without_index,
    ),
    picture(
        "sound of a changing rate.avi",
        *(*BOTH, "-vf", TO_BT601, "-c:v", "mpeg4", "-bf", "2", "-q:v", "2"),
        *("-c:a", "libmp3lame", "-q:a", "4"),
    ),
    picture(
        "an action camera.mp4",
        *(*BOTH, "-vf", FULL.format(matrix="bt709"), *CODED, "-pix_fmt", "yuvj420p"),
        *("-color_range", "pc", "-timecode", "01:00:00:00"),
    ),
    picture("a camera of 10 bits.mov", *BOTH, *CODED, "-pix_fmt", "yuv422p10le"),
    picture(
        "a camera of a studio.mov",
        *(*BOTH, "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", *BT709),
        *("-c:a", "pcm_s16le"),
    ),
    picture(
        "a camera without colours.mp4",
        *(*BOTH, *H264, "-pix_fmt", "gray", *AAC),
        colours=("grey", "white"),
    ),
    picture(
        "colours as of television.mp4",
        *(*BOTH, "-vf", TO_BT601, *H264, *AAC, "-colorspace", "bt470bg"),
        *("-color_primaries", "bt470bg", "-color_trc", "gamma28", "-color_range", "tv"),
    ),
    picture("a tiny picture.mkv", *card.filmed(16, 16), *SOUND, *CODED, size=(16, 16), near=30),
)
SOUNDS: Final = tuple(
    picture(f"sound of {codec}.{ending}", *BOTH, *H264, *BT709, "-c:a", codec, *options)
    for codec, ending, *options in (
        ("adpcm_ima_qt", "mov", "-ac", "1"),
        ("pcm_s8", "mov"),
        ("pcm_s16be", "mov"),
        ("pcm_mulaw", "mov", "-ar", "8000"),
        ("pcm_s24le", "mov", "-ar", "96000"),
        ("pcm_s16be", "mp4", "-strict", "-2"),
        ("libmp3lame", "mp4"),
        ("eac3", "mp4"),
        ("pcm_bluray", "m2ts", "-ac", "2", "-mpegts_m2ts_mode", "1"),
        ("dca", "mkv", "-strict", "-2", "-ac", "2"),
        ("wmav2", "mkv"),
        ("flac", "mkv"),
        ("truehd", "mkv", "-strict", "-2", "-ac", "2"),
        # A voice in the middle of many loudspeakers.
        ("aac", "mp4", "-af", "pan=5.1|FC=c0"),
        ("pcm_s16le", "mkv", "-af", "pan=7.1|FC=c0"),
    )
)


@pytest.mark.parametrize(
    "kind", [*PHONES, *BROWSERS, *SCREENS, *CAMERAS, *SOUNDS], ids=lambda kind: kind.name
)
async def test_what_devices_make_comes_out_as_it_was(run: Run, make: Make, kind: Kind) -> None:
    """Length, pictures, colours and sound are those of the recording."""
    source = make(kind.name, *kind.arguments)
    done = await run(kind.edit(source.read_bytes()))
    assert_as_it_was(done, kind)


async def test_tracks_of_data_do_not_count(run: Run, make: Make, tmp_path: Path) -> None:
    """Phones write place, movement and scenes beside the picture: nine tracks, two of which are taken."""
    words = tmp_path / "data.bin"
    words.write_bytes(b"where it was" * 40)
    data = [part for _ in range(9) for part in ("-f", "data", "-i", str(words))]
    maps = [part for number in range(11) for part in ("-map", str(number))]
    source = make("data.ts", *VIDEO, *SOUND, *data, *maps, *H264, *BT709, *AAC, "-c:d", "copy")
    done = await run(source, video_max_streams=2)
    assert_as_promised(done)
    assert b"where it was" not in done.rendition


async def test_a_larger_picture_that_nobody_can_decode_is_not_chosen(run: Run, make: Make) -> None:
    """Beside a track of an unknown kind the one that can be decoded is shown."""
    source = make(
        "unknown beside.mov",
        *(*card.filmed(640, 360), *VIDEO, *SOUND, "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v:0", "mpeg4", "-c:v:1", "libx264", *BT709, *AAC, *TAKEN),
    )
    done = await run(boxes.unknown(source.read_bytes(), b"mp4v"))
    assert_as_promised(done)
    assert (done.transcoded.width, done.transcoded.height) == (320, 180)
