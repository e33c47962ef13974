"""What a worker counts of its jobs: how each attempt ended, why, and how fast it transcoded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import generate_latest

from relay.metrics import REGISTRY
from relay.settings import Settings
from tests.support.scrapes import Scrape, scrape
from tests.support.videos import VideoCase, make_video
from tests.support.web_process import web_process

ATTEMPTS: Final = "relay_job_duration_seconds_count"
SOON_SECONDS: Final = 20


class Counting:
    """What was counted since this was made."""

    def __init__(self) -> None:
        self._before = Scrape(generate_latest(REGISTRY).decode())

    def more(self, name: str, **labels: str) -> float:
        """How much a counter has grown."""
        now = Scrape(generate_latest(REGISTRY).decode()).value(name, **labels) or 0
        return now - (self._before.value(name, **labels) or 0)


async def test_every_attempt_is_counted_by_its_end(videos: VideoCase) -> None:
    """One that succeeds, one that finds no video, and one that has to be made again."""
    counting = Counting()
    done = await videos.send(make_video(videos.folder))
    await videos.transcoders().run(await videos.job_of(done))
    assert counting.more(ATTEMPTS, outcome="done") == 1
    assert counting.more("relay_transcode_ratio_count") == 1
    assert counting.more("relay_transcode_ratio_sum") > 0
    assert counting.more("relay_uploads_ended_total", reason="submitted") == 1

    no_video = videos.folder / "no-video.mp4"
    no_video.write_bytes(b"words" * 1000)
    failed = await videos.send(no_video)
    await videos.transcoders().run(await videos.job_of(failed))
    assert counting.more(ATTEMPTS, outcome="failed") == 1
    failure = (await videos.message(failed)).failure
    assert failure is not None
    assert counting.more("relay_job_failures_total", code=failure) == 1

    without = await videos.send(make_video(videos.folder))
    for prefix in {key.rpartition("/")[0] for key in await videos.objects.keys("uploads")}:
        await videos.objects.delete_prefix(prefix)
    await videos.transcoders().run(await videos.job_of(without))
    assert counting.more(ATTEMPTS, outcome="retry") == 1
    assert counting.more("relay_job_retries_total", code="object-missing") == 1
    assert counting.more("relay_transcode_ratio_count") == 1


async def test_a_step_of_the_sweep_that_fails_is_counted(videos: VideoCase) -> None:
    """By the name of the step; the others are not."""
    counting = Counting()
    await videos.execute("alter table unsent_texts rename to mislaid")
    try:
        await videos.sweep.once()
    finally:
        await videos.execute("alter table mislaid rename to unsent_texts")
    assert counting.more("relay_sweep_failures_total", step="forget_unsent") == 1
    assert counting.more("relay_sweep_failures_total", step="end_sessions") == 0


async def test_a_worker_and_a_web_process_serve_what_they_count(
    videos: VideoCase,
    settings: Settings,
    tmp_path: Path,
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    """As whole processes: with what the kernel knows of them, and each with its own part."""
    of_worker, of_web = (f"127.0.0.1:{unused_tcp_port_factory()}" for _ in range(2))
    web = web_process(settings, tmp_path, unused_tcp_port_factory())
    web.environment["RELAY_METRICS_LISTEN"] = of_web
    await web.start()
    try:
        with videos.running() as workers:
            worker = workers.start(RELAY_METRICS_LISTEN=of_worker)
            await videos.until_said("worker", "is ready")
            message = await videos.send(make_video(videos.folder))
            await videos.until_state(message, "queued")
            async with asyncio.timeout(SOON_SECONDS):
                while (by_worker := await scrape(of_worker)).value(ATTEMPTS, outcome="done") != 1:  # noqa: ASYNC110 - a process
                    await asyncio.sleep(0.1)
            by_web = await scrape(of_web)
            worker.terminate()
            assert await asyncio.to_thread(worker.wait, SOON_SECONDS) == 0
        web.tell_to_stop()
        assert await web.ended() == 0
    finally:
        await web.kill()
    for scraped in (by_worker, by_web):
        assert (scraped.value("process_resident_memory_bytes") or 0) > 1e7
        assert (scraped.value("process_open_fds") or 0) > 5
        assert scraped.value("relay_database_up") == 1
    assert "relay_queue_items" in by_worker.names
    assert "relay_queue_items" not in by_web.names
