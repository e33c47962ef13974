"""Files that name other files, addresses or programs: none of them is followed."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

from tests.support.hostile_media.case import (
    PLAYLIST,
    PREPARED,
    UNKNOWN,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    Places,
    hostile,
)
from tests.support.hostile_media.mov import box, with_references
from tests.support.hostile_media.riff import avi_with_subtitles

_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def references(places: Places, seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    """Every way to name something else that ffmpeg knows of."""
    targets = addresses(places)
    yield from _playlists(places, targets)
    yield from _documents(places)
    yield from _in_mov(targets, seeds)
    yield from _in_avi(places, targets)
    yield from _archives(places)


def addresses(places: Places) -> dict[str, str]:
    """What may stand where ffmpeg expects an address, by its protocol."""
    path = places.canary
    return {
        "path": path,
        "relative": f"../../../../../../../..{path}",
        "file": f"file://{path}",
        "http": places.url,
        "tls": places.url.replace("http:", "https:"),
        "tcp": places.url.replace("http:", "tcp:").rstrip("/"),
        "rtmp": places.url.replace("http:", "rtmp:"),
        "ftp": places.url.replace("http:", "ftp:"),
        "concat": f"concat:{path}|{path}",
        "concatf": f"concatf:{path}",
        "subfile": f"subfile,,start,0,end,0,,:{path}",
        "crypto": f"crypto:{path}",
        "cache": f"cache:{path}",
        "async": f"async:file:{path}",
        "data": "data:application/vnd.apple.mpegurl;base64,I0VYVE0zVQo=",
        "pipe": "pipe:0",
        "fd": "fd:",
        "unix": "unix:/run/docker.sock",
        "tee": f"tee:{path}",
        "ipfs": "ipfs://QmVLDAhCY3X9P2u",
    }


def _playlists(places: Places, targets: Mapping[str, str]) -> Iterator[Hostile]:
    for name, target in targets.items():
        hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"
        yield hostile(f"playlist/hls of {name}", hls.encode(), PLAYLIST)
        concat = f"ffconcat version 1.0\nfile '{target}'\n"
        yield hostile(f"playlist/concat of {name}", concat.encode(), PLAYLIST)
    url, path = places.url, places.canary
    key = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:1,\n{path}\n'
    dash = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{}</BaseURL><Period/></MPD>'
    for name, text in {
        "hls with a key": key,
        "hls with a map": f'#EXTM3U\n#EXT-X-MAP:URI="{path}"\n#EXTINF:1,\n{url}\n',
        "hls after a mark and lines": f"\ufeff\r\n\r\n \t#EXTM3U\n#EXTINF:1,\n{path}\n",
        "hls in small letters": f"#extm3u\n#extinf:1,\n{path}\n",
        "hls of hls": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}\n",
        "dash": _XML + dash.format(url),
        "dash after a comment": f"{_XML}<!-- {'x' * 3000} -->\n{dash.format(path)}",
        "dash bare": dash.format(path),
        "dash with an entity": (
            f'{_XML}<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{path}">]>\n{dash.format("&x;")}'
        ),
        "smil": f'<smil><body><video src="{url}"/></body></smil>',
        "smil after a head": f'{_XML}<smil><body><video src="{path}"/></body></smil>',
        "asx": f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
        "xspf": f"{_XML}<playlist><trackList><location>{url}</location></trackList></playlist>",
        "smooth": f'{_XML}<SmoothStreamingMedia><StreamIndex Url="{url}"/></SmoothStreamingMedia>',
        "wpl": f'<?wpl version="1.0"?><smil><body><seq><media src="{path}"/></seq></body></smil>',
        "pls": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n",
        "reference": f"[Reference]\nRef1={url}\nRef2={path}\n",
        "rtsptext": f"rtsptext\n{url}\n",
        "smiltext": f'SMILtext<smil><body><video src="{path}"/></body></smil>',
    }.items():
        yield hostile(f"playlist/{name}", text.encode(), PLAYLIST)
    yield hostile("playlist/hls in UTF-16", key.encode("utf-16"), PLAYLIST)
    yield hostile("document/a letter in UTF-16", f"Dear {path}".encode("utf-16"), UNKNOWN)


def _documents(places: Places) -> Iterator[Hostile]:
    url, path = places.url, places.canary
    for name, text in {
        "concat without a head": f"file '{path}'\nfile '{url}'\n",
        "a list of addresses": f"{url}\n{path}\n",
        "sdp": f"v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=control:{url}\n",
        "real media": f"rtsp://{url.partition('//')[2]}\n",
        "avisynth": f'AVISource("{path}")\n',
        "a filter": f"movie={path}[out0]",
        "metadata": f";FFMETADATA1\ntitle={path}\n[CHAPTER]\nSTART=0\nEND=9223372036854775807\n",
        "ass": f"[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: {path}\n",
        "srt": f'1\n00:00:00,000 --> 00:00:01,000\n<img src="{url}"><a href="file://{path}">x</a>\n',
        "webvtt": f'WEBVTT\n\nSTYLE\n::cue {{ background: url("{url}") }}\n\n00:00.000 --> 00:01.000\nx\n',
        "ttml": f'{_XML}<tt xmlns="http://www.w3.org/ns/ttml"><image src="{url}"/></tt>',
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{path}"/></svg>',
        "mvg": f"push graphic-context\nviewbox 0 0 1 1\nimage over 0,0 0,0 '{url}'\n",
        "a page": f"<!doctype html><video src='{url}'></video>",
        "a shortcut": f"[InternetShortcut]\nURL={url}\n",
        "a desktop entry": f"[Desktop Entry]\nExec=cat {path}\n",
        "postscript": f"%!PS\n({path}) (r) file\n",
        "cue": f'FILE "{path}" WAVE\n  TRACK 01 AUDIO\n',
        "imf": f'{_XML}<CompositionPlaylist xmlns="x"><Id>{url}</Id></CompositionPlaylist>',
    }.items():
        ends = (PLAYLIST, UNKNOWN) if name == "imf" else (UNKNOWN,)
        yield hostile(f"document/{name}", text.encode(), *ends)


def _in_mov(targets: Mapping[str, str], seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    whole = seeds["mp4"]
    for name, target in targets.items():
        content = with_references(whole, box(b"url ", bytes(4) + target.encode() + b"\0"))
        yield hostile(f"mov reference/url {name}", content, PLAYLIST)
    for name in ("path", "relative", "http"):
        alias = box(b"alis", bytes(4) + _alias(targets[name]))
        yield hostile(f"mov reference/alias {name}", with_references(whole, alias), PLAYLIST)
    resource = box(b"rsrc", bytes(4) + _alias(targets["path"]))
    yield hostile("mov reference/resource", with_references(whole, resource), PLAYLIST)
    urn = box(b"urn ", bytes(4) + b"urn:x\0" + targets["http"].encode() + b"\0")
    yield hostile("mov reference/urn", with_references(whole, urn), PLAYLIST)
    # Said to be in this file, with an address all the same.
    own = box(b"url ", b"\0\0\0\1" + targets["path"].encode() + b"\0")
    yield hostile("mov reference/own with an address", with_references(whole, own), PREPARED)
    second = box(b"url ", b"\0\0\0\1") + box(b"alis", bytes(4) + _alias(targets["path"]))
    yield hostile("mov reference/second", with_references(whole, second, count=2), PLAYLIST)
    yield hostile(
        "mov reference/only in a movie header of links",
        box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", _link(targets["http"]))))),
        PLAYLIST,
        UNREADABLE,
        UNKNOWN,
    )


def _alias(path: str) -> bytes:
    """An alias record of version 2, with the path as a POSIX path and as one of a Mac."""
    encoded = path.encode()
    head = struct.pack(">IHHH", 0, 150, 2, 0) + b"\4disk".ljust(28, b"\0") + bytes(8)
    head += bytes((min(len(encoded), 63),)) + encoded[:63].ljust(63, b"\0")
    head = head.ljust(150, b"\0")
    records = b""
    for kind, value in ((2, encoded.replace(b"/", b":")), (18, encoded), (19, b"/")):
        records += struct.pack(">HH", kind, len(value)) + value + bytes(len(value) % 2)
    return head + records + struct.pack(">HH", 0xFFFF, 0)


def _link(url: str) -> bytes:
    return bytes(4) + b"url " + struct.pack(">I", len(url) + 1) + url.encode() + b"\0"


def _in_avi(places: Places, targets: Mapping[str, str]) -> Iterator[Hostile]:
    for name in ("path", "file", "http", "concat", "subfile", "crypto", "data"):
        text = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\n{targets[name]}\n#EXT-X-ENDLIST\n"
        content = avi_with_subtitles(text.encode())
        yield hostile(f"avi playlist/hls of {name}", content, PREPARED, UNSUPPORTED, UNREADABLE)
    srt = f'1\n00:00:00,000 --> 00:00:01,000\n<img src="{places.url}">\n'
    yield hostile("avi playlist/srt", avi_with_subtitles(srt.encode()), PREPARED)
    concat = f"ffconcat version 1.0\nfile '{places.canary}'\n".encode()
    yield hostile("avi playlist/concat", avi_with_subtitles(concat), PREPARED, UNREADABLE)
    xbin = b"TXT " + f"#EXTM3U\n{places.url}\n".encode()
    riff = b"RIFF" + struct.pack("<I", len(xbin) + 4) + b"AVI " + xbin
    yield hostile("avi playlist/instead of an AVI", riff, UNREADABLE, UNKNOWN)


def _archives(places: Places) -> Iterator[Hostile]:
    """Names that lead elsewhere; nobody unpacks them."""
    for name in ("../../../../tmp/escaped", "/etc/cron.d/escaped", "a\0b", "x" * 300):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo(name))
        yield hostile(f"archive/tar of {name[:24]!r}", file.getvalue(), UNKNOWN)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo("film.mp4")
            entry.type, entry.linkname = kind, places.canary
            archive.addfile(entry)
    yield hostile("archive/links", file.getvalue(), UNKNOWN)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../../../../tmp/escaped.mp4", bytes(1_000_000))
    yield hostile("archive/zip", file.getvalue(), UNKNOWN)
    yield hostile("archive/nothing", b"", "video-empty")
