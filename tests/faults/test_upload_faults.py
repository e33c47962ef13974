"""Uploads against a web process that is killed, and a store that goes away, at any moment."""

from __future__ import annotations

import asyncio
import io
import random
import time

import pytest

from relay.client.uploading import Retry, Upload, upload_body
from relay.domain.segments import SEGMENT_BYTES
from tests.support.gates import Gate
from tests.support.uploads import Sending, body_of, signed
from tests.support.web_process import WebProcess

KILLS = 8
PATIENT = Retry(attempts=1000, first_pause_seconds=0.05, longest_pause_seconds=0.2)


async def test_a_web_process_killed_at_any_moment_loses_nothing_it_acknowledged(
    web: WebProcess, draft: Sending, chance: random.Random
) -> None:
    """Killed again and again, it never stands further back than it said, and the body comes whole."""
    body = body_of(6 * SEGMENT_BYTES + 12_345)
    upload = Upload(signed(draft.case.harmed), PATIENT)
    await upload.create(draft.message_id, 1, len(body))
    slow = Slowly(body)
    sent = asyncio.create_task(upload.send(slow, len(body)))
    acknowledged = kills = 0

    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if sent.done():
            break
        await web.kill()
        kills += 1
        kept = await draft.one("select offset_bytes from uploads")
        assert isinstance(kept, int)
        assert kept >= acknowledged
        await web.start()
        acknowledged = max(acknowledged, (await draft.head(upload.path)).offset)
        assert acknowledged >= kept

    async with asyncio.timeout(120):
        await sent
    assert kills >= 2
    await draft.assert_whole(upload.path, body)


async def test_a_store_that_goes_away_breaks_nothing(web: WebProcess, draft: Sending) -> None:
    """While the store is away nothing counts; once it is back the same upload continues."""
    body = body_of(2 * SEGMENT_BYTES + 5)
    gate = Gate(draft.settings.s3_endpoint)
    await gate.open()
    await web.kill()
    web.environment["RELAY_S3_ENDPOINT"] = gate.url
    await web.start()
    path = await draft.create(len(body))
    await draft.patch(path, 0, body[: SEGMENT_BYTES + 1])

    await gate.close()
    refused = await draft.patch(path, SEGMENT_BYTES + 1, body[SEGMENT_BYTES + 1 :])
    assert (refused.status, refused.code) == (503, "store-unavailable")
    assert (await draft.head(path)).offset == SEGMENT_BYTES + 1
    await gate.open()
    rest = await draft.patch(path, SEGMENT_BYTES + 1, body[SEGMENT_BYTES + 1 :])
    await gate.close()

    assert (rest.status, rest.offset) == (204, len(body))
    await draft.assert_whole(path, body)


async def test_a_client_gives_up_after_its_attempts(web: WebProcess, draft: Sending) -> None:
    """A relay that stays away is a ConnectionError in the time that the attempts take."""
    few = Retry(attempts=3, first_pause_seconds=0.01, longest_pause_seconds=0.02)
    await web.kill()
    started = time.monotonic()

    with pytest.raises(ConnectionError):
        await upload_body(
            signed(draft.case.harmed), draft.message_id, 1, io.BytesIO(bytes(100)), 100, retry=few
        )

    assert time.monotonic() - started < 5


class Slowly(io.BytesIO):
    """A body that is read no faster than 40 MiB a second, so that there are moments to kill in."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Take the next bytes."""
        data = super().read(size)
        time.sleep(len(data) / 40_000_000)
        return data
