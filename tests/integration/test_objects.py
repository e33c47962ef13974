"""The object store, against a real S3 server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import hashlib
import random
import socket
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
import pytest_asyncio

from relay.domain.segments import SEGMENT_BYTES
from relay.settings import MIB, Settings
from relay.storage.objects import ObjectMissing, Objects, StoreUnavailable, segment_key

SIZE = 2 * SEGMENT_BYTES + 12_345


@pytest_asyncio.fixture
async def objects(settings: Settings) -> AsyncIterator[Objects]:
    """The store of this test's own bucket."""
    store = await Objects.connect(settings)
    yield store
    await store.close()


def body_of(size: int) -> bytes:
    """Bytes that are the same on every run."""
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


async def in_chunks(body: bytes, size: int) -> AsyncGenerator[bytes]:
    """A body as it comes from a worker."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def test_an_object_comes_back_as_it_was_put(objects: Objects) -> None:
    """What was put is what comes back, also after it was put again."""
    await objects.put("one/000000", b"first")
    await objects.put("one/000000", b"second")

    assert await objects.get("one/000000") == b"second"


async def test_a_missing_object_is_named_as_missing(objects: Objects) -> None:
    """Nothing under a name is ObjectMissing, not an empty body."""
    with pytest.raises(ObjectMissing):
        await objects.get("one/000000")
    with pytest.raises(ObjectMissing):
        await anext(objects.read("one", 0, 10))


async def test_a_body_is_cut_into_segments_and_hashed(objects: Objects) -> None:
    """Each 8 MiB become one object, whatever the size of the pieces, and its digest is its SHA-256."""
    body = body_of(SIZE)

    digests = await objects.put_segments("whole", in_chunks(body, 1_000_003))

    cuts = [body[start : start + SEGMENT_BYTES] for start in range(0, SIZE, SEGMENT_BYTES)]
    assert digests == [hashlib.sha256(cut).digest() for cut in cuts]
    assert await objects.keys("whole") == [segment_key("whole", number) for number in range(3)]
    assert await objects.get(segment_key("whole", 2)) == cuts[2]


async def test_an_empty_body_has_no_segments(objects: Objects) -> None:
    """No bytes, no objects."""
    assert await objects.put_segments("empty", in_chunks(b"", 1)) == []
    assert await objects.keys("empty") == []


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, SIZE),
        (0, 1),
        (SIZE - 1, SIZE),
        (SEGMENT_BYTES - 1, SEGMENT_BYTES + 1),
        (SEGMENT_BYTES, 2 * SEGMENT_BYTES),
        (5, 2 * SEGMENT_BYTES + 7),
        (7, 7),
    ],
)
async def test_any_range_of_a_body_is_read_across_segments(
    objects: Objects, start: int, stop: int
) -> None:
    """A range reads the same wherever it begins and ends."""
    body = body_of(SIZE)
    await objects.put_segments("whole", in_chunks(body, MIB))

    read = [chunk async for chunk in objects.read("whole", start, stop)]

    assert b"".join(read) == body[start:stop]


async def test_a_body_that_is_shorter_than_it_should_be_is_an_error(objects: Objects) -> None:
    """A segment that lost its end never passes as a whole one."""
    await objects.put(segment_key("cut", 0), body_of(1000))

    with pytest.raises(ObjectMissing):
        _ = [chunk async for chunk in objects.read("cut", 0, 1001)]


async def test_a_reader_that_leaves_early_gives_its_connections_back(objects: Objects) -> None:
    """Anyone who stops watching, at any moment, leaves no request and no open connection behind."""
    await objects.put_segments("whole", in_chunks(body_of(SIZE), MIB))
    before = asyncio.all_tasks()

    for number in range(20):
        async with contextlib.aclosing(objects.read("whole", 0, SIZE)) as chunks:
            for _ in range(number):
                await anext(chunks)
    for number in range(20):
        reading = asyncio.create_task(anext(objects.read("whole", 0, SIZE)))
        await asyncio.sleep(number / 2000)
        reading.cancel()
        await asyncio.wait([reading])
    await objects.close()

    gc.collect()  # a connection that was forgotten warns here, and a warning fails the test
    assert {task for task in asyncio.all_tasks() if not task.done()} == before


async def test_a_prefix_is_removed_and_its_neighbour_stays(objects: Objects) -> None:
    """`ab` is no part of `a`."""
    for key in ("a/000000", "a/000001.8388608-8388610", "ab/000000"):
        await objects.put(key, b"x")

    await objects.delete_prefix("a")
    await objects.delete_prefix("a")

    assert await objects.keys("a") == []
    assert await objects.keys("ab") == ["ab/000000"]


async def test_the_bucket_is_made_once(objects: Objects, settings: Settings) -> None:
    """Making a bucket that is there changes nothing."""
    await objects.put("one/000000", b"kept")

    await objects.ensure_bucket()

    assert await objects.get("one/000000") == b"kept"
    assert await objects.is_reachable()


async def test_a_store_that_is_away_is_said_to_be_away(settings: Settings, free_port: int) -> None:
    """No answer is `store-unavailable` for anyone who asked, never an error of the library."""
    away = dataclasses.replace(settings, s3_endpoint=f"http://127.0.0.1:{free_port}")
    store = await Objects.connect(away)
    try:
        assert not await store.is_reachable()
        with pytest.raises(StoreUnavailable):
            await store.put("one/000000", b"x")
    finally:
        await store.close()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
