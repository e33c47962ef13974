"""A browser's own profile on disk: what the next person at the same computer can read in it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import BrowserContext, Playwright

from tests.support.browser.visitors import ARGUMENTS, CHROMIUM, HEADLESS, Language

_SQLITE: Final = b"SQLite format 3\x00"
_MOZILLA_LZ4: Final = b"mozLz40\x00"
_ANSWERS_FOR_THE_PERSON: Final = "--use-fake-ui-for-media-stream"
_HAS_A_CAMERA: Final = "--use-fake-device-for-media-stream"


@contextlib.asynccontextmanager
async def chromium_with(
    playwright: Playwright,
    profile: Path,
    proxy: str,
    *,
    sees: Path | None = None,
    camera: bool = True,
    allowed: bool = True,
    whole: bool = True,
    language: Language = "en",
) -> AsyncIterator[BrowserContext]:
    """Chromium with a profile that stays on disk; it is written whole when the block ends.

    `sees`: the film (MJPEG) that its camera takes; `camera`: whether it has one; `allowed`: whether the
    person says yes when they are asked for it; `whole`: with windows, and all that it writes down of them.
    """
    without = {_HAS_A_CAMERA} if not camera else set()
    without |= {_ANSWERS_FOR_THE_PERSON} if not allowed else set()
    arguments = [argument for argument in ARGUMENTS if argument not in without]
    if sees is not None:
        arguments.append(f"--use-file-for-fake-video-capture={sees}")
    context = await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM if whole else HEADLESS,
        args=arguments,
        proxy={"server": proxy, "bypass": "<-loopback>"},
        locale="fr-CA" if language == "fr" else "en-CA",
        permissions=["camera"] if allowed else [],
    )
    try:
        yield context
    finally:
        await context.close()


def visited(profile: Path) -> list[str]:
    """The addresses in the browser's own history, Chromium's or Firefox's."""
    for name, table in (("Default/History", "urls"), ("places.sqlite", "moz_places")):
        if (path := profile / name).exists():
            with contextlib.closing(sqlite3.connect(path)) as database:
                return [url for (url,) in database.execute(f"SELECT url FROM {table}")]  # noqa: S608
    raise AssertionError(f"no history in {profile}")


def found_on_disk(profile: Path, needles: Sequence[bytes]) -> list[str]:
    """The files of a profile in which a needle is, in UTF-8 or UTF-16, in a table or between."""
    spelled = {
        form
        for needle in needles
        for form in (needle, needle.decode("latin-1").encode("utf-16-le"))
    }
    found = set()
    for path in sorted(profile.rglob("*")):
        if path.is_file() and not path.is_symlink():
            contents = list(_contents(path))
            found |= {
                f"{needle!r} in {path.relative_to(profile)}"
                for needle in spelled
                if any(needle in content for content in contents)
            }
    return sorted(found)


def _contents(path: Path) -> Iterator[bytes]:
    """A file as it lies there, and what is in it: rows of a database, what was compressed."""
    raw = path.read_bytes()
    yield raw
    if raw.startswith(_MOZILLA_LZ4):
        yield _lz4(raw[len(_MOZILLA_LZ4) + 4 :])
    if raw.startswith(_SQLITE):
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.text_factory = bytes
            named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in named.fetchall():
                with contextlib.suppress(sqlite3.Error):  # tables of modules that Python lacks
                    for row in database.execute(f'SELECT * FROM "{table.decode()}"'):  # noqa: S608
                        yield b"\x00".join(_cell(cell) for cell in row)


def _cell(cell: object) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode()


def _lz4(block: bytes) -> bytes:
    """One LZ4 block, as Firefox keeps its session in."""
    out = bytearray()
    at = 0

    def length(nibble: int) -> int:
        nonlocal at
        size = nibble
        while nibble == 15:
            more = block[at]
            at += 1
            size += more
            if more != 255:
                break
        return size

    while at < len(block):
        token = block[at]
        at += 1
        literals = length(token >> 4)
        out += block[at : at + literals]
        at += literals
        if at >= len(block):
            break
        back = int.from_bytes(block[at : at + 2], "little")
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-back])
    return bytes(out)
