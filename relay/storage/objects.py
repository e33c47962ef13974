"""The object store: sealed bodies as one object for each 8 MiB segment, through the S3 API.

Layout of the bucket: `{prefix}/{segment:06}`, where the prefix is the part's and the number counts
from 0; `{prefix}/{segment:06}.{start}-{stop}` is a piece that a broken connection left of a segment
not yet whole. A finished object is all there is to an acknowledged segment: no upload state lives in
the store.
Needs the rights to get, put, delete and list objects of one bucket.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import aiohttp
import botocore.exceptions
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from relay.domain.segments import SEGMENT_BYTES, SegmentSlice, segment_slices
from relay.errors import Unavailable
from relay.storage.buffers import BytesLike, SegmentBuffer, SegmentBuffers, sha256
from relay.storage.durable import Disk
from relay.tracing import spans
from relay.tracing.spans import Kind

if TYPE_CHECKING:
    from aiobotocore.client import AioBaseClient

    from relay.settings import Settings

CONNECT_SECONDS: Final = 5
SILENCE_SECONDS: Final = 60
"""An answer in which nothing comes for this long is given up, and asked for again."""
ATTEMPTS: Final = 4
CONNECTIONS: Final = 512
"""At most, of one process; each running download holds two."""
PROBE_SECONDS: Final = 3
READ_BYTES: Final = 128 * 1024
SEND_BYTES: Final = 256 * 1024
DELETE_KEYS: Final = 1000

_BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


GiveWay: TypeAlias = Callable[[], Awaitable[None]]
"""Waits, for a moment at most, while there is something more urgent than a piece of a body."""


async def at_once() -> None:
    """Nothing is more urgent."""


class StoreUnavailable(Unavailable):
    """The object store does not answer."""

    code = "store-unavailable"


class ObjectMissing(Unavailable):
    """An object that the database names is not in the store."""

    code = "object-missing"


def segment_key(prefix: str, number: int) -> str:
    """The object that holds segment `number` of the body under `prefix`."""
    return f"{prefix}/{number:06}"


def piece_key(prefix: str, start: int, stop: int) -> str:
    """The object that holds the bytes `start` to `stop` of a body whose segment is not yet whole.

    Both ends stand in the name, so that a piece is never overwritten by a shorter or a longer one.
    """
    return f"{segment_key(prefix, start // SEGMENT_BYTES)}.{start}-{stop}"


def is_piece(key: str) -> bool:
    """Whether an object holds a piece, and not a whole segment."""
    return "." in key.rpartition("/")[2]


class Objects:
    """One bucket of an S3 service."""

    def __init__(
        self,
        client: AioBaseClient,
        bucket: str,
        open_client: contextlib.AsyncExitStack,
        disk: Disk | None,
        give_way: GiveWay,
    ) -> None:
        """`disk`: what the store keeps objects on, where it does not write it itself before it answers."""
        self._give_way = give_way
        self._client = client
        self._bucket = bucket
        self._disk = disk
        self._open_client = open_client
        self._let_go: set[asyncio.Task[aiohttp.ClientResponse]] = set()
        self.buffers = SegmentBuffers()

    @classmethod
    async def connect(cls, settings: Settings, give_way: GiveWay = at_once) -> Self:
        """A client for the bucket in the settings; nothing is sent yet. Pieces of bodies first `give_way`.

        Bodies are not signed with the request: over plain http that would hash each a second time.
        `put` names the SHA-256 instead, in a header that is signed and that S3 checks the body against.
        """
        folder = settings.s3_sync_folder
        async with contextlib.AsyncExitStack() as stack:
            disk = stack.enter_context(Disk.opened(folder)) if folder else None
            client = await stack.enter_async_context(
                _session().create_client(
                    "s3",
                    endpoint_url=settings.s3_endpoint,
                    aws_access_key_id=settings.s3_access_key,
                    aws_secret_access_key=settings.s3_secret_key,
                    region_name=settings.s3_region,
                    # Without TLS nothing is verified, and the list of authorities need not be read.
                    verify=False if settings.s3_endpoint.startswith("http://") else None,
                    config=AioConfig(
                        connect_timeout=CONNECT_SECONDS,
                        read_timeout=SILENCE_SECONDS,
                        max_pool_connections=CONNECTIONS,
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                        s3={"addressing_style": "path", "payload_signing_enabled": False},
                    ),
                )
            )
            return cls(client, settings.s3_bucket, stack.pop_all(), disk, give_way)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*self._let_go, return_exceptions=True)
        await self._open_client.aclose()

    async def ensure_bucket(self) -> None:
        """Make the bucket unless it is there."""
        with _calling("CreateBucket"):
            try:
                await self._client.create_bucket(Bucket=self._bucket)
            except botocore.exceptions.ClientError as error:
                if _code(error) not in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
                    raise

    async def is_reachable(self) -> bool:
        """Whether the bucket is there and answers."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._client.head_bucket(Bucket=self._bucket)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, *_BROKEN):
            return False
        return True

    async def put(self, key: str, body: BytesLike, *, digest: bytes | None = None) -> None:
        """Store the whole of `body`, which does not change meanwhile; then it outlasts a loss of power.

        It is sent without a copy. `digest` is its SHA-256 where the caller has it already.
        StoreUnavailable after the last attempt.
        """
        view = memoryview(body)
        if digest is None:
            digest = await sha256(view)
        await self._give_way()
        with _calling("PutObject"):
            await self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=_Sending(view, self._give_way),
                ChecksumSHA256=base64.b64encode(digest).decode("ascii"),
            )
        if self._disk is not None:
            try:
                await self._disk.hold()
            except OSError as error:
                raise StoreUnavailable(f"{key} is not on the disk: {error.strerror}") from error

    async def get(self, key: str) -> bytes:
        """The whole of one object; ObjectMissing if there is none."""
        await self._give_way()
        with _calling("GetObject"):
            answer = await self._client.get_object(Bucket=self._bucket, Key=key)
            async with answer["Body"] as stream:
                body: bytes = await stream.read()
                return body

    async def read(self, prefix: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Stream the bytes `start` to `stop` (not included) of the body under `prefix`.

        The next segment is asked for while one is being read, which costs a socket's buffer, not a
        segment of memory. A connection that breaks is taken up again where it broke; ObjectMissing
        where the body is shorter than `stop`. Close the iterator if it is left early.
        """
        slices = segment_slices(start, stop)
        current = upcoming = _opening(self, prefix, slices)
        try:
            while current is not None:
                upcoming = _opening(self, prefix, slices)
                async for chunk in current.chunks():
                    yield chunk
                current = upcoming
        finally:
            for opening in (current, upcoming):
                if opening is not None:
                    opening.close()

    async def open_slice(self, key: str, start: int, stop: int) -> aiohttp.ClientResponse:
        """An answer that brings the bytes `start` to `stop` of one object; the caller closes it."""
        await self._give_way()
        with _calling("GetObject"):
            answer = await self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{stop - 1}"
            )
        response: aiohttp.ClientResponse = answer["Body"].raw_stream
        return response

    def let_go(self, asked: asyncio.Task[aiohttp.ClientResponse]) -> None:
        """Be done with an answer, also one that is yet to come.

        It is not cancelled: the library would lose an answer that is just coming in, connection and all.
        """
        self._let_go.add(asked)
        asked.add_done_callback(self._drop)

    def _drop(self, asked: asyncio.Task[aiohttp.ClientResponse]) -> None:
        self._let_go.discard(asked)
        if not asked.cancelled() and asked.exception() is None:
            response = asked.result()
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    async def put_segments(self, prefix: str, body: AsyncIterable[bytes]) -> list[bytes]:
        """Store a body of any length as segments under `prefix`; the SHA-256 of each, in order.

        One segment is on its way to the store while the next one fills: 16 MiB at most.
        """
        digests: list[bytes] = []
        on_its_way: asyncio.Task[bytes] | None = None
        try:
            async for segment in self._cut(body):
                if on_its_way is not None:
                    digests.append(await on_its_way)
                key = segment_key(prefix, len(digests))
                on_its_way = asyncio.create_task(self._put_hashed(key, segment))
            if on_its_way is not None:
                digests.append(await on_its_way)
        finally:
            if on_its_way is not None:
                on_its_way.cancel()
                await asyncio.wait([on_its_way])
        return digests

    async def _cut(self, body: AsyncIterable[bytes]) -> AsyncIterator[SegmentBuffer]:
        segment = self.buffers.take()
        async for chunk in body:
            rest = memoryview(chunk)
            while rest:
                room = segment.room
                segment.write(rest[:room])
                rest = rest[room:]
                if not segment.room:
                    yield segment
                    segment = self.buffers.take()
        if len(segment):
            yield segment

    async def _put_hashed(self, key: str, segment: SegmentBuffer) -> bytes:
        digest = await sha256(segment.view())
        await self.put(key, segment.view(), digest=digest)
        self.buffers.give_back(segment)
        return digest

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these objects; those that are gone already are no error."""
        for first in range(0, len(keys), DELETE_KEYS):
            names = [{"Key": key} for key in keys[first : first + DELETE_KEYS]]
            await self._give_way()
            with _calling("DeleteObjects"):
                answer = await self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": names, "Quiet": True}
                )
            if answer.get("Errors"):
                raise StoreUnavailable(f"{len(answer['Errors'])} objects could not be removed")

    async def versioning(self) -> str | None:
        """`Enabled` or `Suspended`, empty where it never was; None where it cannot be seen."""
        try:
            answer = await self._client.get_bucket_versioning(Bucket=self._bucket)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, *_BROKEN):
            return None
        return str(answer.get("Status", ""))

    async def expiring_rules(self) -> int | None:
        """How many rules of the bucket remove objects by their age; None where it cannot be seen."""
        try:
            answer = await self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket)
        except botocore.exceptions.ClientError as error:
            return 0 if _code(error) == "NoSuchLifecycleConfiguration" else None
        except (botocore.exceptions.BotoCoreError, *_BROKEN):
            return None
        rules = answer.get("Rules", [])
        return len([rule for rule in rules if rule["Status"] == "Enabled" and "Expiration" in rule])

    async def keys(self, prefix: str) -> list[str]:
        """The names of all objects under `prefix`, in order; of all there are with an empty one."""
        found: list[str] = []
        await self._give_way()
        with _calling("ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{prefix}/" if prefix else ""
            )
            async for page in pages:
                found.extend(entry["Key"] for entry in page.get("Contents", []))
        return found

    async def prefixes(self, place: str) -> AsyncIterator[list[str]]:
        """What stands before the last `/` of the names of the objects under `place`, in batches."""
        last = ""
        with _calling("ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{place}/"
            )
            async for page in pages:
                found: list[str] = []
                for entry in page.get("Contents", []):
                    prefix = entry["Key"].rpartition("/")[0]
                    if prefix != last:
                        found.append(prefix)
                        last = prefix
                yield found

    async def delete_prefix(self, prefix: str) -> None:
        """Remove every object under `prefix`."""
        await self.delete(await self.keys(prefix))


def _opening(objects: Objects, prefix: str, slices: Iterator[SegmentSlice]) -> _Opening | None:
    part = next(slices, None)
    return None if part is None else _Opening(objects, prefix, part)


class _Opening:
    """One slice of a segment, asked for ahead of its turn."""

    def __init__(self, objects: Objects, prefix: str, part: SegmentSlice) -> None:
        self._objects = objects
        self._key = segment_key(prefix, part.number)
        self._next = part.start
        self._stop = part.stop
        self._answer = self._ask()

    def _ask(self) -> asyncio.Task[aiohttp.ClientResponse]:
        return asyncio.create_task(self._objects.open_slice(self._key, self._next, self._stop))

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is left of the slice, asked for again from where a connection broke."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                content = (await asyncio.shield(self._answer)).content
                content.set_read_chunk_size(READ_BYTES)
                while not content.at_eof():
                    chunk, _ends_here = await content.readchunk()  # as it came, not joined
                    self._next += len(chunk)
                    if chunk:
                        yield chunk
            except _BROKEN as error:
                if attempt == ATTEMPTS:
                    raise StoreUnavailable(type(error).__name__) from error
            if self._next == self._stop:
                break
            self.close()
            self._answer = self._ask()
        self.close()
        if self._next != self._stop:
            raise ObjectMissing(f"{self._stop - self._next} bytes are missing of {self._key}")

    def close(self) -> None:
        """Give the connection back, or drop it where not all of it was read."""
        self._objects.let_go(self._answer)


class _Sending:
    """A body that is sent from where it lies.

    To botocore it is a file of known length that can be rewound; aiohttp takes it for what it can
    iterate over without blocking, from the start on each attempt.
    """

    def __init__(self, view: memoryview, give_way: GiveWay) -> None:
        self._view = view
        self._give_way = give_way
        self._position = 0

    def __len__(self) -> int:
        return len(self._view)

    def seek(self, position: int) -> int:
        """Go to `position`."""
        self._position = position
        return position

    def tell(self) -> int:
        """The position."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Take the next bytes as a copy."""
        stop = len(self._view) if size < 0 else self._position + size
        data = bytes(self._view[self._position : stop])
        self._position += len(data)
        return data

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        for start in range(0, len(self._view), SEND_BYTES):
            await self._give_way()
            yield self._view[start : start + SEND_BYTES]


@functools.cache
def _session() -> AioSession:
    """What makes clients: the description of S3 is long, and read once."""
    return get_session()


@contextlib.contextmanager
def _calling(operation: str) -> Iterator[None]:
    """Around a call of the store: a span of its name, and its errors as ours, without any text of theirs."""
    attributes = {"rpc.system.name": "aws-api", "rpc.method": f"S3/{operation}"}
    with spans.span(f"S3/{operation}", Kind.CLIENT, attributes), _as_unavailable():
        yield


@contextlib.contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if _code(error) in {"NoSuchKey", "404", "InvalidRange"}:
            raise ObjectMissing(_code(error)) from error
        raise StoreUnavailable(_code(error)) from error
    except (botocore.exceptions.BotoCoreError, *_BROKEN) as error:
        raise StoreUnavailable(type(error).__name__) from error


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
