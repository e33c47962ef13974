"""A way to a service that a test can shut and open again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.settings import Settings


class Gate:
    """A way to a service that can be shut."""

    def __init__(self, address: str) -> None:
        """`address` is an URL with a host and a port, or one of a socket in the file system."""
        self._parts = urlsplit(address)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()

    @property
    def url(self) -> str:
        """The address by this way."""
        login, at, _host = self._parts.netloc.rpartition("@")
        scheme, path = self._parts.scheme, self._parts.path
        if scheme == "unix":
            scheme, path = "redis", self._parts.query.replace("db=", "/")
        return f"{scheme}://{login}{at}127.0.0.1:{self._port}{path}"

    async def open(self) -> None:
        """Let connections through, always at the same port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and let none through."""
        if self._server is not None:
            self._server.close()
        self._passes.set()
        for wire in list(self._wires):
            wire.transport.abort()

    def hang(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._passes.clear()

    def _socket(self) -> str | None:
        """Where the service has its socket in the file system; None where it has a host and a port."""
        if self._parts.scheme == "unix":
            return self._parts.path
        folder = parse_qs(self._parts.query).get("host")
        return f"{folder[0]}/.s.PGSQL.5432" if folder else None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        socket = self._socket()
        if socket is not None:
            far_reader, far_writer = await asyncio.open_unix_connection(socket)
        else:
            far_reader, far_writer = await asyncio.open_connection(
                self._parts.hostname, self._parts.port
            )
        ends = {writer, far_writer}
        self._wires |= ends
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        self._wires -= ends
        for end in ends:
            end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


class StoreBehindGate:
    """For the tests of a class: their relay comes to its store by a gate."""

    @pytest.fixture
    async def gate(self, settings: Settings) -> AsyncIterator[Gate]:
        """The way to the store, open."""
        gate = Gate(settings.s3_endpoint)
        await gate.open()
        yield gate
        await gate.close()

    @pytest.fixture
    def relay_settings(self, gate: Gate, relay_settings: Settings) -> Settings:
        """The relay comes by that way."""
        return dataclasses.replace(relay_settings, s3_endpoint=gate.url)
