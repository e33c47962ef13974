"""A connection on loopback that can be cut, held up and refused, before an address that goes on working."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import struct
from pathlib import Path
from typing import Final

READ_BYTES: Final = 64 * 1024
_RESET: Final = struct.pack("ii", 1, 0)
"""To linger for no time: the connection is reset, as by a lost network or a dead machine."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A port of loopback, or a socket."""

    port: int = 0
    path: Path | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; OSError."""
        if self.path is not None:
            return await asyncio.open_unix_connection(str(self.path))
        return await asyncio.open_connection("127.0.0.1", self.port)


class Wire:
    """Passes connections on to a place; `port` is where they come in."""

    def __init__(self, place: Place) -> None:
        self.port = 0
        self.refuses = False
        self.loses_answers = False
        """Whether what goes in arrives, and what comes back does not: the connection is reset instead."""
        self._place = place
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._swallowed: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and cut what is open."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._open | self._swallowed):
            _reset(writer)

    def hold(self) -> None:
        """Pass nothing on; connections stay open, and new ones are taken."""
        self._flows.clear()

    def swallow(self) -> None:
        """Pass nothing on any more of what is open, and say nothing; new connections work."""
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()
        self._swallowed |= self._open
        self._open = set()

    def let_go(self) -> None:
        """Pass on what was held up, and everything from now on."""
        self._flows.set()
        self.refuses = self.loses_answers = False

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)
        with contextlib.suppress(asyncio.CancelledError):  # asyncio would complain of it
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _reset(writer)
            return
        flows = self._flows
        await flows.wait()
        try:
            to_reader, to_writer = await self._place.open()
        except OSError:
            _reset(writer)
            return
        both = {writer, to_writer}
        self._open |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(flows, reader, to_writer, is_answer=False))
                group.create_task(self._pass(flows, to_reader, writer, is_answer=True))
        except* OSError:
            pass
        finally:
            self._open -= both
            self._swallowed -= both
            for one in both:
                _reset(one)

    async def _pass(
        self,
        flows: asyncio.Event,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_answer: bool,
    ) -> None:
        while data := await reader.read(READ_BYTES):
            await flows.wait()
            if is_answer and self.loses_answers:
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        if is_answer:
            raise ConnectionResetError  # the other side has ended it: so does this one
        with contextlib.suppress(OSError):
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    taken = writer.get_extra_info("socket")
    if taken is not None and taken.family == socket.AF_INET:
        with contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
