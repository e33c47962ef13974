"""What the demo leaves for a visitor: every way in works, and a case system's page embeds a console."""

from __future__ import annotations

import base64
import json
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from relay.client.participant import Participant
from relay.crypto.encoding import b64u_decode
from relay.crypto.keyrings import open_keyring
from relay.demo.case_system_page import case_system_page, invented_names
from relay.demo.visiting import prepare_visit
from relay.testing.people import organization
from relay.testing.relays import running_relay


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the unprivileged user of Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="relay-visit-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


async def test_a_visitor_can_come_in_as_everybody(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both links can be claimed, the keyring opens, twice over, and the page hands out only sealed keys."""
    (tmp_path / "integrity.json").write_text(json.dumps({"embed.js": "sha384-of-the-build"}))
    monkeypatch.setattr("relay.demo.case_system_page.BUILT", tmp_path)
    async with (
        case_system_page() as page,
        running_relay(data, worker=False, settings={"RELAY_EMBED_ORIGINS": page.origin}) as running,
        organization(running.url, running.root, running.token_key) as people,
    ):
        fingerprint = people.administrator.fingerprint
        await prepare_visit(people, data / "demo")
        visit = await prepare_visit(people, data / "demo")
        page.name(invented_names(visit.case_id, visit.harmed_id, visit.responsible_id))
        await page.embed(running.url, fingerprint, people.case_system, visit.mediator)
        assert b64u_decode(visit.console_url.partition("#")[2]) == fingerprint
        assert stat.S_IMODE(visit.keyring_file.stat().st_mode) == 0o600
        sealed = visit.keyring_file.read_bytes()
        keyring = open_keyring(sealed, visit.passphrase)
        for url in (visit.harmed_url, visit.responsible_url):
            person = await Participant.claim(people.connection, url, "another river")
            await person.consent("active")
        assert visit.upload_url.startswith(f"{running.url}/l/")
        async with aiohttp.ClientSession() as browser:
            async with browser.get(f"{running.url}/v1/embedding") as answer:
                assert await answer.json() == {"origins": [page.origin]}
            async with browser.get(f"{page.origin}/") as answer:
                shown = await answer.text()
            async with browser.get(f"{page.origin}/settings") as answer:
                settings = await answer.json()
    assert f'src="{running.url}/embed.js" integrity="sha384-of-the-build"' in shown
    assert base64.b64decode(settings["keyring"]) == sealed
    assert settings["relay"] == running.url
    named = {str(visit.harmed_id), str(visit.responsible_id)}
    assert set(settings["names"]["participants"]) == named
    assert set(settings["names"]["cases"]) == {str(visit.case_id)}
    assert keyring.signer.seed not in sealed
    assert visit.passphrase not in shown + json.dumps(settings)
