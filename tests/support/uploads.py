"""A draft that waits for a video and its sender, down to single requests and single bytes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import io
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from relay.app import create_app
from relay.client.connection import SignedConnection
from relay.client.participant import Participant
from relay.client.writing import address
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import FinishedUpload, object_prefix, write_metadata
from relay.settings import Settings
from relay.storage import uploads as stored
from relay.storage.database import Connection, Database
from relay.storage.objects import Objects
from relay.testing.people import Case

ESTABLISHED = "01"
"""In /proc/net/tcp."""
OFFSET_STREAM = "application/offset+octet-stream"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What relay answered."""

    status: int
    headers: dict[str, str]
    document: dict[str, object]
    """The problem document of a refusal."""

    @property
    def offset(self) -> int:
        """How far the upload has come."""
        return int(self.headers["Upload-Offset"])

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.document["code"])


@dataclasses.dataclass(frozen=True, slots=True)
class Wire:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def until_taken(self) -> None:
        """Wait until the other side has read all that was written, as the kernel counts it."""
        mine: int = self.writer.get_extra_info("sockname")[1]
        async with asyncio.timeout(10):
            while any(waiting for ports, waiting in sockets() if mine in ports):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def answer(self) -> str:
        """All that comes until the other side ends the connection."""
        async with asyncio.timeout(10):
            return (await self.reader.read()).decode()

    async def status(self) -> int:
        """The status of the answer."""
        async with asyncio.timeout(10):
            return int((await self.reader.readline()).split()[1])

    def cut(self) -> None:
        """Break off, as a lost network does once it is noticed."""
        self.writer.transport.abort()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A sender with a draft, and a look behind the scenes."""

    settings: Settings
    case: Case
    message_id: uuid.UUID
    database: Database
    """As the web service reaches it."""
    unguarded: Database
    """For a superuser."""
    objects: Objects
    http: aiohttp.ClientSession
    wires: contextlib.AsyncExitStack

    def metadata(self, revision: int = 1) -> str:
        """What an upload for the draft says of itself."""
        return write_metadata(self.message_id, revision)

    async def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
        *,
        sender: Participant | None = None,
    ) -> Answer:
        """One request, by the sender unless somebody else is named."""
        bearer = await signed(sender or self.case.harmed).bearer()
        given = {
            "Authorization": f"Bearer {bearer}",
            "Tus-Resumable": "1.0.0",
            "X-Request-Id": "by-a-test",  # so that equal answers are equal to the byte
            **(headers or {}),
        }
        async with self.http.request(
            method,
            f"{self.settings.public_url}{path}",
            headers=given,
            data=None if data is None else io.BytesIO(data),
        ) as answer:
            is_problem = answer.content_type == "application/problem+json" and method != "HEAD"
            document = await answer.json(content_type=None) if is_problem else {}
            return Answer(answer.status, dict(answer.headers), document)

    async def create(self, size: int) -> str:
        """Begin an upload; its path."""
        answer = await self.ask(
            "POST",
            "/v1/uploads",
            {"Upload-Length": str(size), "Upload-Metadata": self.metadata()},
        )
        assert answer.status == 201
        return answer.headers["Location"]

    async def patch(
        self, path: str, offset: int, data: bytes, headers: dict[str, str] | None = None
    ) -> Answer:
        """Add bytes."""
        given = {"Upload-Offset": str(offset), "Content-Type": OFFSET_STREAM, **(headers or {})}
        return await self.ask("PATCH", path, given, data)

    async def head(self, path: str) -> Answer:
        """Ask how far an upload has come."""
        return await self.ask("HEAD", path)

    async def begin_patch(
        self,
        path: str,
        offset: int,
        size: int,
        data: bytes,
        headers: dict[str, str] | None = None,
    ) -> Wire:
        """Announce `size` bytes on a connection of its own, and send only `data` of them."""
        address = urlsplit(self.settings.public_url)
        wire = Wire(*await asyncio.open_connection(address.hostname, address.port))
        self.wires.callback(wire.cut)
        bearer = await signed(self.case.harmed).bearer()
        head = (
            f"PATCH {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {bearer}\r\nTus-Resumable: 1.0.0\r\n"
            f"Upload-Offset: {offset}\r\nContent-Type: {OFFSET_STREAM}\r\n"
            f"Content-Length: {size}\r\n"
        )
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        query = "select writer from uploads where upload_id = $1"
        before = await self.one(query, upload_of(path))
        await wire.write(f"{head}{more}\r\n".encode())
        async with asyncio.timeout(10):
            while await self.one(query, upload_of(path)) == before:  # noqa: ASYNC110 - a database
                await asyncio.sleep(0.01)
        await wire.write(data)
        await wire.until_taken()
        return wire

    async def one(self, query: str, *arguments: object) -> object:
        """One value from the database."""
        async with self.unguarded.connection() as connection:
            return await connection.fetchval(query, *arguments)

    async def finished(self, body: bytes | None = None) -> FinishedUpload | None:
        """The upload that is complete for the draft, with this very body where one is given."""
        digests = None if body is None else digests_of(body)
        async with self.database.transaction() as connection:
            return await stored.finished_upload(connection, self.message_id, 1, digests)

    async def expire(self, path: str, at: datetime) -> None:
        """Let an upload end at another time."""
        await self.one(
            "update uploads set expires_at = $2 where upload_id = $1", upload_of(path), at
        )

    async def until_kept(self, path: str, offset: int) -> None:
        """Wait until the database counts `offset` bytes."""
        query = "select offset_bytes from uploads where upload_id = $1"
        async with asyncio.timeout(10):
            while await self.one(query, upload_of(path)) != offset:  # noqa: ASYNC110 - a database
                await asyncio.sleep(0.01)

    async def assert_whole(self, path: str, body: bytes) -> None:
        """The draft's upload is this very body: in the bucket, and by its digests."""
        prefix = object_prefix(upload_of(path))
        arrived = [chunk async for chunk in self.objects.read(prefix, 0, len(body))]
        assert b"".join(arrived) == body
        finished = await self.finished()
        assert finished is not None
        assert finished.upload_id == upload_of(path)
        assert finished.size_bytes == len(body)
        assert finished.digests == digests_of(body)


@contextlib.asynccontextmanager
async def sending(case: Case, settings: Settings, database_url: str) -> AsyncIterator[Sending]:
    """A draft of the person harmed, in this case, at the relay of these settings.

    `database_url` is its database, for a superuser.
    """
    message_id = uuid.uuid4()
    await case.harmed.begin_video(address(case.responsible.participant_id, message_id=message_id))
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, connections=4)
        stack.push_async_callback(database.close)
        unguarded = await Database.connect(database_url, connections=2)
        stack.push_async_callback(unguarded.close)
        objects = await Objects.connect(settings)
        stack.push_async_callback(objects.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Sending(
            settings=settings,
            case=case,
            message_id=message_id,
            database=database,
            unguarded=unguarded,
            objects=objects,
            http=http,
            wires=stack,
        )


@contextlib.asynccontextmanager
async def another_relay(
    draft: Sending, port: int, idle_seconds: int = 30
) -> AsyncIterator[Sending]:
    """The same draft at what relay sees as a second web process; shut down properly."""
    given = dataclasses.replace(
        draft.settings,
        listen_port=port,
        public_url=f"http://127.0.0.1:{port}",
        upload_idle_seconds=idle_seconds,
    )
    app = create_app(dataclasses.replace(given, public_url=draft.settings.public_url))
    runner = web.AppRunner(app, handler_cancellation=True, lingering_time=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield dataclasses.replace(draft, settings=given)
    finally:
        await runner.cleanup()


def sockets() -> Iterator[tuple[tuple[int, int], int]]:
    """The two ports of each open connection on this machine, and the bytes that wait in it."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _number, local, remote, state, queues, *_rest = line.split()
        ports = int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16)
        if state == ESTABLISHED:
            yield ports, sum(int(queue, 16) for queue in queues.split(":"))


def signed(person: Participant) -> SignedConnection:
    """The connection of a person, with their session."""
    return person.session


def upload_of(path: str) -> uuid.UUID:
    """The upload at a path."""
    return uuid.UUID(path.removeprefix("/v1/uploads/"))


def body_of(size: int) -> bytes:
    """Bytes that look sealed and are the same on every run."""
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


def digests_of(body: bytes) -> list[bytes]:
    """SHA-256 of each 8 MiB."""
    return [
        hashlib.sha256(body[start : start + SEGMENT_BYTES]).digest()
        for start in range(0, len(body), SEGMENT_BYTES)
    ]


def checksum_of(data: bytes) -> str:
    """An `Upload-Checksum`."""
    return f"sha-256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"


async def pieces_of(connection: Connection, path: str) -> list[tuple[int, int]]:
    """Start and size of the pieces that an upload is kept in."""
    pieces = await stored.list_pieces(connection, upload_of(path))
    return [(piece.start_bytes, piece.size_bytes) for piece in pieces]
