"""Has the disk of a store hold what the store acknowledged, where the store itself does not see to that."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from collections.abc import Iterator
from typing import Final, Self

from relay.errors import ConfigurationError

_syncfs: Final = ctypes.CDLL(None, use_errno=True).syncfs


class Disk:
    """The file system that a store keeps its objects on."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is of any folder on it, and is closed with this."""
        self._descriptor = descriptor
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: str) -> Iterator[Self]:
        """The one that a folder is on; ConfigurationError where it cannot be opened."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise ConfigurationError(
                f"the folder that RELAY_S3_SYNC_FOLDER names cannot be opened: {error.strerror}"
            ) from None
        try:
            yield cls(descriptor)
        finally:
            os.close(descriptor)

    async def hold(self) -> None:
        """Return once everything is on the disk that was written before this was called; OSError.

        Those who ask while it is being written share the next round.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._write(self._running))
        await asyncio.shield(self._next)

    async def _write(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await asyncio.to_thread(self._sync)

    def _sync(self) -> None:
        if _syncfs(self._descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
