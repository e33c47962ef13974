"""A connection that breaks: a proxy that cuts the first upload after so many bytes, then lets all pass."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

READ_BYTES: Final = 64 * 1024


class CuttingProxy:
    """Passes bytes to and fro until one connection has carried too many; that one it cuts, once."""

    def __init__(self, target: str, after_bytes: int) -> None:
        self._target = urlsplit(target)
        self._after_bytes = after_bytes
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        to_target = asyncio.create_task(self._pass_on(reader, back, limited=True))
        to_client = asyncio.create_task(self._pass_on(there, writer, limited=False))
        _done, pending = await asyncio.wait(
            {to_target, to_client}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        await asyncio.gather(to_target, to_client, return_exceptions=True)
        for end in (writer, back):
            end.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, limited: bool
    ) -> None:
        passed = 0
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(READ_BYTES):
                passed += len(piece)
                if limited and self.cuts == 0 and passed > self._after_bytes:
                    self.cuts += 1
                    return
                writer.write(piece)
                await writer.drain()


@contextlib.asynccontextmanager
async def cutting_proxy(target: str, after_bytes: int) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """A proxy to `target` on loopback, and its address."""
    proxy = CuttingProxy(target, after_bytes)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)  # noqa: SLF001 - its own
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, f"http://127.0.0.1:{port}"
    finally:
        server.close()
        await server.wait_closed()
