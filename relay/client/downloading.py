"""Fetches a sealed part, verifies it and opens it into a file, going on where a connection broke."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import hdrs

from relay.client.connection import SignedConnection, problem
from relay.client.sealing import FileOpener
from relay.crypto.age import FileKey
from relay.crypto.fields import Part

ATTEMPTS: Final = 5
"""Connections in a row that may bring nothing."""
PAUSE_SECONDS: Final = 0.5
READ_BYTES: Final = 256 * 1024


async def download(signed: SignedConnection, part: Part, file_key: FileKey, target: Path) -> None:
    """Write what the part holds to `target`, which appears only when all of it has verified."""
    received = 0
    failures = 0
    with FileOpener(part, file_key, target) as opener:
        while received < part.size:
            before = received
            try:
                async with await _get(signed, part, received) as response:
                    async for piece in response.content.iter_chunked(READ_BYTES):
                        opener.write(piece)
                        received += len(piece)
            except (aiohttp.ClientError, TimeoutError):
                failures = 0 if received > before else failures + 1
                if failures >= ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * failures)
        opener.finish()


async def _get(signed: SignedConnection, part: Part, start: int) -> aiohttp.ClientResponse:
    response = await signed.connection.http.get(
        f"{signed.connection.url}/v1/parts/{part.commit}",
        headers={
            hdrs.AUTHORIZATION: f"Bearer {await signed.bearer()}",
            hdrs.RANGE: f"bytes={start}-",
        },
        allow_redirects=False,
    )
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        content = await response.read()
        response.release()
        raise problem(response.status, content)
    return response
