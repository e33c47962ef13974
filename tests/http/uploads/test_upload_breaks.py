"""Connections that break, hang or come twice: what arrived is kept, and a new one continues at once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import object_prefix
from tests.support.uploads import (
    Sending,
    another_relay,
    body_of,
    checksum_of,
    digests_of,
    pieces_of,
    upload_of,
)

CUTS = [1, 100, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES]


@pytest.mark.slow
async def test_the_tail_of_a_broken_connection_is_kept(draft: Sending) -> None:
    """Whatever arrived before a break counts, to the byte, and none of it is sent again."""
    body = body_of(2 * SEGMENT_BYTES + 777)

    for cut in CUTS:
        path = await draft.create(len(body))
        writer = await draft.begin_patch(path, 0, len(body), body[:cut])
        writer.cut()

        await draft.until_kept(path, cut)
        rest = await draft.patch(path, cut, body[cut:])
        assert (rest.status, rest.offset) == (204, len(body))
        await draft.assert_whole(path, body)
        await draft.ask("DELETE", path)


@pytest.mark.slow
@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
async def test_any_cuts_make_the_same_body(draft: Sending, data: st.DataObject) -> None:
    """However the bytes are cut into requests, body and digests come out the same."""
    size = data.draw(
        st.one_of(
            st.integers(16, 2000),
            st.integers(SEGMENT_BYTES - 2, SEGMENT_BYTES + 2),
            st.integers(2 * SEGMENT_BYTES - 2, 2 * SEGMENT_BYTES + 2_000_000),
        )
    )
    near = st.sampled_from([0, SEGMENT_BYTES, 2 * SEGMENT_BYTES, size]).flatmap(
        lambda middle: st.integers(middle - 3, middle + 3)
    )
    cuts = data.draw(st.lists(st.one_of(near, st.integers(0, size)), max_size=12))
    marks = sorted({0, size, *(cut for cut in cuts if 0 < cut < size)})
    body = body_of(size)
    path = await draft.create(size)

    for start, stop in itertools.pairwise(marks):
        answer = await draft.patch(path, start, body[start:stop])
        assert (answer.status, answer.offset) == (204, stop)

    await draft.assert_whole(path, body)
    await draft.ask("DELETE", path)


@pytest.mark.slow
async def test_single_bytes_cost_little_however_many_there_are(draft: Sending) -> None:
    """300 requests of one byte leave few pieces, in the bucket as in the database, and join right."""
    body = body_of(SEGMENT_BYTES + 10)
    path = await draft.create(len(body))
    start = SEGMENT_BYTES - 150
    await draft.patch(path, 0, body[:start])

    for offset in range(start, start + 300):
        if offset < len(body):
            answer = await draft.patch(path, offset, body[offset : offset + 1])
            assert answer.offset == offset + 1
        if offset == SEGMENT_BYTES - 2:
            async with draft.database.connection() as connection:
                pieces = await pieces_of(connection, path)
            assert pieces[0] == (0, start)
            assert len(pieces) <= 9
            kept = await draft.objects.keys(object_prefix(upload_of(path)))
            assert len(kept) == len(pieces)

    await draft.assert_whole(path, body)
    async with draft.database.connection() as connection:
        assert await pieces_of(connection, path) == []
    assert len(await draft.objects.keys(object_prefix(upload_of(path)))) == 2


async def test_a_client_that_comes_back_takes_over_from_its_hanging_connection(
    draft: Sending,
) -> None:
    """While the dead connection still hangs, HEAD has all that it brought, and PATCH continues: at once."""
    body = body_of(SEGMENT_BYTES + 1_000_000)
    path = await draft.create(len(body))
    hanging = await draft.begin_patch(path, 0, len(body), body[: SEGMENT_BYTES + 4321])

    started = time.monotonic()
    known = await draft.head(path)
    rest = await draft.patch(path, known.offset, body[known.offset :])
    took = time.monotonic() - started

    assert known.offset == SEGMENT_BYTES + 4321
    assert (rest.status, rest.offset) == (204, len(body))
    assert took < 1
    await draft.assert_whole(path, body)
    hanging.cut()


async def test_a_patch_takes_over_without_asking_first(draft: Sending) -> None:
    """A PATCH at the right place ends the connection that hangs there, without waiting for it."""
    body = body_of(500_000)
    path = await draft.create(len(body))
    hanging = await draft.begin_patch(path, 0, len(body), b"")

    answer = await draft.patch(path, 0, body)

    assert (answer.status, answer.offset) == (204, len(body))
    await draft.assert_whole(path, body)
    hanging.cut()


@pytest.mark.slow
async def test_two_connections_at_once_never_mix(draft: Sending) -> None:
    """Of many that send at the same time each byte comes from one of them, in its place."""
    body = body_of(3 * SEGMENT_BYTES)
    path = await draft.create(len(body))

    async def send_on() -> None:
        offset = (await draft.head(path)).offset
        while offset < len(body):
            try:
                answer = await draft.patch(path, offset, body[offset : offset + 3_000_000])
            except aiohttp.ClientError:  # refused, and the rest of too many others is being taken
                offset = (await draft.head(path)).offset
                continue
            assert answer.status in {204, 409}
            offset = answer.offset if answer.status == 204 else (await draft.head(path)).offset

    async with asyncio.timeout(60):
        await asyncio.gather(*(send_on() for _ in range(3)))

    await draft.assert_whole(path, body)


async def test_a_writer_of_another_process_is_refused_once_another_took_over(
    draft: Sending, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """Two web processes: what the older one had not stored is refused, and the newer gets it again."""
    body = body_of(2 * SEGMENT_BYTES)
    path = await draft.create(len(body))
    async with another_relay(draft, unused_tcp_port_factory()) as elsewhere:
        hanging = await elsewhere.begin_patch(path, 0, len(body), body[: SEGMENT_BYTES + 999])
        await draft.until_kept(path, SEGMENT_BYTES)

        known = await draft.head(path)
        assert known.offset == SEGMENT_BYTES
        rest = await draft.patch(path, SEGMENT_BYTES, body[SEGMENT_BYTES:])
        with contextlib.suppress(ConnectionError):
            await hanging.write(b"x" * (SEGMENT_BYTES - 999))
        refused = await hanging.status()

    assert (rest.status, rest.offset) == (204, len(body))
    assert refused == 409
    finished = await draft.finished()
    assert finished is not None
    assert finished.digests == digests_of(body)


async def test_a_connection_that_sends_nothing_is_closed_and_what_it_sent_is_kept(
    draft: Sending, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """After the patience of the settings the caller is told how far it came, and its connection ends."""
    path = await draft.create(1000)
    async with another_relay(draft, unused_tcp_port_factory(), idle_seconds=1) as short:
        quiet = await short.begin_patch(path, 0, 1000, b"x" * 400)
        answer = await quiet.answer()

    assert answer.startswith("HTTP/1.1 204")
    assert "Upload-Offset: 400\r\n" in answer
    assert (await draft.head(path)).offset == 400


async def test_a_relay_that_is_stopped_keeps_what_arrived(
    draft: Sending, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """Stopping in good order stores the tail of every upload that is under way, at once."""
    body = body_of(SEGMENT_BYTES)
    path = await draft.create(len(body))
    async with another_relay(draft, unused_tcp_port_factory()) as stopping:
        writing = await stopping.begin_patch(path, 0, len(body), body[:1_234_567])

    assert await writing.status() == 503
    assert (await draft.head(path)).offset == 1_234_567
    await draft.patch(path, 1_234_567, body[1_234_567:])
    await draft.assert_whole(path, body)


async def test_what_a_checksum_covers_is_kept_whole_or_not_at_all(draft: Sending) -> None:
    """A checked request that breaks leaves nothing: what arrived of it could not be verified."""
    body = body_of(10_000)
    path = await draft.create(len(body))
    await draft.patch(path, 0, body[:100])
    headers = {"Upload-Checksum": checksum_of(body[100:])}

    writer = await draft.begin_patch(path, 100, len(body) - 100, body[100:5000], headers)
    writer.cut()
    again = await draft.patch(path, 100, body[100:], headers)

    assert (again.status, again.offset) == (204, len(body))
    await draft.assert_whole(path, body)
