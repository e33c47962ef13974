"""What is sent again because its answer was lost is there once; what a dead deliverer held comes again."""

from __future__ import annotations

import asyncio
import contextlib
import io
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web as aiohttp_web

from relay.client.connection import Connection, SignedConnection
from relay.client.sealing import seal_file
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.crypto.webhooks import new_shared_secret
from relay.domain.messages import AuthorMessage, Submission
from relay.embedded import Access, Services
from relay.services import uploads
from relay.services.notifications import tell_of_test
from relay.settings import DAY_SECONDS, Settings
from relay.storage.database import Database
from relay.testing.relays import start_process, stop_processes
from tests.support.faults.wires import Place, Wire
from tests.support.receivers import Webhook, receiving_host
from tests.support.service_users import database_as
from tests.support.uploads import Sending, body_of
from tests.support.web_process import WebProcess

CLAIM_SECONDS = 1 + 5
"""Of an attempt of this deliverer: its timeout, and the time to write down what came of it."""


@pytest.fixture
async def wire(web: WebProcess) -> AsyncIterator[Wire]:
    """A way to the web process on which answers are lost."""
    made = Wire(Place(port=urlsplit(web.url).port or 0))
    await made.start()
    made.loses_answers = True
    yield made
    await made.close()


@pytest.fixture
async def sender(wire: Wire, draft: Sending) -> AsyncIterator[SignedConnection]:
    """The sender of the draft on that way, signed in before."""
    connection = await Connection.open(f"http://127.0.0.1:{wire.port}")
    signed = SignedConnection(connection, draft.case.harmed.hand.signer, draft.settings.public_url)
    wire.loses_answers = False
    await signed.bearer()
    wire.loses_answers = True
    yield signed
    await connection.close()


async def count(draft: Sending, query: str, *arguments: object) -> int:
    """The one number that a query gives."""
    async with draft.unguarded.connection() as connection:
        found: int = await connection.fetchval(query, *arguments)
    return found


async def twice(
    wire: Wire, sender: SignedConnection, path: str, submission: Submission
) -> AuthorMessage:
    """Send it until its answer is lost, and the very same once more."""
    with contextlib.suppress(aiohttp.ClientError):
        await sender.call("PUT", path, body=submission, into=AuthorMessage)
        pytest.fail("its answer was not lost")
    wire.let_go()
    return await sender.call("PUT", path, body=submission, into=AuthorMessage)


async def once(draft: Sending, message_id: uuid.UUID, kind: str) -> None:
    """Assert that a message is there once: its row, its revision, its row in the log, its job."""
    for query in (
        "select count(*) from messages where message_id = $1",
        "select count(*) from revisions where message_id = $1",
    ):
        assert await count(draft, query, message_id) == 1, query
    logged = "select count(*) from events where message_id = $1 and kind = $2"
    assert await count(draft, logged, message_id, kind) == 1
    jobs = await count(draft, "select count(*) from jobs where message_id = $1", message_id)
    assert jobs == (kind == "submit-video")


async def test_a_letter_is_there_once(draft: Sending, wire: Wire, sender: SignedConnection) -> None:
    """The second answer is what the first would have been."""
    written = address(draft.case.responsible.participant_id)
    submission = draft.case.harmed.hand.letter(written, "Words.")
    answered = await twice(wire, sender, written.path, submission)
    assert (answered.message, answered.revision) == (written.message_id, 1)
    await once(draft, written.message_id, "submit-letter")


async def test_a_video_is_there_once(draft: Sending, wire: Wire, sender: SignedConnection) -> None:
    """Its bytes too, though the answer to each request of its upload was lost before."""
    content, file = body_of(300_000), io.BytesIO()
    sealed = seal_file(draft.case.case_id, "original", io.BytesIO(content), "video/mp4", file)
    upload = Upload(sender, Retry(attempts=3, first_pause_seconds=0.01))
    with pytest.raises(ConnectionError):
        await upload.create(draft.message_id, 1, sealed.part.size)
    wire.let_go()
    await upload.create(draft.message_id, 1, sealed.part.size)
    wire.loses_answers = True
    with pytest.raises(ConnectionError):
        await upload.send(file, sealed.part.size)
    wire.let_go()
    await upload.send(file, sealed.part.size)
    written = address(draft.case.responsible.participant_id, message_id=draft.message_id)
    wire.loses_answers = True
    await twice(wire, sender, written.path, draft.case.harmed.hand.video(written, sealed))

    await once(draft, draft.message_id, "submit-video")
    month = datetime.now(UTC) + timedelta(seconds=30 * DAY_SECONDS)
    await uploads.sweep_uploads(draft.unguarded, draft.objects, month)
    await uploads.sweep_orphans(draft.unguarded, draft.objects, month)
    assert len({key.rpartition("/")[0] for key in await draft.objects.keys("uploads")}) == 1
    assert await count(draft, "select count(*) from uploads where submitted_at is null") == 0


async def test_what_a_killed_deliverer_held_comes_again(
    settings: Settings, services: Services, tmp_path: Path
) -> None:
    """Under the same identifier, once the time is over for which it was claimed."""
    file, log = tmp_path / "webhooks.toml", tmp_path / "deliverer.log"
    database = await Database.connect(settings.database_url, connections=1)
    processes: dict[str, asyncio.subprocess.Process] = {}
    async with receiving_host() as host:
        file.write_text(
            f'[[receiver]]\nname = "case-system"\nurl = "{host.url}"\ntimeout_seconds = 1\n'
            f'secrets = ["{new_shared_secret()}"]\nnetworks = ["127.0.0.0/8"]\n'
        )
        of_deliverer = {
            "RELAY_DATABASE_URL": database_as(Access.DELIVERER, settings.database_url, services),
            "RELAY_WEBHOOKS_FILE": str(file),
        }

        async def hold(_webhook: Webhook) -> aiohttp_web.Response:
            return await host.hang()

        host.answer = hold
        try:
            processes["first"] = await start_process("deliver", of_deliverer, log)
            await host.until(lambda: "delivering to" in log.read_text())
            await tell_of_test(database)
            await host.until(lambda: bool(host.attempts))
            processes["first"].kill()
            await processes["first"].wait()
            host.answer = host.take
            processes["second"] = await start_process("deliver", of_deliverer, log)
            await host.until(lambda: bool(host.taken), CLAIM_SECONDS + 15)
        finally:
            await stop_processes(processes)
            await database.close()
    assert {webhook.id for webhook in host.attempts} == {host.taken[0].id}
    assert [webhook.body for webhook in host.attempts] == [host.taken[0].body] * len(host.attempts)
