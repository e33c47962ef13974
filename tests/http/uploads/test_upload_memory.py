"""What uploads hold in memory: little, however many send and however slowly; nobody is refused for it."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from typing import Final

import pytest

from relay.domain.segments import SEGMENT_BYTES
from relay.settings import KIB, MIB, Settings
from tests.support.uploads import Sending, body_of, pieces_of

pytestmark = pytest.mark.own_relay

MOST_BYTES: Final = MIB
PARTS: Final = 40


@pytest.fixture
def relay_settings(relay_settings: Settings) -> Settings:
    """Hardly any memory."""
    return dataclasses.replace(relay_settings, upload_memory_bytes=MOST_BYTES)


async def test_what_is_too_much_to_hold_is_stored_and_the_rest_goes_on(
    draft: Sending, chance: random.Random
) -> None:
    """One connection all the time: what was sent counts long before its segment is whole."""
    body = body_of(SEGMENT_BYTES + 3 * MIB)
    path = await draft.create(len(body))
    wire = await draft.begin_patch(path, 0, len(body), b"")
    cuts = [*sorted(chance.sample(range(1, len(body)), PARTS)), len(body)]
    sent = 0
    for cut in cuts:
        await wire.write(body[sent:cut])
        sent = cut
        if 3 * MOST_BYTES < sent < SEGMENT_BYTES:
            await wire.until_taken()
            await _until_at_least(draft, path, sent - 2 * MOST_BYTES)
            async with draft.database.connection() as connection:
                assert len(await pieces_of(connection, path)) <= 24
    assert await wire.status() == 204
    await draft.assert_whole(path, body)


async def test_small_tails_of_many_are_not_stored_each_by_itself(draft: Sending) -> None:
    """Beside somebody who holds all there is, a few bytes wait for more of them."""
    body = body_of(64 * KIB - 1)
    path = await draft.create(2 * len(body))
    held = await draft.create(SEGMENT_BYTES)
    holding = await draft.begin_patch(held, 0, SEGMENT_BYTES, body_of(MOST_BYTES))
    wire = await draft.begin_patch(path, 0, 2 * len(body), body)
    await asyncio.sleep(0.5)
    async with draft.database.connection() as connection:
        assert await pieces_of(connection, path) == []
    await wire.write(body)
    assert await wire.status() == 204
    await draft.assert_whole(path, body + body)
    holding.cut()


async def _until_at_least(draft: Sending, path: str, offset: int) -> None:
    query = "select offset_bytes >= $2 from uploads where upload_id = $1"
    upload = path.rpartition("/")[2]
    async with asyncio.timeout(30):
        while not await draft.one(query, upload, offset):  # noqa: ASYNC110 - a database
            await asyncio.sleep(0.01)
