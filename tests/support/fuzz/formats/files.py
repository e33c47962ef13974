"""Files and variables of an operator, and the files of an export, which another operator wrote."""

from __future__ import annotations

import asyncio
import random
import struct
import uuid
import zlib
from functools import partial
from typing import Final

import msgspec

from relay.client.certifying import BadRequestFile, read_request
from relay.client.opening_codings import CODINGS, CodingBroken, opened
from relay.client.seen import SeenCharters, SeenFileUnusable
from relay.domain.logos import LOGO_MAX_BYTES, LogoRefused, read_logo
from relay.domain.profile_file import read_profile
from relay.domain.webhooks import is_allowed, read_receivers
from relay.errors import ConfigurationError
from relay.services.exports.folder import read_manifest
from relay.services.exports.layout import (
    LOG,
    MANIFEST,
    STATEMENTS,
    ExportAltered,
    ExportVersionUnknown,
    Manifest,
    NoExport,
    table_path,
)
from relay.services.exports.records import FolderRecords
from relay.settings import Settings, metrics_address, read_file
from relay.storage.exports import ROWS
from relay.tracing import variables
from tests.support.fuzz.mutation import (
    choose,
    mutate_after_line,
    mutate_bytes,
    mutate_json,
    mutate_lines,
)
from tests.support.fuzz.reading import attempt, folder, listed
from tests.support.fuzz.target import Target

CASE: Final = uuid.UUID(int=1)


def _text(given: bytes) -> str | None:
    return attempt(lambda: given.decode("utf-8"), UnicodeDecodeError)


def _profiles(given: bytes) -> str | None:
    text = _text(given)
    found = None if text is None else attempt(lambda: read_profile(text), ConfigurationError)
    if found is None:
        return None
    return msgspec.json.encode(found.profile).decode()


def _logos(given: bytes) -> str | None:
    found = attempt(lambda: read_logo(given), LogoRefused)
    if found is None:
        return None
    assert found.content == given
    assert found.width > 0 < found.height
    assert found.kind == "png" or b"<script" not in given.lower()
    return f"{found.kind} {found.width} {found.height}"


def _receivers(given: bytes) -> str | None:
    text = _text(given)
    found = None if text is None else attempt(lambda: read_receivers(text), ConfigurationError)
    if found is None:
        return None
    for receiver in found:
        assert receiver.url.lower().startswith(("http://", "https://"))
        is_allowed("127.0.0.1", receiver.allowed, secure=True)
    return listed(*(receiver.name for receiver in found))


def _settings(given: bytes) -> str | None:
    """A file of settings, and whatever it says as the environment of a process, traces as well."""
    path = folder() / "settings"
    path.write_bytes(given)
    named = attempt(lambda: read_file(path), ConfigurationError)
    if named is None:
        return None
    attempt(lambda: variables.read(named, "relay-web"), ConfigurationError)
    for value in named.values():
        attempt(partial(metrics_address, value), ConfigurationError)
    environment = {"RELAY_DATABASE_URL": "postgresql://localhost/relay", **named}
    found = attempt(
        lambda: Settings.from_environment(environment, database_alone=True), ConfigurationError
    )
    return listed(sorted(named), found is not None)


def _manifests(given: bytes) -> str | None:
    path = folder() / "manifest"
    path.mkdir(exist_ok=True)
    (path / MANIFEST).write_bytes(given)
    found = attempt(lambda: read_manifest(path), NoExport, ExportAltered, ExportVersionUnknown)
    if found is None:
        return None
    assert msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n" == given
    return str(found.case)


_MANIFEST: Final = msgspec.convert(
    {
        "format": "relay-export",
        "version": 1,
        "case": str(CASE),
        "relay": "https://relay.example",
        "made_at": "2030-01-01T12:00:00Z",
        "roots": [],
        "rows": 0,
        "head": "",
        "left_out": {},
        "files": [],
    },
    type=Manifest,
)


def _export_lines(given: bytes) -> str | None:
    """The name of a file of an export, and below it its lines; every other file is empty."""
    name, _, lines = given.partition(b"\n")
    path = folder() / "export"
    (path / "tables").mkdir(parents=True, exist_ok=True)
    for other in (LOG, STATEMENTS, *map(table_path, ROWS)):
        (path / other).write_bytes(lines if other.encode() == name else b"")
    records = attempt(lambda: FolderRecords(path, _MANIFEST), NoExport)
    if records is None:
        return None
    return attempt(lambda: asyncio.run(_everything(records)), NoExport)


async def _everything(records: FolderRecords) -> str:
    rows = sum([1 async for _ in records.list_log(CASE)])
    rows += sum(len(list(records.rows(table))) for table in ROWS)
    return listed(rows, len(records.statements), records.ends()[0])


def _credential_requests(given: bytes) -> str | None:
    path = folder() / "request"
    path.write_bytes(given)
    found = attempt(lambda: read_request(path), BadRequestFile)
    return None if found is None else found.role


def _seen(given: bytes) -> str | None:
    path = folder() / "seen"
    path.write_bytes(given)
    found = attempt(lambda: SeenCharters(path), SeenFileUnusable)
    return None if found is None else "read"


def _codings(given: bytes) -> str | None:
    """The name of a coding, and below it a body."""
    name, _, content = given.partition(b"\n")
    coding = name.decode("latin-1")
    if coding not in CODINGS:
        return None
    found = attempt(lambda: opened(content, coding, coding), CodingBroken)
    return None if found is None else str(len(found))


def _png(given: bytes, chance: random.Random) -> bytes:
    """The checksums of a PNG made right again, after a change in one of its parts."""
    changed = mutate_bytes(given, chance)
    if not changed.startswith(b"\x89PNG\r\n\x1a\n"):
        return changed
    out, at = [changed[:8]], 8
    while at + 12 <= len(changed):
        size = struct.unpack(">I", changed[at : at + 4])[0] % 4096
        part = changed[at + 4 : at + 8 + size]
        length = struct.pack(">I", max(0, len(part) - 4))
        out.append(length + part + struct.pack(">I", zlib.crc32(part)))
        at += 12 + size
    return b"".join(out)


_SVG_WORDS: Final = (
    *(b"url(#a)", b"url(", b"url('", b" " * 300, b"URL( #a )", b"//", b"javascript:", b"<script/>"),
    *(b"<g>", b"</g>", b"&#117;rl(", b"<!DOCTYPE a>", b"<?a?>", b"viewBox='0 0 1 1'", b"1e400"),
    *(
        b"viewBox='0 0 nan inf'",
        b"<image/>",
        b"style='fill:url(' ",
        b"xlink:href='#a'",
        b"href='x'",
    ),
    *(b"\"'>", b"(" * 200, b"<!-- -->", b"]]>", b"\\75rl(", b"fill='"),
)


def _svg(given: bytes, chance: random.Random) -> bytes:
    """A word of drawings or of what is none, and runs of what values are made of."""
    at = chance.randint(0, len(given))
    return given[:at] + chance.choice(_SVG_WORDS) + given[at + chance.randint(0, 5) :]


_TOML_VALUES: Final = (
    *(
        b"1",
        b"true",
        b"1.5",
        b"[]",
        b"{}",
        b'""',
        b"[" * 2000,
        b"1" * 5000,
        b"0x" + b"f" * 5000,
        b"nan",
    ),
    *(
        b"1979-05-27",
        b'"\\u0000"',
        b"'''\n'''",
        '"\u202e"'.encode(),
        b"{a=" * 1500,
        b"1" * 5000 + b".0",
    ),
    *(b"9999-12-31T23:59:60Z", b"1e400", b'"\\ud800"', b"a." * 2000 + b"b"),
)


def _toml(given: bytes, chance: random.Random) -> bytes:
    """A value of another kind, or as long or as deep as no file of people has one."""
    name, equals, value = given.partition(b"=")
    if not equals:
        made = (b"[a]", b"[[crisis_line]]", b"a=" + chance.choice(_TOML_VALUES), given + b"x")
        return chance.choice(made)
    return name + equals + chance.choice((*_TOML_VALUES, value + b"x", mutate_bytes(value, chance)))


_SETTINGS: Final = (
    *(f"RELAY_{name.upper()}".encode() for name in Settings.__dataclass_fields__),
    *(name.encode() for name in sorted(variables.READ)),
)
_VALUES: Final = (
    *(b"", b"0", b"-1", b"1" * 5000, b"\xd9\xa3", b"http://[", b"http://a:b", b"a=b,c", b"%zz=%"),
    *(b"1e400", b"nan", b"true", b"otlp", b"http://a:1"),
)


def _assignment(given: bytes, chance: random.Random) -> bytes:
    """Another setting, or another value."""
    name, _, value = given.partition(b"=")
    if chance.random() < 0.5:
        return chance.choice(_SETTINGS) + b"=" + chance.choice((value, *_VALUES))
    return name + b"=" + chance.choice((*_VALUES, mutate_bytes(value, chance)))


_TOML: Final = mutate_lines(_toml)

TARGETS: Final = (
    Target(
        name="profiles",
        reads=("relay.domain.profile_file.read_profile",),
        check=_profiles,
        mutate=_TOML,
        largest=32_768,
    ),
    Target(
        name="logos",
        reads=("relay.domain.logos.read_logo",),
        check=_logos,
        mutate=choose([_png, _svg, _svg, mutate_bytes]),
        largest=LOGO_MAX_BYTES,
    ),
    Target(
        name="receivers",
        reads=("relay.domain.webhooks.read_receivers",),
        check=_receivers,
        mutate=_TOML,
    ),
    Target(
        name="settings",
        reads=(
            "relay.settings.read_file",
            "relay.settings.Settings.from_environment",
            "relay.settings.metrics_address",
            "relay.tracing.variables.read",
        ),
        check=_settings,
        mutate=mutate_lines(_assignment),
        largest=16_384,
    ),
    Target(
        name="export-manifests",
        reads=("relay.services.exports.folder.read_manifest",),
        check=_manifests,
        mutate=mutate_json,
    ),
    Target(
        name="export-lines",
        reads=(
            "relay.services.exports.records.FolderRecords.rows",
            "relay.services.exports.lines.logged_act",
            "relay.services.exports.lines.typed",
        ),
        check=_export_lines,
        mutate=mutate_after_line(mutate_lines(mutate_json)),
    ),
    Target(
        name="credential-requests",
        reads=("relay.client.certifying.read_request",),
        check=_credential_requests,
        mutate=mutate_json,
    ),
    Target(
        name="seen-charters",
        reads=("relay.client.seen.SeenCharters.__init__",),
        check=_seen,
        mutate=mutate_json,
    ),
    Target(
        name="codings",
        reads=("relay.client.opening_codings.opened",),
        check=_codings,
        mutate=mutate_after_line(mutate_bytes),
    ),
)
