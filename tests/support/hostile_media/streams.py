"""The other containers by hand: Ogg, FLAC, MP3, FLV, ASF, MPEG-TS, CAF, AIFF, AU, AMR."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from tests.support.hostile_media.case import (
    ANY,
    LONG,
    PREPARED,
    PROTECTED,
    STREAMS,
    TRUNCATED,
    UNREADABLE,
    UNSUPPORTED,
    Hostile,
    Places,
    hostile,
)


def streams(places: Places, seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    """What is wrong with each of them."""
    yield from _ogg(seeds["opus.ogg"])
    yield from _flac(seeds["flac"])
    yield from _mp3(seeds["mp3"], places)
    yield from _flv(seeds["flv"])
    yield from _asf(seeds["wmv"], places)
    yield from _mpegts(seeds["ts"])
    yield from _plain(seeds)


def _page(
    content: bytes, *, flags: int = 2, granule: int = 0, serial: int = 1, number: int = 0
) -> bytes:
    lacing = b"\xff" * (len(content) // 255) + bytes((len(content) % 255,))
    head = (
        b"OggS\0"
        + struct.pack("<BqIII", flags, granule, serial, number, 0)
        + bytes((len(lacing),))
        + lacing
    )
    page = head + content
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def _ogg(opus: bytes) -> Iterator[Hostile]:
    head = b"OpusHead\1" + struct.pack("<BHIhB", 2, 0, 48000, 0, 0)
    for count in (200, 3000):
        pages = b"".join(_page(head, serial=n) for n in range(count))
        yield hostile(f"ogg/{count} streams", pages + opus, STREAMS, UNREADABLE, PREPARED)
    mapped = (
        b"OpusHead\1"
        + struct.pack("<BHIhB", 255, 0, 48000, 0, 255)
        + bytes((255, 0))
        + bytes(range(255))
    )
    yield hostile("ogg/255 channels", _page(mapped) + opus, *ANY)
    tags = b"OpusTags" + struct.pack("<II", 2**32 - 1, 2**32 - 1)
    yield hostile("ogg/billions of tags", _page(head) + _page(tags, flags=0, number=1) + opus, *ANY)
    for granule in (2**63 - 1, -(2**63), 0):
        last = opus.rindex(b"OggS")
        content = opus[: last + 6] + struct.pack("<q", granule) + opus[last + 14 :]
        yield hostile(f"ogg/an end at {granule}", content, *ANY)
    yield hostile("ogg/100 in a row", opus * 100, *ANY)
    yield hostile("ogg/10,000 empty pages", opus + _page(b"", flags=0, serial=9) * 10_000, *ANY)
    skeleton = b"fishead\0" + struct.pack("<HH", 4, 0) + b"\xff" * 52
    yield hostile("ogg/a skeleton that lies", _page(skeleton, serial=7) + opus, *ANY)
    picture = b"METADATA_BLOCK_PICTURE=" + b"A" * 60_000
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<II", 1, len(picture)) + picture
    yield hostile(
        "ogg/a picture in the tags",
        _page(head) + _page(tags[:65000], flags=0, number=1) + opus,
        *ANY,
    )


def _flac(flac: bytes) -> Iterator[Hostile]:
    for name, value in {
        "no rate": (0, 1, 16, 44100),
        "the highest rate": (655350, 8, 32, 2**36 - 1),
        "no samples": (44100, 1, 16, 0),
        "2^36 samples": (44100, 1, 16, 2**36 - 1),
    }.items():
        rate, channels, bits, total = value
        packed = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | total
        content = flac[:18] + packed.to_bytes(8) + flac[26:]
        yield hostile(f"flac/{name}", content, *ANY)
    for kind in range(1, 7):
        block = bytes((kind,)) + b"\xff\xff\xff"
        yield hostile(f"flac/block {kind} past the end", flac[:42] + block + flac[42:], *ANY)
    empty = b"\x01\0\0\0" * 100_000
    yield hostile("flac/100,000 empty blocks", flac[:42] + empty + flac[42:], PREPARED, UNREADABLE)
    picture = struct.pack(">II", 3, 2**32 - 1) + b"image/png"
    block = b"\x06" + len(picture).to_bytes(3) + picture
    yield hostile("flac/a picture of 4 GiB", flac[:42] + block + flac[42:], *ANY)
    sheet = b"\x05\0\x02\0" + bytes(395) + b"\xff" * 117
    yield hostile("flac/255 tracks of a disc", flac[:42] + sheet + flac[42:], *ANY)


def _id3(*frames: bytes, says: int | None = None, flags: int = 0) -> bytes:
    body = b"".join(frames)
    size = len(body) if says is None else says
    return (
        b"ID3\4\0" + bytes((flags,)) + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + body
    )


def _frame(name: bytes, content: bytes, flags: int = 0, says: int | None = None) -> bytes:
    size = len(content) if says is None else says
    return (
        name
        + bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
        + struct.pack(">H", flags)
        + content
    )


def _mp3(mp3: bytes, places: Places) -> Iterator[Hostile]:
    sound = mp3[mp3.index(b"\xff\xfb") :]
    for says in (0, 1000, 2**28 - 1):
        yield hostile(f"mp3/a tag of {says} bytes", _id3(says=says) + sound, *ANY)
    yield hostile("mp3/1,000 tags", _id3() * 1000 + sound, *ANY)
    bomb = struct.pack(">I", 100_000_000) + zlib.compress(bytes(100_000_000), 1)
    yield hostile(
        "mp3/a packed frame of 100 MB",
        _id3(_frame(b"TIT2", bomb, flags=9)) + sound,
        PREPARED,
        UNREADABLE,
    )
    chapter = b"c\0" + struct.pack(">IIII", 0, 2**32 - 1, 0, 0)
    yield hostile(
        "mp3/20,000 chapters",
        _id3(*(_frame(b"CHAP", b"%d" % n + chapter) for n in range(20_000))) + sound,
        *ANY,
    )
    image = b"\0-->\0\3\0" + places.url.encode()
    yield hostile("mp3/a picture by address", _id3(_frame(b"APIC", image)) + sound, PREPARED)
    link = _frame(b"WXXX", b"\0x\0" + places.url.encode()) + _frame(
        b"LINK", b"TIT2" + places.canary.encode()
    )
    yield hostile("mp3/links", _id3(link) + sound, PREPARED)
    inner = b""
    for _ in range(200):
        inner = _frame(b"CHAP", b"c\0" + bytes(16) + inner)
    yield hostile("mp3/200 chapters in each other", _id3(inner) + sound, *ANY)
    held = _frame(
        b"GEOB", b"\0application/x-mpegurl\0../../x.m3u8\0\0#EXTM3U\n" + places.url.encode()
    )
    yield hostile("mp3/a playlist held", _id3(held) + sound, PREPARED)
    for name in (b"Xing", b"VBRI"):
        frame = bytearray(sound[:417])
        frame[36:40] = name
        frame[40:44] = b"\0\0\0\xff"
        frame[44:52] = b"\xff" * 8
        yield hostile(f"mp3/{name.decode()} of billions", bytes(frame) + sound, *ANY)
    listed = f"#EXTM3U\n#EXTINF:1,\n{places.url}\n".encode()
    yield hostile("mp3/a playlist after a tag", _id3() + listed, UNREADABLE)
    yield hostile("mp3/a playlist after one frame head", b"\xff\xfb\x90\0" + listed, UNREADABLE)
    yield hostile("mp3/nothing but heads", b"\xff\xfb\x90\0" * 50_000, *ANY)


def _flv(flv: bytes) -> Iterator[Hostile]:
    def tag(kind: int, content: bytes, time: int = 0) -> bytes:
        head = (
            bytes((kind,))
            + len(content).to_bytes(3)
            + (time & 0xFFFFFF).to_bytes(3)
            + bytes((time >> 24,))
        )
        return head + bytes(3) + content + struct.pack(">I", len(content) + 11)

    start, name = flv[:13], b"\2\0\x0aonMetaData"
    for depth in (10, 5_000):
        nested = name + b"\x08\0\0\0\1\0\1x" * depth + b"\0" + bytes(8) + b"\0\0\x09" * depth
        yield hostile(
            f"flv/{depth} objects in each other", start + tag(18, nested) + flv[13:], *ANY
        )
    array = name + b"\x0a\xff\xff\xff\xff" + b"\x0a\xff\xff\xff\xff" * 100
    yield hostile("flv/an array of billions", start + tag(18, array) + flv[13:], *ANY)
    places = b"\x08\0\0\0\1\0\x09keyframes\x03\0\x05times\x0a\xff\xff\xff\xff"
    places += b"\0\x0dfilepositions\x0a\xff\xff\xff\xff"
    yield hostile("flv/billions of places", start + tag(18, name + places) + flv[13:], *ANY)
    yield hostile("flv/a last tag in 2^32 ms", flv + tag(9, flv[24:90], 2**32 - 1), *ANY)
    yield hostile("flv/100,000 empty tags", start + tag(9, b"") * 100_000 + flv[13:], *ANY)
    yield hostile("flv/a head that goes on", b"FLV\1\5\xff\xff\xff\xff" + flv[9:], *ANY)


def _asf(asf: bytes, places: Places) -> Iterator[Hostile]:
    for size in (0, 1, 29, 2**32, 2**63, 2**64 - 1):
        yield hostile(
            f"asf/a head of {size} bytes", asf[:16] + struct.pack("<Q", size) + asf[24:], *ANY
        )
        content = asf[:46] + struct.pack("<Q", size) + asf[54:]
        yield hostile(f"asf/a first object of {size} bytes", content, *ANY)
    yield hostile("asf/billions of objects", asf[:24] + b"\xff\xff\xff\xff" + asf[28:], *ANY)
    script = bytes.fromhex("301afb1e620bd011a39b00a0c90348f6")
    body = bytes(16) + struct.pack("<HH", 1, 1) + struct.pack("<H", 3) + "URL".encode("utf-16-le")
    body += struct.pack("<IHH", 0, 0, len(places.url)) + places.url.encode("utf-16-le")
    added = script + struct.pack("<Q", len(body) + 24) + body
    content = _with_object(asf, added)
    yield hostile("asf/a command with an address", content, PREPARED, UNREADABLE, TRUNCATED)
    for lock in (
        "fbb3112223bdd211b4b700a0c955fc6e",
        "14e68a292226174cb935dae07ee9289c",
        "338505438169e6499b74ad12cb86d58c",
    ):
        locked = bytes.fromhex(lock) + struct.pack("<Q", 24)
        yield hostile(f"asf/a lock {lock[:6]}", _with_object(asf, locked), PROTECTED)


def _with_object(asf: bytes, added: bytes) -> bytes:
    size = struct.pack("<Q", int.from_bytes(asf[16:24], "little") + len(added))
    return asf[:16] + size + asf[24:30] + added + asf[30:]


def _section(table: int, body: bytes) -> bytes:
    inside = struct.pack(">H", 1) + b"\xc1\0\0" + body
    section = bytes((table,)) + struct.pack(">H", 0xB000 | len(inside) + 4) + inside
    return section + struct.pack(">I", _checksum_ts(section))


def _checksum_ts(content: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def _packet(pid: int, content: bytes, *, start: bool = True, count: int = 0) -> bytes:
    head = b"\x47" + struct.pack(">HB", pid | (0x4000 if start else 0), 0x10 | count & 15)
    return (head + content).ljust(188, b"\xff")


def _mpegts(ts: bytes) -> Iterator[Hostile]:
    tables = []
    for program in range(200):
        listed = b"".join(
            struct.pack(">BHH", 2, 0xE000 | 0x200 + program * 30 + n, 0xF000) for n in range(30)
        )
        pmt = _section(2, struct.pack(">HH", 0xE100, 0xF000) + listed)
        tables.append(_packet(0x100 + program, b"\0" + pmt[:183]))
    programs = b"".join(struct.pack(">HH", n + 1, 0xE000 | 0x100 + n) for n in range(40))
    pat = _packet(0, b"\0" + _section(0, programs))
    yield hostile(
        "mpegts/1,200 streams", pat + b"".join(tables[:40]) * 3 + ts, STREAMS, PREPARED, UNREADABLE
    )
    loop = _packet(0, b"\0" + _section(0, struct.pack(">HH", 1, 0xE000)))
    yield hostile("mpegts/a table that is its own", loop * 50 + ts, *ANY)
    long = _packet(0, b"\0\0\xbf\xff")
    yield hostile("mpegts/a section without an end", long * 2000 + ts, *ANY)
    spread = b"".join(
        _packet(pid, b"\0\0\1\xe0\0\0\x80\0\0" + bytes(100)) for pid in range(0x20, 0x1FF0)
    )
    yield hostile(
        "mpegts/8,000 streams without a table",
        spread * 2,
        STREAMS,
        UNREADABLE,
        UNSUPPORTED,
        TRUNCATED,
    )
    yield hostile(
        "mpegts/nothing but sync",
        (b"\x47" + bytes(187)) * 20_000,
        UNREADABLE,
        "video-not-recognized",
        UNSUPPORTED,
    )
    field = b"\x47\x41\0\x30\xff" + bytes(183)
    yield hostile("mpegts/fields past the end", field * 1000 + ts, *ANY)


def _plain(seeds: Mapping[str, bytes]) -> Iterator[Hostile]:
    caf, aiff, au, amr = (seeds[name] for name in ("caf", "aiff", "au", "amr"))
    for size in (-1, 0, 2**62, -(2**63)):
        at = caf.index(b"desc") + 4
        yield hostile(
            f"caf/a description of {size} bytes",
            caf[:at] + struct.pack(">q", size) + caf[at + 8 :],
            *ANY,
        )
        at = caf.index(b"data") + 4
        yield hostile(
            f"caf/{size} bytes of sound", caf[:at] + struct.pack(">q", size) + caf[at + 8 :], *ANY
        )
    at = caf.index(b"desc") + 12
    for name, offset, value in (
        ("an endless rate", 0, struct.pack(">d", float("inf"))),
        ("no rate", 0, bytes(8)),
        ("billions of bytes a packet", 16, b"\xff" * 4),
        ("billions of channels", 24, b"\xff" * 4),
    ):
        yield hostile(
            f"caf/{name}", caf[: at + offset] + value + caf[at + offset + len(value) :], *ANY
        )
    at = caf.index(b"pakt") + 12
    yield hostile("caf/2^63 packets", caf[:at] + struct.pack(">q", 2**63 - 1) + caf[at + 8 :], *ANY)
    at = aiff.index(b"COMM") + 8
    for name, offset, value in (
        ("no channels", 0, bytes(2)),
        ("32,767 channels", 0, b"\x7f\xff"),
        ("4 billion samples", 2, b"\xff" * 4),
        ("65,535 bits", 6, b"\xff\xff"),
        ("an endless rate", 8, b"\x7f\xff" + bytes(8)),
        ("no rate", 8, bytes(10)),
    ):
        yield hostile(
            f"aiff/{name}", aiff[: at + offset] + value + aiff[at + offset + len(value) :], *ANY
        )
    for name, offset in (
        ("an offset", 4),
        ("a length", 8),
        ("a codec", 12),
        ("a rate", 16),
        ("channels", 20),
    ):
        for said in (0, 2**31, 2**32 - 1):
            content = au[:offset] + struct.pack(">I", said) + au[offset + 4 :]
            yield hostile(f"au/{name} of {said}", content, *ANY)
    yield hostile("amr/nothing after its head", amr[:6], UNREADABLE, "video-not-recognized")
    yield hostile("amr/frames of every kind", b"#!AMR\n" + bytes(range(256)) * 200, *ANY)
    yield hostile("amr/many channels", b"#!AMR_MC1.0\n\xff\xff\xff\xff" + amr[6:], *ANY)
    yield hostile("aac/nothing but heads", b"\xff\xf1\x50\x80\0\x1f\xfc" * 20_000, *ANY)
    yield hostile("aac/frames of no length", b"\xff\xf1\x50\x80\0\0\0" * 20_000, *ANY)
    long = seeds["aac"] * 700
    yield hostile("aac/an hour and more of the same", long + seeds["aac"] * 3000, LONG)
