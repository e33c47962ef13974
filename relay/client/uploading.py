"""Sends a sealed body by tus: continues after any break, from the offset that the relay names."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import BinaryIO, Final, TypeAlias

import aiohttp
from aiohttp import hdrs

from relay.client.connection import Problem, SignedConnection, problem
from relay.domain.uploads import TUS_VERSION, OffsetMismatch, TakenOver, write_metadata

READ_BYTES: Final = 1024 * 1024

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many bytes were sent, of how many."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How long a broken connection is tried again before the upload is given up."""

    attempts: int = 12
    """In a row, none of which got a byte further."""
    first_pause_seconds: float = 0.2
    """Doubles with each further attempt."""
    longest_pause_seconds: float = 15
    stall_seconds: float = 60
    """A connection that takes nothing for this long is taken for dead."""

    def pause_seconds(self, failures: int) -> float:
        """How long to wait after this many failures in a row."""
        return min(self.first_pause_seconds * 2.0 ** (failures - 1), self.longest_pause_seconds)


class _Broken(Exception):
    """A connection broke, or the relay is away for now."""


_TRY_AGAIN: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)
"""A session that ended is opened again."""
_ASK_AGAIN: Final = frozenset({OffsetMismatch.code, TakenOver.code})
"""After these the relay is asked how far the upload has come."""


async def upload_body(
    signed: SignedConnection,
    message_id: uuid.UUID,
    revision: int,
    body: BinaryIO,
    size: int,
    *,
    progress: Progress | None = None,
    retry: Retry | None = None,
) -> None:
    """Upload the `size` bytes of a sealed body for a draft's revision.

    `body` is read from the upload's offset on, so it must be seekable. Problem where the relay
    refuses for good; ConnectionError where it stayed away through every attempt.
    """
    upload = Upload(signed, retry or Retry())
    await upload.create(message_id, revision, size)
    await upload.send(body, size, progress)


class Upload:
    """One upload, by its address at the relay."""

    def __init__(self, signed: SignedConnection, retry: Retry, path: str = "") -> None:
        self.path = path
        """`/v1/uploads/…`; with it another process can continue."""
        self._signed = signed
        self._retry = retry

    async def create(self, message_id: uuid.UUID, revision: int, size: int) -> None:
        """Begin; one whose answer was lost is left behind, and the relay sweeps it."""
        headers = {
            "Upload-Length": str(size),
            "Upload-Metadata": write_metadata(message_id, revision),
        }
        failures = 0
        while True:
            try:
                async with self._request(hdrs.METH_POST, "/v1/uploads", headers) as response:
                    self.path = response.headers["Location"]
                    return
            except _Broken as error:
                failures += 1
                await self._pause(failures, error)

    async def send(self, body: BinaryIO, size: int, progress: Progress | None = None) -> None:
        """Send what the relay does not have yet, until it has all."""
        reached = -1
        failures = 0
        while True:
            try:
                offset = await self.offset()
                if offset > reached:
                    reached, failures = offset, 0
                if progress is not None:
                    progress(offset, size)
                if offset == size:
                    return
                await self._append(body, offset, size, progress)
            except _Broken as error:
                failures += 1
                await self._pause(failures, error)

    async def offset(self) -> int:
        """How many bytes the relay has for good."""
        async with self._request(hdrs.METH_HEAD, self.path, {}) as response:
            return int(response.headers["Upload-Offset"])

    async def _append(
        self, body: BinaryIO, offset: int, size: int, progress: Progress | None
    ) -> None:
        headers = {
            "Upload-Offset": str(offset),
            hdrs.CONTENT_TYPE: "application/offset+octet-stream",
            hdrs.CONTENT_LENGTH: str(size - offset),
        }
        async with self._patience() as patience:
            chunks = self._chunks(body, offset, size, patience, progress)
            async with self._request(hdrs.METH_PATCH, self.path, headers, chunks):
                pass

    async def _chunks(
        self,
        body: BinaryIO,
        offset: int,
        size: int,
        patience: asyncio.Timeout,
        progress: Progress | None,
    ) -> AsyncIterator[bytes]:
        body.seek(offset)
        while offset < size:
            chunk = await asyncio.to_thread(body.read, min(READ_BYTES, size - offset))
            if not chunk:
                raise EOFError("the body is shorter than it was said to be")
            yield chunk
            offset += len(chunk)
            patience.reschedule(asyncio.get_running_loop().time() + self._retry.stall_seconds)
            if progress is not None:
                progress(offset, size)

    @contextlib.asynccontextmanager
    async def _patience(self) -> AsyncIterator[asyncio.Timeout]:
        try:
            async with asyncio.timeout(self._retry.stall_seconds) as patience:
                yield patience
        except TimeoutError as error:
            raise _Broken("stalled") from error

    @contextlib.asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        data: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that is not a refusal; _Broken where another attempt may help."""
        http, url = self._signed.connection.http, self._signed.connection.url
        try:
            headers = {
                **headers,
                "Tus-Resumable": TUS_VERSION,
                hdrs.AUTHORIZATION: f"Bearer {await self._signed.bearer()}",
            }
            async with http.request(
                method, f"{url}{path}", headers=headers, data=data, allow_redirects=False
            ) as response:
                if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise problem(response.status, await response.read())
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _Broken(type(error).__name__) from error
        except Problem as refused:
            if refused.status == HTTPStatus.UNAUTHORIZED:
                self._signed.forget_session()
            if (
                refused.status in _TRY_AGAIN
                or refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                or refused.code in _ASK_AGAIN
            ):
                raise _Broken(refused.code) from refused
            raise

    async def _pause(self, failures: int, error: _Broken) -> None:
        if failures >= self._retry.attempts:
            if isinstance(error.__cause__, Problem):
                raise error.__cause__
            raise ConnectionError(f"gave up after {failures} attempts: {error}") from error
        await asyncio.sleep(self._retry.pause_seconds(failures))
