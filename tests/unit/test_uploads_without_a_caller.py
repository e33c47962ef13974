"""What is written to an upload goes on without its caller, and its end is looked at by somebody."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging

import pytest

from relay.errors import RelayError
from relay.services.upload_connections import UploadConnections
from relay.storage.objects import StoreUnavailable


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (StoreUnavailable("of a test"), logging.WARNING, StoreUnavailable.code),
        (KeyError("of a test"), logging.ERROR, "KeyError"),
    ],
)
async def test_the_error_of_an_upload_without_a_caller_is_said_once(
    error: Exception, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By relay, in a line without its text; not by asyncio, with a traceback."""
    goes_on = asyncio.Event()

    async def write() -> None:
        await goes_on.wait()
        raise error

    connections = UploadConnections()
    caller = asyncio.create_task(connections.outlive(write()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    goes_on.set()
    async with asyncio.timeout(5):
        while not caplog.records:  # noqa: ASYNC110 - another task writes
            await asyncio.sleep(0.01)
    await connections.stop_all()
    gc.collect()
    records = [(record.name, record.levelno) for record in caplog.records]
    assert records == [("relay.services.upload_connections", level)]
    assert said in caplog.text
    assert "of a test" not in caplog.text


async def test_whoever_waits_is_told_of_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """And nobody else is."""

    async def write() -> None:
        raise StoreUnavailable

    with pytest.raises(RelayError):
        await UploadConnections().outlive(write())
    gc.collect()
    assert not caplog.records
