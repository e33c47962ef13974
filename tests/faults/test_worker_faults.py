"""Media workers that are killed, raced, lied to and left without Redis: every video still ends well, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from relay.domain.jobs import LeaseLost
from relay.domain.transitions import State
from relay.services import processing
from tests.support.videos import STOP_SECONDS, VideoCase, make_video

KILLS = 6


# Killed.


async def test_a_killed_worker_loses_nothing(videos: VideoCase, chance: random.Random) -> None:
    """SIGKILL at moments all over the work, with Redis emptied every other time: each video arrives once."""
    video = await asyncio.to_thread(make_video, videos.folder)
    with videos.running() as workers:
        worker = workers.start()
        sent = [await videos.send(video)]
        await videos.until_leased(sent[0])
        began = time.monotonic()
        await videos.until_state(sent[0], State.QUEUED)
        undisturbed = time.monotonic() - began
        for kill in range(KILLS):
            sent.append(await videos.send(video))
            await videos.until_leased(sent[-1])
            await asyncio.sleep(undisturbed * (kill + chance.random()) / KILLS)
            family = descendants(worker.pid)
            worker.kill()
            worker.wait()
            if kill % 2:
                await videos.redis.flushall()
            await until_gone(family)
            worker = workers.start()
        for message_id in sent:
            await videos.until_state(message_id, State.QUEUED, State.FAILED)
            await videos.require_prepared_once(message_id)
    assert await videos.count("select count(*) from jobs where attempts > 1"), "none was disturbed"
    await videos.require_tidy()


async def test_a_stopped_worker_gives_its_job_back(videos: VideoCase) -> None:
    """SIGTERM in the middle: exit 0, nothing of the jail left, and the next worker has the job at once."""
    video = await asyncio.to_thread(make_video, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start()
        message_id = await videos.send(video)
        await videos.until_stage(message_id, "encoding")
        family = descendants(worker.pid)
        assert "bwrap" in family.values()

        worker.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 0
        given_back = "select count(*) from jobs where state = 'waiting' and attempts = 0"
        assert await videos.count(given_back) == 1
        await until_gone(family)
        workers.start()
        await videos.until_state(message_id, State.QUEUED)
    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


async def test_a_worker_of_several_videos_gives_all_of_them_back(videos: VideoCase) -> None:
    """Videos of two people, each longer than a lease, and SIGTERM: both wait again, tried once each."""
    video = await asyncio.to_thread(make_video, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start(RELAY_WORKER_JOBS="2")
        sent = [await videos.send(video), await videos.send(video, back=True)]
        for message_id in sent:
            await videos.until_stage(message_id, "encoding")
        await asyncio.sleep(2 * videos.settings.job_lease_seconds)
        family = descendants(worker.pid)

        worker.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 0
        given_back = "select count(*) from jobs where state = 'waiting' and attempts = 0"
        assert await videos.count(given_back) == 2, videos.said()
        await until_gone(family)
    assert videos.said().count("attempt 1") == 2
    assert "attempt 2" not in videos.said()


async def test_plaintext_is_in_memory_alone(videos: VideoCase) -> None:
    """While a video is prepared, no process of the worker has a file open for writing but its log."""
    video = await asyncio.to_thread(make_video, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start()
        message_id = await videos.send(video)
        await videos.until_stage(message_id, "encoding")
        family = {worker.pid: "worker", **descendants(worker.pid)}
        written = {path for pid in family for path in open_for_writing(pid)}
        worker.send_signal(signal.SIGTERM)
        await asyncio.to_thread(worker.wait, STOP_SECONDS)
    assert any("memfd:relay" in path for path in written), "the rendition"
    on_disk = {path for path in written if path.startswith("/") and "memfd:" not in path}
    assert on_disk <= {"/dev/null", str(videos.folder / "worker.log")}


async def test_a_frozen_worker_hands_nothing_in(videos: VideoCase) -> None:
    """A worker that stood still past its lease finds another's work done when it wakes, and lets go."""
    video = await asyncio.to_thread(make_video, videos.folder, 6)
    with videos.running() as workers:
        frozen = workers.start("frozen")
        message_id = await videos.send(video)
        await videos.until_leased(message_id)
        frozen.send_signal(signal.SIGSTOP)
        workers.start("other")
        await videos.until_state(message_id, State.QUEUED)

        frozen.send_signal(signal.SIGCONT)
        await videos.until_said("frozen", "LeaseLost")

    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


# Left without Redis.


async def test_an_emptied_redis_loses_nothing(videos: VideoCase) -> None:
    """FLUSHALL while one video is prepared and others wait: all of them arrive."""
    video = await asyncio.to_thread(make_video, videos.folder)
    with videos.running() as workers:
        workers.start()
        sent = [await videos.send(video) for _ in range(3)]
        await videos.until_leased(sent[0])
        await videos.redis.flushall()
        for message_id in sent:
            await videos.until_state(message_id, State.QUEUED)
            await videos.require_prepared_once(message_id)


async def test_what_was_begun_goes_on_while_redis_is_away(videos: VideoCase) -> None:
    """When every connection to Redis breaks, the running job ends as it would, and the next one is taken."""
    video = await asyncio.to_thread(make_video, videos.folder, 6)
    with videos.running() as workers:
        workers.start()
        first = await videos.send(video)
        await videos.until_leased(first)
        for _ in range(20):
            await videos.redis.client_kill_filter(_type="normal")
            await asyncio.sleep(0.05)
        second = await videos.send(video)
        for message_id in (first, second):
            await videos.until_state(message_id, State.QUEUED)
            await videos.require_prepared_once(message_id)
    assert await videos.count("select max(attempts) from jobs") == 1


# Raced.


async def test_two_workers_at_once_take_a_job_once(videos: VideoCase) -> None:
    """Two workers are woken for one job: one takes it, the other finds nothing to do."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    job_id = await videos.job_of(message_id)

    await asyncio.gather(videos.transcoders().run(job_id), videos.transcoders().run(job_id))

    await videos.require_prepared_once(message_id)
    assert await videos.count("select attempts from jobs") == 1
    await videos.require_tidy()


async def test_of_two_workers_on_one_video_one_hands_in(videos: VideoCase) -> None:
    """Two attempts both come to their end; the one whose lease was taken over is refused as a whole."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    job_id = await videos.job_of(message_id)
    first = await processing.lease_job(videos.database, videos.settings, job_id, videos.worker)
    assert first is not None
    source = await processing.find_source(videos.database, videos.settings, videos.worker, first)
    await videos.execute("update jobs set lease_expires_at = now() - interval '1 second'")

    await videos.transcoders().run(job_id)

    await videos.require_prepared_once(message_id)
    made = await videos.prepare_by_hand()
    with pytest.raises(LeaseLost):
        await processing.finish(videos.database, videos.worker, first, source, made)
    with pytest.raises(LeaseLost):
        await processing.fail(videos.database, videos.worker, first, "video-refused")
    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


def descendants(pid: int) -> dict[int, str]:
    """The processes below a process, with their names."""
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                name, _, rest = (
                    (entry / "stat").read_text("utf-8").partition("(")[2].rpartition(")")
                )
                names[int(entry.name)] = name
                children.setdefault(int(rest.split()[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    below = [pid]
    while below:
        for child in children.get(below.pop(), []):
            found[child] = names[child]
            below.append(child)
    return found


def open_for_writing(pid: int) -> set[str]:
    """What a process could write to."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text("ascii")
            flags = int(told.split("flags:")[1].split()[0], 8)
            if flags & os.O_ACCMODE != os.O_RDONLY:
                found.add(str(descriptor.readlink()))
    return found


async def until_gone(processes: dict[int, str]) -> None:
    """Wait until none of these processes is left."""
    async with asyncio.timeout(STOP_SECONDS):
        while any(is_running(pid, name) for pid, name in processes.items()):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)


def is_running(pid: int, name: str) -> bool:
    """Whether this very process runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    found, _, rest = stat.partition("(")[2].rpartition(")")
    return found == name and rest.split()[0] not in {"Z", "X"}
