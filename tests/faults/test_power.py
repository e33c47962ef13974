"""The power is taken away right after relay acknowledged something: it is there when the disk comes back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.domain.messages import AuthorMessage
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import object_prefix
from relay.settings import Settings, database_url
from relay.storage.objects import Objects
from relay.testing.people import open_case, organization
from relay.testing.relays import running_relay
from tests.support.power import Disk, disk
from tests.support.uploads import body_of, upload_of

SIZE: Final = SEGMENT_BYTES + 100_000
LETTERS: Final = 3
SOON_SECONDS: Final = 20
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a disk")


@pytest.fixture
def weak_disk() -> Iterator[Disk]:
    """A disk whose power can be taken away."""
    with tempfile.TemporaryDirectory(prefix="relay-power-") as folder:
        Path(folder).chmod(0o711)
        with disk(Path(folder)) as found:
            yield found


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_survives_a_loss_of_power(
    weak_disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letters, a whole segment of an upload, and the piece behind it that a broken connection left."""
    monkeypatch.delenv("RELAY_S3_SYNC_FOLDER")
    body = body_of(SIZE)
    data = weak_disk.folder / "data"
    acknowledged, letters = 0, list[AuthorMessage]()
    with contextlib.suppress(Exception):  # its servers end badly, with their disk
        async with (
            running_relay(data, worker=False) as running,
            organization(running.url, running.root, running.token_key) as people,
        ):
            case = await open_case(people)
            to = case.responsible.participant_id
            draft = address(to)
            await case.harmed.begin_video(draft)
            upload = Upload(case.harmed.session, Retry(attempts=1))
            await upload.create(draft.message_id, 1, SIZE + 1)
            with pytest.raises(ConnectionError):  # the last byte never comes
                await upload.send(io.BytesIO(body), SIZE + 1)
            async with asyncio.timeout(SOON_SECONDS):
                while (acknowledged := await upload.offset()) < SIZE:  # noqa: ASYNC110 - relay stores it
                    await asyncio.sleep(0.05)
            letters = [await case.harmed.send_letter(to, "Words.") for _ in range(LETTERS)]
            weak_disk.take_power_away()
    assert (acknowledged, len(letters)) == (SIZE, LETTERS)
    await _until_closed(weak_disk)

    async with running_relay(data, worker=False) as running:
        connection = await asyncpg.connect(database_url(running.owner))
        messages = await connection.fetch("select message_id from messages")
        offset = await connection.fetchval(
            "select offset_bytes from uploads where upload_id = $1", upload_of(upload.path)
        )
        await connection.close()
        objects = await Objects.connect(Settings.from_environment(running.environment))
        prefix = object_prefix(upload_of(upload.path))
        keys = sorted(await objects.keys(prefix))
        stored = b"".join([await objects.get(key) for key in keys])
        await objects.close()
    assert {row["message_id"] for row in messages} >= {letter.message for letter in letters}
    assert offset == SIZE
    assert stored == body


async def _until_closed(weak_disk: Disk) -> None:
    """Wait until every process has let go of the disk, and start it again."""
    async with asyncio.timeout(60):
        while True:
            try:
                weak_disk.start_again()
            except Exception:  # noqa: BLE001 - it is busy
                await asyncio.sleep(0.2)
            else:
                return
