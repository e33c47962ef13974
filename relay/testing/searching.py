"""Searches all that relay stores for words that must not be there: database, bucket, Redis, logs, files."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from relay.crypto import age
from relay.crypto.errors import OpaqueError
from relay.settings import Settings
from relay.storage.objects import Objects

SAMPLE_BYTES: Final = 48
SAMPLES: Final = 8
READ_BYTES: Final = 8 * 1024 * 1024
OVERLAP_BYTES: Final = 4096


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How much was searched, and where something was found."""

    searched_bytes: int
    places: int
    found: tuple[str, ...]


def needles_of_text(text: str) -> list[bytes]:
    """A text in every spelling in which a careless program might store it."""
    raw = text.encode()
    # Base64 of the middle: two shifts of three, without the ends that depend on what is beside.
    shifted = [base64.b64encode(raw[start:])[4:-4] for start in range(3)]
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), text.encode("utf-16-le"), *shifted]


def needles_of_file(path: Path) -> list[bytes]:
    """Samples of a file that are long and varied enough to be found in no other."""
    content = path.read_bytes()
    step = max(1, len(content) // (SAMPLES + 1))
    samples = [content[at : at + SAMPLE_BYTES] for at in range(step, len(content), step)]
    varied = [sample for sample in samples if len(set(sample)) > SAMPLE_BYTES // 2]
    return [spelling for sample in varied for spelling in (sample, sample.hex().encode())]


def search_bytes(pieces: Iterable[bytes], needles: Sequence[bytes]) -> tuple[int, bool]:
    """How many bytes there were, and whether any needle was among them, across pieces too."""
    size = 0
    tail = b""
    for piece in pieces:
        size += len(piece)
        window = tail + piece
        if any(needle in window for needle in needles):
            return size, True
        tail = window[-OVERLAP_BYTES:]
    return size, False


async def search_everything(
    settings: Settings, folders: Sequence[Path], needles: Sequence[bytes]
) -> Search:
    """Search every table, every object and every file below `folders`."""
    searched = places = 0
    found = []
    async for place, pieces in _everything(settings, folders):
        size, hit = search_bytes(pieces, needles)
        searched += size
        places += 1
        if hit:
            found.append(place)
    return Search(searched_bytes=searched, places=places, found=tuple(found))


async def _everything(
    settings: Settings, folders: Sequence[Path]
) -> AsyncIterator[tuple[str, Iterable[bytes]]]:
    for table, dump in (await dump_tables(settings.database_url)).items():
        yield f"table {table}", [dump]
    objects = await Objects.connect(settings)
    try:
        for key in await objects.keys(""):
            yield f"object {key}", [await objects.get(key)]
    finally:
        await objects.close()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"file {path.relative_to(folder)}", _pieces(path)


def _pieces(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece


async def dump_tables(database_url: str) -> Mapping[str, bytes]:
    """Every row of every table, in Postgres's own binary form: bytes lie there as they are."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        )
        dumps = {}
        for row in tables:
            collected = bytearray()

            async def collect(piece: bytes, into: bytearray = collected) -> None:
                into.extend(piece)

            await connection.copy_from_table(row["tablename"], output=collect, format="binary")
            dumps[row["tablename"]] = bytes(collected)
        return dumps
    finally:
        await connection.close()


async def grants_that_open(database_url: str, identity: age.Identity) -> tuple[int, int]:
    """Of all headers in the database, how many there are and how many this identity opens."""
    connection = await asyncpg.connect(database_url)
    try:
        headers = [row["header"] for row in await connection.fetch("select header from grants")]
    finally:
        await connection.close()
    opened = 0
    for header in headers:
        try:
            age.unwrap_header(header, [identity])
        except OpaqueError:
            continue
        opened += 1
    return len(headers), opened
