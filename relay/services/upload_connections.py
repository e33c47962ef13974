"""Which connections of this process are writing to which upload, so that a new one can take over at once.

A client that comes back often comes back before the connection it lost is noticed here. The one that
still hangs is asked to store what it has and to stop, and nothing needs to be sent twice. Across
processes the number of the writer in the database protects alone: there the unstored tail is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Final, TypeAlias, TypeVar

from relay.domain.uploads import TakenOver
from relay.errors import RelayError, ServiceStopping

TAKE_OVER_SECONDS: Final = 10
"""How long a connection that was asked to stop may take to store what it has."""

_log = logging.getLogger(__name__)

Receive: TypeAlias = Callable[[], Awaitable[bytes]]
"""The next bytes of a request, none at its end; ConnectionError where it breaks off."""

_Value = TypeVar("_Value")


class Idle(Exception):
    """Nothing came for too long."""


class UploadConnection:
    """One connection that writes to an upload."""

    def __init__(self) -> None:
        self._ended_by: type[RelayError] | None = None
        self._waiting: asyncio.Timeout | None = None
        self._has_ended = asyncio.Event()

    async def next(self, receive: Receive, idle_seconds: float) -> bytes:
        """The next bytes; once asked to stop, the error it was asked with; Idle if none come in time."""
        if self._ended_by is not None:
            raise self._ended_by
        try:
            async with asyncio.timeout(idle_seconds) as self._waiting:
                return await receive()
        except TimeoutError:
            raise self._reason() from None
        finally:
            self._waiting = None

    def _reason(self) -> type[Exception]:
        """Why no more bytes are waited for."""
        return self._ended_by or Idle

    async def stop(self, ended_by: type[RelayError] = TakenOver) -> None:
        """Have it store what it has and end; come back when it has, or after TAKE_OVER_SECONDS.

        `ended_by` is what its caller is answered, where it was not asked to stop before.
        """
        self._ended_by = self._ended_by or ended_by
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKE_OVER_SECONDS):
                await self._has_ended.wait()

    def end(self) -> None:
        """Nothing more comes of it."""
        self._has_ended.set()


class UploadConnections:
    """The connections of this process that write, at most one for each upload."""

    def __init__(self) -> None:
        self._writers: dict[uuid.UUID, UploadConnection] = {}
        self._running: set[asyncio.Task[object]] = set()
        self._is_stopping = False

    async def outlive(self, writing: Coroutine[object, object, _Value]) -> _Value:
        """Write to the end, also where the request behind it is cancelled because its caller is gone."""
        task = asyncio.create_task(writing)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_note_end)
            raise

    @contextlib.asynccontextmanager
    async def only(self, upload_id: uuid.UUID) -> AsyncIterator[UploadConnection]:
        """Be the one that writes to this upload, from when the one before has ended.

        ServiceStopping after `stop_all`.
        """
        if self._is_stopping:
            raise ServiceStopping("no upload begins any more")
        writer = UploadConnection()
        before = self._writers.get(upload_id)
        self._writers[upload_id] = writer
        try:
            if before is not None:
                await before.stop()
            yield writer
        finally:
            writer.end()
            if self._writers.get(upload_id) is writer:
                del self._writers[upload_id]

    async def stop(self, upload_id: uuid.UUID) -> None:
        """Have the connection that writes to this upload, if there is one, store all and end."""
        writer = self._writers.get(upload_id)
        if writer is not None:
            await writer.stop()

    async def stop_all(self) -> None:
        """Have every connection store what it has and end with ServiceStopping: before this process does."""
        self._is_stopping = True
        writers = list(self._writers.values())
        await asyncio.gather(*(writer.stop(ServiceStopping) for writer in writers))


def _note_end(task: asyncio.Task[object]) -> None:
    """Of an upload whose caller is gone nobody else looks at the error that it ended with."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, RelayError):
        _log.warning("an upload whose caller is gone ended with %s", error.code)
    elif error is not None:
        _log.error("an upload whose caller is gone ended with %s", type(error).__name__)
