"""Small real recordings of each kind that relay takes; everything else is made of these."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import imageio_ffmpeg

_FILM: Final = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=10:d=1")
_TAPE: Final = ("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=0.4")
_TONE: Final = ("-f", "lavfi", "-i", "sine=440:d=1")
_BOTH: Final = (*_FILM, *_TONE)
_H264: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_VP8: Final = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
_VP9: Final = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
_AV1: Final = ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1")
_HEVC: Final = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error")
_AAC: Final = ("-c:a", "aac")
_AMR: Final = ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1")
_FRAGMENTS: Final = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")

TAKEN: Final[dict[str, Sequence[str]]] = {
    "mp4": (*_BOTH, *_H264, *_AAC, "-f", "mp4"),
    "front.mp4": (*_BOTH, *_H264, *_AAC, "-movflags", "+faststart", "-f", "mp4"),
    "fragments.mp4": (*_BOTH, *_H264, *_AAC, *_FRAGMENTS, "-f", "mp4"),
    "hevc.mp4": (*_BOTH, *_HEVC, "-tag:v", "hvc1", *_AAC, "-f", "mp4"),
    "mov": (*_BOTH, "-c:v", "mjpeg", "-c:a", "pcm_s16le", "-f", "mov"),
    "prores.mov": (*_BOTH, "-c:v", "prores", "-c:a", "alac", "-f", "mov"),
    "3gp": (*_FILM, *_TONE, "-s", "128x96", "-c:v", "h263", *_AMR, "-f", "3gp"),
    "m4a": (*_TONE, *_AAC, "-f", "ipod"),
    "webm": (*_BOTH, *_VP8, "-c:a", "libopus", "-f", "webm"),
    "live.webm": (*_BOTH, *_VP9, "-c:a", "libopus", "-live", "1", "-f", "webm"),
    "av1.webm": (*_BOTH, *_AV1, "-c:a", "libopus", "-f", "webm"),
    "mkv": (*_BOTH, *_H264, "-c:a", "flac", "-f", "matroska"),
    "avi": (*_BOTH, "-c:v", "mpeg4", "-c:a", "libmp3lame", "-f", "avi"),
    "mjpeg.avi": (*_FILM, "-c:v", "mjpeg", "-f", "avi"),
    "ts": (*_BOTH, "-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2", "-f", "mpegts"),
    "m2ts": (*_BOTH, *_H264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1", "-f", "mpegts"),
    "mpg": (*_BOTH, "-c:v", "mpeg1video", "-r", "25", "-c:a", "mp2", "-f", "mpeg"),
    "ogv": (*_BOTH, "-c:v", "libtheora", "-c:a", "libvorbis", "-f", "ogg"),
    "opus.ogg": (*_TONE, "-c:a", "libopus", "-f", "ogg"),
    "wmv": (*_BOTH, "-c:v", "wmv2", "-c:a", "wmav2", "-f", "asf"),
    "flv": (*_BOTH, "-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100", "-f", "flv"),
    "dv": (*_TAPE, *_TONE, "-target", "pal-dv", "-t", "0.4", "-f", "dv"),
    "wav": (*_TONE, "-ar", "16000", "-f", "wav"),
    "aiff": (*_TONE, "-ar", "16000", "-f", "aiff"),
    "caf": (*_TONE, "-c:a", "alac", "-f", "caf"),
    "au": (*_TONE, "-ar", "16000", "-f", "au"),
    "flac": (*_TONE, "-f", "flac"),
    "mp3": (*_TONE, "-c:a", "libmp3lame", "-f", "mp3"),
    "aac": (*_TONE, *_AAC, "-f", "adts"),
    "amr": (*_TONE, *_AMR, "-f", "amr"),
}
"""One of each kind that relay prepares."""

OTHERS: Final[dict[str, Sequence[str]]] = {
    "mxf": (*_FILM, "-c:v", "mpeg2video", "-r", "25", "-f", "mxf"),
    "rm": (*_FILM, "-c:v", "rv10", "-f", "rm"),
    "nut": (*_FILM, *_H264, "-f", "nut"),
    "gif": (*_FILM, "-c:v", "gif", "-f", "gif"),
    "apng": (*_FILM, "-c:v", "apng", "-f", "apng"),
    "webp": (*_FILM, "-c:v", "libwebp", "-f", "webp"),
    "ivf": (*_FILM, *_VP8, "-f", "ivf"),
    "y4m": (*_FILM, "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe"),
    "swf": (*_FILM, "-c:v", "flv", "-f", "swf"),
    "wv": (*_TONE, "-c:a", "wavpack", "-f", "wv"),
    "tta": (*_TONE, "-c:a", "tta", "-f", "tta"),
    "w64": (*_TONE, "-f", "w64"),
    "voc": (*_TONE, "-c:a", "pcm_u8", "-f", "voc"),
    "sox": (*_TONE, "-f", "sox"),
    "h264": (*_FILM, *_H264, "-f", "h264"),
    "m4v": (*_FILM, "-c:v", "mpeg4", "-f", "m4v"),
    "ac3": (*_TONE, "-c:a", "ac3", "-f", "ac3"),
    "roq": (*_TONE, "-c:a", "roq_dpcm", "-ar", "22050", "-f", "roq"),
    "ffmeta": (*_TONE, "-f", "ffmetadata"),
}
"""Kinds that ffmpeg reads and relay does not."""

FORMATS: Final[dict[str, Sequence[str]]] = {
    **{
        f"{codec}.{name}": (*_FILM, "-c:v", codec, "-f", muxer)
        for codec, name, muxer in (
            *(("qtrle", "mov", "mov"), ("png", "mov", "mov"), ("cinepak", "mov", "mov")),
            *(("rpza", "mov", "mov"), ("rawvideo", "mov", "mov"), ("jpeg2000", "mov", "mov")),
            *(("zmbv", "avi", "avi"), ("ffv1", "avi", "avi"), ("huffyuv", "avi", "avi")),
            *(("utvideo", "avi", "avi"), ("flashsv", "flv", "flv"), ("snow", "avi", "avi")),
            *(("png", "mkv", "matroska"), ("ffv1", "mkv", "matroska")),
        )
    },
    "tta.mkv": (*_TONE, "-c:a", "tta", "-f", "matroska"),
    "wavpack.mkv": (*_TONE, "-c:a", "wavpack", "-f", "matroska"),
    "g723_1.wav": (*_TONE, "-c:a", "g723_1", "-ar", "8000", "-b:a", "6300", "-f", "wav"),
}
"""Codecs that relay has no decoder for, in containers that it takes."""

BOMBS: Final[dict[str, Sequence[str]]] = {
    "black.mp4": (
        *("-f", "lavfi", "-i", "color=s=8000x4000:r=5:d=1"),
        *(*_H264, "-g", "999", "-threads", "2", "-f", "mp4"),
    ),
    "large.avi": ("-f", "lavfi", "-i", "color=s=6000x6000:r=5:d=0.2", "-c:v", "mjpeg", "-f", "avi"),
    "still.avi": ("-f", "lavfi", "-i", "color=s=7680x4320:r=5:d=0.2", "-c:v", "mjpeg", "-f", "avi"),
    "hours.flac": ("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=3700", "-f", "flac"),
    "hours.webm": (
        *("-f", "lavfi", "-i", "color=s=16x16:r=0.01:d=8000"),
        *(*_VP8, "-f", "webm"),
    ),
    "slow.mkv": ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=1/50:d=100", *_H264, "-f", "matroska"),
    "quick.mkv": (
        *("-f", "lavfi", "-i", "testsrc2=s=32x32:r=1000:d=2"),
        *("-c:v", "mjpeg", "-f", "matroska"),
    ),
    "thin.avi": ("-f", "lavfi", "-i", "testsrc2=s=8x4000:r=5:d=1", "-c:v", "mjpeg", "-f", "avi"),
    "flat.avi": ("-f", "lavfi", "-i", "testsrc2=s=8000x8:r=5:d=1", "-c:v", "mjpeg", "-f", "avi"),
    "dot.mkv": ("-f", "lavfi", "-i", "color=s=1x1:r=5:d=1", "-c:v", "mjpeg", "-f", "matroska"),
}
"""Real recordings whose size, length or rate is what is wrong with them."""


def made(arguments: Sequence[str], folder: Path) -> bytes:
    """What ffmpeg makes with these arguments."""
    target = folder / "seed"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y"]
    exact = ("-bitexact", "-fflags", "+bitexact", "-threads", "1")
    done = subprocess.run(
        [*command, *arguments[:-2], *exact, *arguments[-2:], str(target)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, (arguments, done.stderr.decode()[-1000:])
    return target.read_bytes()
