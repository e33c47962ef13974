"""`make dev`: what is saved is served, a mistake is told and got over, and nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urldefrag

import aiohttp
import pytest

from relay.client.connection import Connection
from relay.client.participant import Participant
from tests.support.processes import left_in_session

ROOT: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 200
"""For one change; a build of the pages takes most of it where others build as well."""
ASKED_AGAIN_SECONDS: Final = 0.2

pytestmark = [
    pytest.mark.xdist_group("the pages are built once"),
    pytest.mark.timeout(900),
]


class Developing:
    """A running `python -m dev` on a checkout of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told = ""

    async def tells(self, pattern: str) -> str:
        """Read on until it has said this, and give what was found; what is behind it is read next time."""
        assert self.process.stdout is not None
        while (found := re.search(pattern, self.told, re.DOTALL)) is None:
            line = b""
            with contextlib.suppress(TimeoutError):
                reading = self.process.stdout.readline()
                line = await asyncio.wait_for(reading, PATIENCE_SECONDS)
            assert line, f"{pattern!r} was not told, but: {self.told}"
            self.told += line.decode()
        self.told = self.told[found.end() :]
        return found[1] if found.re.groups else found[0]

    async def end(self) -> None:
        """Ctrl-C; it leaves with 0 and no process behind."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            rest, _ = await self.process.communicate()
        assert self.process.returncode == 0, rest.decode()
        assert left_in_session(self.process.pid) == []


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the unprivileged user of Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="relay-dev-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def checkout(folder: Path) -> Path:
    """A copy of what is developed, to save changes in."""
    copy = folder / "checkout"
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "tests", "bench")
    for name in (".ci", "deploy", "dev", "relay", "workers", "web"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    (copy / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "openapi.yaml", copy / "docs")
    (copy / "web" / "node_modules").symlink_to(ROOT / "web" / "node_modules")
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


async def start(checkout: Path) -> asyncio.subprocess.Process:
    """It, on data beside the checkout."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dev", "--data", checkout.with_name("data")),
        cwd=checkout,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"},
        start_new_session=True,
    )


@pytest.fixture
async def developing(checkout: Path) -> AsyncIterator[Developing]:
    """It, ended with Ctrl-C however the test goes."""
    running = Developing(await start(checkout))
    try:
        yield running
    finally:
        await running.end()


def save(file: Path, old: str, new: str) -> None:
    """Replace this in a file, as an editor would."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


async def until_served(url: str, wanted: str) -> None:
    """Ask until the answer has this in it."""
    async with aiohttp.ClientSession() as browser, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with browser.get(url) as answer:
                    if wanted in await answer.text():
                        return
            await asyncio.sleep(ASKED_AGAIN_SECONDS)


async def test_what_is_saved_is_served_on_the_same_data(
    checkout: Path, developing: Developing
) -> None:
    """A change of relay, a mistake, its mending, one of the pages, of the example; and links still open."""
    host = await developing.tells(r"its pages\s+(http\S+)/")
    harmed = await developing.tells(r"the person harmed\s+(http\S+)")
    waiting = await developing.tells(r"the person responsible; passphrase: [^\n]+\s+(http\S+)")
    url = await developing.tells(r"relay answers at (http\S+);")
    await developing.tells("Ctrl-C ends it")
    health = checkout / "relay" / "handlers" / "health.py"
    await until_served(f"{url}/livez", "ok")

    save(health, 'text="ok\\n"', 'text="changed\\n"')
    await until_served(f"{url}/livez", "changed")
    await developing.tells(r"relay/handlers/health.py changed.+serving again")

    save(health, 'text="changed\\n"', 'text="mended\\n"')
    save(health, "from aiohttp import", "form aiohttp import")
    await developing.tells(r"did not start.+SyntaxError.+web has ended")
    save(health, "form aiohttp import", "from aiohttp import")
    await until_served(f"{url}/livez", "mended")
    await developing.tells("serving again")

    save(
        checkout / "workers" / "process.py", "import asyncio\n", "import asyncio\nimport nowhere\n"
    )
    await developing.tells("worker has ended")
    save(checkout / "workers" / "process.py", "import nowhere\n", "")
    await developing.tells("serving again")

    page = checkout / "web" / "participant.html"
    save(page, "<title>", "<title>Changed: ")
    await until_served(urldefrag(harmed).url, "<title>Changed: ")
    await developing.tells("web/participant.html changed.+serving again")

    words = checkout / "deploy" / "example-host" / "example_host" / "texts.toml"
    save(words, 'en = "Case office"', 'en = "Changed office"')
    await until_served(f"{host}/login", "Changed office")
    await developing.tells("texts.toml changed.+serving again")

    connection = await Connection.open(url)
    person = await Participant.claim(connection, harmed, "another river")
    await person.consent("active")
    other = await Participant.unlock(connection, waiting, "a river under the old bridge")
    assert other.participant_id != person.participant_id
    await connection.close()


async def test_pages_that_cannot_be_built_are_told_and_the_ones_before_are_served(
    checkout: Path, developing: Developing
) -> None:
    """What is said names the file. Ctrl-C while the next build runs ends that, too."""
    harmed = await developing.tells(r"the person harmed\s+(http\S+)")
    await developing.tells("Ctrl-C ends it")
    source = checkout / "web" / "src" / "participant" / "main.ts"
    whole = source.read_text("utf-8")
    source.write_text(f"{whole}\nconst = 1;\n", "utf-8")
    await developing.tells(r"still served.+participant/main\.ts")
    await until_served(urldefrag(harmed).url, "<title>")
    source.write_text(f"{whole}\n", "utf-8")
    await developing.tells("web/src/participant/main.ts changed")


async def test_a_second_one_on_the_same_data_says_so(
    checkout: Path, developing: Developing
) -> None:
    """In one sentence, and ends; the first continues."""
    await developing.tells("Ctrl-C ends it")
    second = await start(checkout)
    said, _ = await asyncio.wait_for(second.communicate(), PATIENCE_SECONDS)
    assert second.returncode == 1
    assert b"already running on this data folder" in said
    assert b"Traceback" not in said
    assert left_in_session(second.pid) == []
