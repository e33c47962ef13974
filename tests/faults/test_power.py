"""The power is taken away right after relay acknowledged something: it is there when the disk comes back."""

from __future__ import annotations

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
    """Letters, and an upload of more than one segment."""
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
            upload = Upload(case.harmed.session, Retry())
            await upload.create(draft.message_id, 1, SIZE)
            await upload.send(io.BytesIO(body), SIZE)
            acknowledged = await upload.offset()
            letters = [await case.harmed.send_letter(to, "Words.") for _ in range(LETTERS)]
            weak_disk.take_power_away()
    assert (acknowledged, len(letters)) == (SIZE, LETTERS)
    weak_disk.start_again()

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
