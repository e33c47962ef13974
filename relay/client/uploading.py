"""Sends a sealed body by tus, a segment a request; continues after any break, where relay says."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import uuid
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import BinaryIO, Final, TypeAlias

import aiohttp
from aiohttp import hdrs

from relay.client.connection import UNKNOWN, Problem, SignedConnection, problem
from relay.domain.limits import QuotaReached
from relay.domain.segments import SEGMENT_BYTES, segment_end
from relay.domain.uploads import TUS_VERSION, OffsetMismatch, TakenOver, write_metadata

READ_BYTES: Final = 1024 * 1024
SMALLEST_BYTES: Final = 64 * 1024
"""A proxy that does not let this much through at once lets no upload through."""

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


class _Blocked(Exception):
    """Something between here and the relay refuses what the relay would take."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"refused with {status} on the way")


_TRY_AGAIN: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)
"""A session that ended is opened again."""
_QUOTAS: Final = frozenset(quota.code for quota in QuotaReached.__subclasses__())
"""These are 429 too, and another attempt is refused alike."""
_ASK_AGAIN: Final = frozenset({OffsetMismatch.code, TakenOver.code})
"""After these the relay is asked how far the upload has come."""
_UNKNOWN_METHOD: Final = frozenset(
    {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
"""How a proxy that knows GET and POST alone refuses a PATCH."""
_BY_POST: Final = {"X-HTTP-Method-Override": hdrs.METH_PATCH}


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
        self._at_once = SEGMENT_BYTES
        self._by_post = False

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
            except _Blocked as error:
                self._change_manner(error)
            except _Broken as error:
                failures += 1
                await self._pause(failures, error)

    async def offset(self) -> int:
        """How many bytes the relay has for good."""
        async with self._request(hdrs.METH_HEAD, self.path, {}) as response:
            return int(response.headers["Upload-Offset"])

    def _change_manner(self, blocked: _Blocked) -> None:
        """Send less at once, or by POST; Problem where there is no other way left."""
        if blocked.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            self._at_once //= 2
            is_left = self._at_once >= SMALLEST_BYTES
        else:
            is_left, self._by_post = not self._by_post, True
        if not is_left and blocked.__cause__ is not None:
            raise blocked.__cause__

    async def _append(
        self, body: BinaryIO, offset: int, size: int, progress: Progress | None
    ) -> None:
        """Send what is left of a segment, or as much of it as proxies let through at once."""
        stop = min(segment_end(offset, size), offset + self._at_once)
        headers = {
            "Upload-Offset": str(offset),
            hdrs.CONTENT_TYPE: "application/offset+octet-stream",
            hdrs.CONTENT_LENGTH: str(stop - offset),
            **(_BY_POST if self._by_post else {}),
        }
        method = hdrs.METH_POST if self._by_post else hdrs.METH_PATCH
        async with self._patience() as patience:
            told = None if progress is None else functools.partial(_tell, progress, size)
            chunks = self._chunks(body, offset, stop, patience, told)
            async with self._request(method, self.path, headers, chunks):
                pass

    async def _chunks(
        self,
        body: BinaryIO,
        offset: int,
        stop: int,
        patience: asyncio.Timeout,
        told: Callable[[int], None] | None,
    ) -> AsyncIterator[bytes]:
        body.seek(offset)
        while offset < stop:
            chunk = await asyncio.to_thread(body.read, min(READ_BYTES, stop - offset))
            if not chunk:
                raise EOFError("the body is shorter than it was said to be")
            yield chunk
            offset += len(chunk)
            patience.reschedule(asyncio.get_running_loop().time() + self._retry.stall_seconds)
            if told is not None:
                told(offset)

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
            if data is not None and refused.code == UNKNOWN and _is_of_a_proxy(refused.status):
                raise _Blocked(refused.status) from refused
            if (
                (refused.status in _TRY_AGAIN and refused.code not in _QUOTAS)
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


def _tell(progress: Progress, size: int, offset: int) -> None:
    progress(offset, size)


def _is_of_a_proxy(status: int) -> bool:
    return status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or status in _UNKNOWN_METHOD
