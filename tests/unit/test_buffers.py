"""Memory of segments: what is held is counted, whichever way a buffer goes, and little of it is kept."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final

from relay.domain.segments import SEGMENT_BYTES
from relay.settings import KIB, MIB
from relay.storage.buffers import (
    ENOUGH_BYTES,
    PLENTY_SEGMENTS,
    SPARE_SEGMENTS,
    TAILS_AT_ONCE,
    SegmentBuffer,
    SegmentBuffers,
)

STEPS: Final = 500


def test_what_is_held_is_what_is_in_the_buffers(chance: random.Random) -> None:
    """Filled, given back, freed, forgotten or lost: the sum is that of the buffers that are left."""
    buffers = SegmentBuffers()
    mine: list[SegmentBuffer] = []
    for _ in range(STEPS):
        step = chance.choice(["take", "write", "write", "give back", "free", "lose"])
        if step == "take" or not mine:
            mine.append(buffers.take())
            assert len(mine[-1]) == 0
            continue
        one = mine[chance.randrange(len(mine))]
        if step == "write":
            one.write(bytes(min(one.room, chance.randrange(MIB))))
        elif step == "free":
            one.free()
        else:
            mine.remove(one)
            if step == "give back":
                buffers.give_back(one)
            del one
        assert buffers.held_bytes == sum(map(len, mine))


def test_memory_that_was_freed_is_empty_and_can_be_used_again() -> None:
    """Its pages went back to the system: what is written later stands in fresh ones."""
    buffer = SegmentBuffers().take()
    buffer.write(b"\xff" * SEGMENT_BYTES)
    buffer.free()
    assert (len(buffer), buffer.room) == (0, SEGMENT_BYTES)
    buffer.write(b"words")
    assert bytes(buffer.view()) == b"words"


def test_few_buffers_are_kept_and_none_where_many_are_in_use() -> None:
    """A spare one is whole in memory, however little is in it then."""
    buffers = SegmentBuffers()
    many = [buffers.take() for _ in range(2 * PLENTY_SEGMENTS)]
    first = many.pop()
    buffers.give_back(first)
    assert buffers.take() is not first
    few = many[:SPARE_SEGMENTS]
    del many[:], first
    for one in list(few):
        buffers.give_back(one)
    assert {id(buffers.take()) for _ in few} == {id(one) for one in few}


async def test_whoever_sends_fast_waits_until_the_store_has_taken_something() -> None:
    """And goes on at once where nothing is on its way, as with people who send slowly."""
    buffers = SegmentBuffers()
    full = [buffers.take() for _ in range(ENOUGH_BYTES // SEGMENT_BYTES)]
    for one in full:
        one.write(bytes(SEGMENT_BYTES))
    await asyncio.wait_for(buffers.room(1), 1)
    with buffers.emptying(full[-1]):
        waiting = [asyncio.create_task(buffers.room(MIB)) for _ in range(3)]
        given_up = asyncio.create_task(buffers.room(MIB))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        buffers.give_back(full.pop())
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    with buffers.emptying(full[-1]):
        await asyncio.wait_for(buffers.room(MIB), 1)


async def test_nobody_waits_where_what_is_on_its_way_makes_no_room() -> None:
    """Two hundred phones hold more than enough, and one of them is stored: the others send on."""
    buffers = SegmentBuffers()
    phones = [buffers.take() for _ in range(200)]
    for one in phones:
        one.write(bytes(MIB))
    assert buffers.staying_bytes == buffers.held_bytes == 200 * MIB
    with buffers.emptying(phones[0]):
        assert buffers.staying_bytes == 199 * MIB
        await asyncio.wait_for(asyncio.gather(*(buffers.room(1) for _ in phones)), 1)
    assert buffers.staying_bytes == 200 * MIB


async def test_it_goes_on_waiting_while_others_fill_what_became_free() -> None:
    """Each looks again before it writes, so that all of them together take no more than there is room for."""
    buffers = SegmentBuffers()
    full = [buffers.take() for _ in range(ENOUGH_BYTES // SEGMENT_BYTES)]
    for one in full:
        one.write(bytes(SEGMENT_BYTES))
    filled = [buffers.take() for _ in range(4)]

    async def fill(buffer: SegmentBuffer) -> None:
        await buffers.room(SEGMENT_BYTES)
        buffer.write(bytes(SEGMENT_BYTES))

    with buffers.emptying(full[0]):
        tasks = [asyncio.create_task(fill(buffer)) for buffer in filled]
        await asyncio.sleep(0)
        with buffers.emptying(full[-1]):
            full.pop().free()
        await asyncio.sleep(0.01)
        assert [task.done() for task in tasks].count(True) == 1
        assert buffers.held_bytes == ENOUGH_BYTES
    await asyncio.wait_for(asyncio.gather(*tasks), 1)


def test_people_who_send_slowly_store_by_turns(chance: random.Random) -> None:
    """Whoever comes when there is too much stores, while others are stored; never all at once."""
    buffers, most = SegmentBuffers(), 32 * MIB
    phones = [buffers.take() for _ in range(200)]
    storing: dict[int, contextlib.ExitStack] = {}
    at_once = 0
    for _ in range(40):
        for number in chance.sample(range(len(phones)), len(phones)):
            if number in storing:
                continue
            if buffers.is_too_much(16 * KIB, most) and len(phones[number]) >= 64 * KIB:
                storing[number] = contextlib.ExitStack()
                storing[number].enter_context(buffers.emptying(phones[number]))
            else:
                phones[number].write(bytes(16 * KIB))
        at_once = max(at_once, len(storing))
        assert buffers.held_bytes <= most
        for number, stored in storing.items():
            phones[number].free()
            stored.close()
        storing.clear()
    assert 0 < at_once <= len(phones) // 4


async def test_few_store_what_there_is_of_a_segment_at_once() -> None:
    """Each takes as much memory again for what is joined, and a connection to the store."""
    buffers = SegmentBuffers()
    now = most = 0

    async def store() -> None:
        nonlocal now, most
        async with buffers.turns:
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(store() for _ in range(200)))
    assert most == TAILS_AT_ONCE
