"""A connection that is asked to stop several times ends once, with the reason it was given first."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from relay.domain.uploads import TakenOver
from relay.errors import ServiceStopping
from relay.services.upload_connections import Idle, UploadConnection

STEPS = range(6)
"""More turns of the loop than there are between an end of the wait and the end of the connection."""


async def _never() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError("nothing ends this wait")


async def _take_from(connection: UploadConnection, idle_seconds: float) -> NoReturn:
    try:
        await connection.next(_never, idle_seconds)
    finally:
        connection.end()
    raise AssertionError("nothing was sent")


async def _stop_after(steps: int, connection: UploadConnection) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)
    await connection.stop(ServiceStopping if steps else TakenOver)


async def test_a_connection_may_be_stopped_at_every_moment_of_its_end() -> None:
    """By the one that takes over, by one that asks how far it is, and by a process that stops."""
    connection = UploadConnection()
    taking = asyncio.create_task(_take_from(connection, 60))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await asyncio.gather(*(_stop_after(steps, connection) for steps in STEPS))
        with pytest.raises(TakenOver):
            await taking


@pytest.mark.parametrize("steps", STEPS)
async def test_a_connection_may_be_stopped_while_it_ends_because_nothing_comes(steps: int) -> None:
    """Just before, meanwhile, and after."""
    connection = UploadConnection()
    taking = asyncio.create_task(_take_from(connection, 0))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await _stop_after(steps, connection)
        with pytest.raises((Idle, TakenOver, ServiceStopping)):
            await taking
