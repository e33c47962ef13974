"""The line between one browser and relay: a forward proxy that keeps all that leaves, and can alter or cut.

Every request of a browser context passes here, those of workers and service workers too, whatever its origin:
so a test can say what left a browser by looking at the line, and not at what it tells of itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from relay.testing.searching import OVERLAP_BYTES, READ_BYTES

_OF_ONE_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "upgrade"}
)

Alter = Callable[[bytes], bytes]


@dataclasses.dataclass(slots=True, kw_only=True)
class Sent:
    """One request as it went over the line."""

    method: str
    url: str
    headers: str
    status: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    begins: int = 0
    """Where head and body lie in the record of the whole line."""


class _Cut(Exception):
    """The line broke."""


class Wire:
    """A proxy on loopback that lets through what goes to `origin` and refuses everything else."""

    def __init__(self, origin: str, also: Sequence[str] = ()) -> None:
        self.origin = origin
        self._lets_through = (origin, *also)
        self.sent: list[Sent] = []
        self.foreign: list[str] = []
        self._cut_after_bytes: int | None = None
        self._dead = asyncio.Event()
        self._held_path: str | None = None
        self._holding = asyncio.Event()
        self._open = asyncio.Event()
        self._altering: dict[str, Alter] = {}
        self._refused_methods: dict[str, int] = {}
        self._most_bytes: int | None = None
        self._record = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the wire
        self._lock = threading.Lock()
        self.url = ""

    def cut_after(self, body_bytes: int) -> None:
        """Let the line be dead once bodies of this many bytes in all went over it, until it is mended."""
        self._cut_after_bytes = body_bytes

    def cut(self) -> None:
        """Let the line be dead now, until it is mended."""
        self._dead.set()

    async def until_cut(self) -> None:
        """Wait until the line is dead."""
        await self._dead.wait()

    def hold(self, path_part: str) -> None:
        """Keep requests whose URL has `path_part` in it waiting until they are let go."""
        self._held_path = path_part
        self._holding.clear()
        self._open.clear()

    async def until_held(self) -> None:
        """Wait until a request is kept waiting."""
        await self._holding.wait()

    def let_go(self) -> None:
        """Let all that waits continue."""
        self._held_path = None
        self._open.set()

    def mend(self) -> None:
        """Let the line live again."""
        self._cut_after_bytes = None
        self._dead.clear()

    @property
    def carried_bytes(self) -> int:
        """What bodies of requests have in all."""
        return sum(one.sent_bytes for one in self.sent)

    def refuse(self, method: str, status: int) -> None:
        """Let a proxy on the way refuse every request of this method, as those of institutions do."""
        self._refused_methods[method] = status

    def take_at_most(self, body_bytes: int) -> None:
        """Let a proxy on the way refuse every larger body."""
        self._most_bytes = body_bytes

    def alter(self, path_part: str, change: Alter) -> None:
        """Change every answer to a request whose URL has `path_part` in it."""
        self._altering[path_part] = change

    def to_relay(self, path_part: str, method: str = "") -> list[Sent]:
        """The requests whose URL has `path_part` in it."""
        return [one for one in self.sent if path_part in one.url and one.method.startswith(method)]

    def about_people(self) -> list[Sent]:
        """What the API was asked, but for what a page asks of itself: the profile of the programme."""
        return [one for one in self.to_relay("/v1/") if "/v1/profile" not in one.url]

    def find(self, needles: Sequence[bytes]) -> list[str]:
        """The requests in which a needle is, in the URL, a header or the body."""
        found = []
        with self._lock:
            end = self._record.seek(0, 2)
            ends = [one.begins for one in self.sent[1:]] + [end]
            # Requests at the same time lie mixed in the record: names are a hint, finding is certain.
            self._record.seek(0)
            at, tail = 0, b""
            while piece := self._record.read(READ_BYTES):
                window = tail + piece
                for needle in needles:
                    if (where := window.find(needle)) >= 0:
                        place = at - len(tail) + where
                        number = next(i for i, e in enumerate(ends) if place < e)
                        one = self.sent[number]
                        found.append(f"{needle!r} near {one.method} {one.url}")
                at += len(piece)
                tail = window[-OVERLAP_BYTES:]
        return found

    def close(self) -> None:
        """Forget what was kept."""
        self._record.close()

    def _keep(self, piece: bytes) -> int:
        with self._lock:
            begins = self._record.seek(0, 2)
            self._record.write(piece)
            return begins

    async def carry(
        self, http: aiohttp.ClientSession, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Pass one request on, and its answer back."""
        url = request.raw_path
        head = "\r\n".join(f"{name}: {value}" for name, value in request.headers.items())
        one = Sent(method=request.method, url=url, headers=head)
        one.begins = self._keep(f"{request.method} {url}\r\n{head}\r\n\r\n".encode())
        self.sent.append(one)
        if request.method == hdrs.METH_CONNECT or not any(
            url.startswith(f"{origin}/") for origin in self._lets_through
        ):
            self.foreign.append(f"{request.method} {url}")
            return web.Response(status=403)
        if status := self._blocked(request):
            one.status = status
            return web.Response(
                status=status, text="<html>Blocked</html>", content_type="text/html"
            )
        headers = CIMultiDict(
            (name, value)
            for name, value in request.headers.items()
            if name.lower() not in _OF_ONE_HOP
        )
        change = next((c for part, c in self._altering.items() if part in url), None)
        if change is not None:
            headers.popall(hdrs.ACCEPT_ENCODING, None)
            headers[hdrs.ACCEPT_ENCODING] = "identity"
        if self._held_path is not None and self._held_path in url:
            self._holding.set()
            await self._open.wait()
        try:
            self._check_alive()
            async with http.request(
                request.method,
                URL(url, encoded=True),
                headers=headers,
                data=self._body(request, one) if request.can_read_body else None,
                allow_redirects=False,
            ) as answer:
                one.status = answer.status
                return await self._answer(request, answer, one, change)
        except (aiohttp.ClientError, _Cut, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=HTTPStatus.BAD_GATEWAY)  # which nobody is there to read

    def _blocked(self, request: web.BaseRequest) -> int:
        if self._most_bytes is not None and (request.content_length or 0) > self._most_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return self._refused_methods.get(request.method, 0)

    def _check_alive(self) -> None:
        if self._dead.is_set():
            raise _Cut

    async def _body(self, request: web.BaseRequest, one: Sent) -> AsyncIterator[bytes]:
        async for piece in request.content.iter_any():
            one.sent_bytes += len(piece)
            if self._cut_after_bytes is not None and self.carried_bytes > self._cut_after_bytes:
                self._dead.set()
                raise _Cut
            self._keep(piece)
            yield piece

    async def _answer(
        self,
        request: web.BaseRequest,
        answer: aiohttp.ClientResponse,
        one: Sent,
        change: Alter | None,
    ) -> web.StreamResponse:
        headers = CIMultiDict(
            (name, value)
            for name, value in answer.headers.items()
            if name.lower() not in _OF_ONE_HOP
        )
        if change is not None and answer.ok and (body := await answer.read()):
            headers.popall(hdrs.CONTENT_LENGTH, None)
            return web.Response(status=answer.status, headers=headers, body=change(body))
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            one.received_bytes += len(piece)
            await response.write(piece)
        await response.write_eof()
        return response


@contextlib.asynccontextmanager
async def wire_to(origin: str, also: Sequence[str] = ()) -> AsyncIterator[Wire]:
    """A wire to `origin`, and to other origins where a test has them, during the block."""
    wire = Wire(origin, also)
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, auto_decompress=False
    ) as http:

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await wire.carry(http, request)

        server = web.ServerRunner(
            web.Server(handle, access_log=None, handler_cancellation=True), shutdown_timeout=1
        )
        await server.setup()
        await web.TCPSite(server, "127.0.0.1", 0).start()
        port = server.addresses[0][1]
        wire.url = f"http://127.0.0.1:{port}"
        try:
            yield wire
        finally:
            await server.cleanup()
            await asyncio.to_thread(wire.close)
