"""The demo as a newcomer runs it, and the promise that nothing is ever kept in the clear."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.demo import phone, searching
from relay.demo.cast import PASSPHRASE
from relay.demo.stage import stage
from relay.demo.story import FIRST_LETTER, GUIDANCE, LETTER, NOTE, tell
from relay.settings import Settings, database_url
from relay.storage.database import Database
from relay.storage.objects import Objects

TEXTS = (FIRST_LETTER, LETTER, GUIDANCE, NOTE, phone.PLACE, PASSPHRASE)


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the unprivileged user of Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="relay-story-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


async def test_nothing_is_kept_in_the_clear_during_or_after_the_whole_story(
    data: Path, tmp_path: Path
) -> None:
    """While a letter and a video travel, no database row, object, Redis file, log or other file holds them.

    The search runs again and again beside the story, the transcode included, and once more after it.
    """
    workplace = tmp_path / "people"
    workplace.mkdir()
    async with stage(data) as running:
        settings = dataclasses.replace(
            Settings.from_environment(running.environment), database_url=database_url(running.owner)
        )
        needles = [needle for text in TEXTS for needle in searching.needles_of_text(text)]
        found: list[str] = []
        searches = 0
        ended = asyncio.Event()

        async def search_on() -> None:
            nonlocal searches
            while not ended.is_set():
                video = workplace / "phone.mov"
                seen = searching.needles_of_file(video) if video.exists() else []
                search = await searching.search_everything(settings, [data], [*needles, *seen])
                found.extend(search.found)
                searches += 1
                await asyncio.sleep(0.5)  # the story has to get on

        searching_on = asyncio.create_task(search_on())
        try:
            await tell(running, lambda _line: None, workplace)
        finally:
            ended.set()
            await searching_on
        received = searching.needles_of_file(workplace / "received.mp4")
        original = searching.needles_of_file(workplace / "phone.mov")
        last = await searching.search_everything(settings, [data], [*needles, *received, *original])
    assert searches > 1
    assert found == []
    assert last.found == ()
    assert len(received) > 1
    assert len(original) > 1


async def test_the_search_finds_what_is_there(data: Path) -> None:
    """A search that could not find anything would prove nothing: planted words are found in every place."""
    async with stage(data, worker=False) as running:
        settings = dataclasses.replace(
            Settings.from_environment(running.environment), database_url=database_url(running.owner)
        )
        needles = searching.needles_of_text(LETTER)
        (data / "left.log").write_text(f"debug: {LETTER}")
        objects = await Objects.connect(settings)
        await objects.put("planted/000000", LETTER.encode())
        await objects.close()
        database = await Database.connect(settings.database_url, connections=1)
        async with database.connection() as connection:
            await connection.execute(
                "insert into orphans (object_prefix) values ($1)", LETTER.encode().hex()
            )
        await database.close()
        search = await searching.search_everything(settings, [data], needles)
    assert {"file left.log", "object planted/000000", "table orphans"} <= set(search.found)


async def test_the_demo_tells_its_story_and_stays_up_until_it_is_stopped(data: Path) -> None:
    """`relay demo` plays to the end, says how to go on, and on Ctrl-C leaves with 0 and no process behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "relay", "demo", "--data", str(data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"},
        start_new_session=True,
    )
    assert process.stdout is not None
    told = b""
    try:
        async with asyncio.timeout(240):
            while b"Ctrl-C ends it" not in told:
                line = await process.stdout.readline()
                assert line, told.decode()
                told += line
    finally:
        process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        rest = await process.stdout.read()
        assert await process.wait() == 0, rest.decode()
    assert "no place, no device" in told.decode()
    assert "nothing found" in told.decode()
    assert _left_in_session(process.pid) == []


def _left_in_session(session: int) -> list[str]:
    left = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                left.append((folder / "cmdline").read_text())
    return left
