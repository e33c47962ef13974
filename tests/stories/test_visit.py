"""What the demo leaves for a visitor: every way in works, and a case system that knows the same case."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from rich.console import Console

from relay.client.participant import Participant
from relay.commands.demo import prepare, start, where_to_click
from relay.crypto.encoding import b64u_decode
from relay.crypto.keyrings import open_keyring
from relay.demo.visiting import kept_mediators, prepare_visit
from relay.testing.people import organization
from relay.testing.relays import running_relay

_TAKEN = """
select exists (select from event where case_id = $1 and type = 'case.opened')
   and (select view is not null from case_file where case_id = $1)
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the unprivileged user of Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="relay-visit-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


async def test_a_visitor_can_come_in_as_everybody(data: Path, tmp_path: Path) -> None:
    """Both links can be claimed and the keyring opens; the mediators are the same the next time."""
    async with (
        running_relay(data, worker=False) as running,
        organization(running.url, running.root, running.token_key) as people,
    ):
        fingerprint = people.administrator.fingerprint
        mediators = await kept_mediators(people, data / "demo")
        await prepare_visit(people, mediators)
        again = await kept_mediators(people, data / "demo")
        visit = await prepare_visit(people, again)
        assert [one.mediator.credential_id for one in again] == [
            one.mediator.credential_id for one in mediators
        ]
        assert b64u_decode(visit.console_url.partition("#")[2]) == fingerprint
        assert stat.S_IMODE(visit.keyring_file.stat().st_mode) == 0o600
        sealed = visit.keyring_file.read_bytes()
        assert open_keyring(sealed, visit.passphrase).signer.seed not in sealed
        for url in (visit.harmed_url, visit.responsible_url):
            person = await Participant.claim(people.connection, url, "another river")
            await person.consent("active")
        assert visit.upload_url.startswith(f"{running.url}/l/")


async def test_the_case_system_of_the_demo_has_the_case_of_the_visit(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may embed the console and nobody else may, events come to it, and both know the same people."""
    (tmp_path / "integrity.json").write_text(json.dumps({"embed.js": "sha384-of-the-build"}))
    for module in ("relay.demo.example_host", "relay.commands.demo"):
        monkeypatch.setattr(f"{module}.BUILT", tmp_path)
    async with contextlib.AsyncExitStack() as context:
        started = await start(context, data, 0)
        assert started.host is not None
        visit = await prepare(started)
        assert visit is not None
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(f"{started.running.url}/v1/embedding") as answer,
        ):
            assert await answer.json() == {"origins": [started.host.url]}
        database = await asyncpg.connect(started.host.environment["CASES_DATABASE_URL"])
        try:
            async with asyncio.timeout(30):
                while not await database.fetchval(_TAKEN, visit.case_id):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            found = await database.fetch(
                "select person from person where case_id = $1", visit.case_id
            )
        finally:
            await database.close()
        assert {row["person"] for row in found} == {visit.harmed_id, visit.responsible_id}
        assert started.host.url in started.running.environment["RELAY_EMBED_ORIGINS"]
        await started.host.start_again()


async def test_a_relay_without_the_folder_says_so(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed relay has no example beside it: the visit is there, and what is missing is told."""
    (tmp_path / "integrity.json").write_text("{}")
    monkeypatch.setattr("relay.commands.demo.BUILT", tmp_path)
    monkeypatch.setattr("relay.demo.example_host.FOLDER", tmp_path)
    printed = io.StringIO()
    async with contextlib.AsyncExitStack() as context:
        started = await start(context, data, 0)
        visit = await prepare(started)
        assert visit is not None
        where_to_click(Console(file=printed, width=200), visit, started)
    assert "installed without deploy/example-host" in printed.getvalue()
    assert visit.harmed_url in printed.getvalue()
