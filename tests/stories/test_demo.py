"""The demo as a newcomer runs it, and the promise that nothing is ever kept in the clear."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.settings import Settings, database_url
from relay.storage.database import Database
from relay.storage.objects import Objects
from relay.testing import searching
from relay.testing.letters import LETTER
from relay.testing.relays import running_relay
from tests.support.foreign_host import FOLDER
from tests.support.processes import left_in_session

ROOT = Path(__file__).parents[2]
START = ROOT / "docs" / "start.md"


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the unprivileged user of Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="relay-story-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


async def test_the_search_finds_what_is_there(data: Path) -> None:
    """A search that could not find anything would prove nothing: planted words are found in every place."""
    async with running_relay(data, worker=False) as running:
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


async def test_the_demo_tells_its_story_keeps_nothing_in_the_clear_and_stays_up(data: Path) -> None:
    """`relay demo` plays to the end, says how to continue, and on Ctrl-C leaves with 0 and no process behind.

    While a letter and a video travel and after it, no database row, object, Redis file, log or other file
    holds them.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(ROOT / "tests/support/searched_demo.py", "demo", "--data", data),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT)},
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
    [search] = [json.loads(line) for line in told.splitlines() if line.startswith(b"{")]
    assert search["found"] == []
    assert search["searches"] > 1
    assert search["pieces"] > 2
    assert left_in_session(process.pid) == []


async def test_a_relay_beside_a_case_system_says_what_that_needs_to_know(data: Path) -> None:
    """`relay demo --case-system` prints every setting of the example in Node; it is for loopback alone."""

    async def run(origin: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay", "demo", "--once", "--data", data),
            *("--case-system", origin),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        async with asyncio.timeout(120):
            told, _ = await process.communicate()
        assert left_in_session(process.pid) == []
        return process.returncode, told.decode()

    code, told = await run("http://cases.example:3000")
    assert (code, "it is to be http://127.0.0.1:PORT" in told) == (1, True)
    assert not (data / "postgres").exists()
    code, told = await run("http://127.0.0.1:3000")
    assert code == 0
    given = dict(re.findall(r"^export (HOST_[A-Z_]+)=(.+)$", told, re.MULTILINE))
    asked = re.findall(r"setting\('(\w+)'\)", (FOLDER / "host.mjs").read_text("utf-8"))
    assert set(given) == set(asked)
    assert set(re.findall(r"^\| `(HOST_\w+)`", START.read_text("utf-8"), re.MULTILINE)) == set(
        given
    )
    assert given["HOST_URL"] == "http://127.0.0.1:3000"
    assert Path(given["HOST_SIGNING_KEY_FILE"]).is_file()
