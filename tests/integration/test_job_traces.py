"""A video's job is in the trace of the request that made it, and forgets it at its end."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import uuid
from collections.abc import Iterator, Mapping

import asyncpg
import pytest

from relay.domain.transitions import State
from relay.tracing import context
from tests.support.collector import ENDPOINT, Collected, Collector, collector, traced
from tests.support.identifying import identifying
from tests.support.videos import VideoCase, make_video

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
PROCESS = "process relay:jobs"
SUBMIT = "PUT /v1/messages/{message}/revisions/{revision}"
KEPT = "select count(*) from jobs where traceparent is not null"
MESSAGING: Mapping[str, str | int | float | bool] = {
    "messaging.system": "redis",
    "messaging.destination.name": "relay:jobs",
}


@pytest.fixture
def collected() -> Iterator[Collector]:
    """A collector."""
    with collector() as found:
        yield found


async def send(videos: VideoCase) -> uuid.UUID:
    """Have a video sent within a caller's trace; its message."""
    headers = videos.case.harmed.session.connection.http.headers
    headers["traceparent"] = GOOD
    headers["tracestate"] = "vendor=somebody"
    try:
        return await videos.send(make_video(videos.folder))
    finally:
        del headers["traceparent"], headers["tracestate"]


async def kept(videos: VideoCase) -> str | None:
    """What stands beside the one job that there is."""
    async with videos.unguarded.connection() as connection:
        found: str | None = await connection.fetchval("select traceparent from jobs")
    return found


async def test_a_request_leads_through_the_queue_into_the_worker(
    videos: VideoCase, collected: Collector, database_url: str
) -> None:
    """One trace, each span inside the right other one; Redis knows nothing of it, and the job no more."""
    with traced(collected):
        message_id = await send(videos)
        traceparent = await kept(videos)
        in_redis = [
            await videos.redis.get(key) async for key in videos.redis.scan_iter("arq:job:*")
        ]
        await videos.transcoders().run(await videos.job_of(message_id))
    await videos.require_prepared_once(message_id)

    [served] = collected.named(SUBMIT)
    assert (served.trace_id, served.parent_id) == (TRACE, SPAN)
    assert traceparent == f"00-{TRACE}-{served.span_id}-01"
    job_id = await videos.job_of(message_id)
    assert in_redis == [b'{"job":"%s"}' % str(job_id).encode()]
    [woken] = collected.named("wake relay:jobs")
    assert (woken.trace_id, woken.parent_id, woken.kind) == (TRACE, served.span_id, "PRODUCER")
    sending = {"messaging.operation.type": "send", "messaging.operation.name": "wake"}
    assert woken.attributes == {**MESSAGING, **sending}
    [processed] = collected.named(PROCESS)
    require_steps(collected, processed, served)
    assert await videos.count(KEPT) == 0
    values = await identifying(database_url)
    assert str(job_id) in values
    texts = "\n".join(
        "\n".join([span.name, *span.attributes, *map(str, span.attributes.values())])
        for span in collected.spans
    )
    assert [value for value in values if value in texts] == []


def require_steps(collected: Collector, processed: Collected, served: Collected) -> None:
    """Assert what the span of a whole attempt has in it."""
    assert (processed.trace_id, processed.parent_id) == (TRACE, served.span_id)
    assert (processed.kind, processed.links, processed.is_error) == ("CONSUMER", (), False)
    age = processed.attributes["relay.job.age"]
    assert 0 <= float(age) < 60
    processing = {"messaging.operation.type": "process", "messaging.operation.name": "process"}
    assert processed.attributes == {
        **MESSAGING,
        **processing,
        "relay.job.attempt": 1,
        "relay.job.age": age,
        "relay.job.outcome": "done",
    }
    steps = [span for span in collected.children(processed) if span.kind == "INTERNAL"]
    assert [span.name for span in steps] == ["fetch", "transcode", "seal and store", "hand in"]
    for before, after in itertools.pairwise(steps):
        assert processed.began <= before.began <= before.ended <= after.began
    fetched, transcoded, stored, handed_in = (collected.children(step) for step in steps)
    assert [span.name for span in fetched] == ["S3/GetObject"]
    assert [span.name for span in transcoded] == ["probing", "measuring", "encoding", "checking"]
    assert [span.name for span in stored] == ["S3/PutObject", "S3/PutObject"]
    assert "jobs.end_job" in [span.name for span in handed_in]
    assert not [span for span in collected.spans if span.name == "jobs.renew_job"]


async def test_what_is_tried_again_has_a_trace_of_its_own(
    videos: VideoCase, collected: Collector
) -> None:
    """With a link to the request; what went wrong before is an error of the first attempt, by its code."""
    with traced(collected):
        message_id = await send(videos)
        job_id = await videos.job_of(message_id)
        [key] = await videos.objects.keys("uploads")
        body = await videos.objects.get(key)
        await videos.objects.delete([key])
        await videos.transcoders().run(job_id)
        assert await videos.count(KEPT) == 1
        await videos.objects.put(key, body)
        await videos.execute("update jobs set not_before = now()")
        await videos.transcoders().run(job_id)
    [served] = collected.named(SUBMIT)
    first, second = collected.named(PROCESS)
    assert (first.trace_id, first.parent_id, first.links) == (TRACE, served.span_id, ())
    assert (first.is_error, first.attributes["error.type"]) == (True, "object-missing")
    assert first.attributes["relay.job.outcome"] == "retry"
    assert second.trace_id != TRACE
    assert second.parent_id == ""
    assert second.links == ((TRACE, served.span_id),)
    assert (second.is_error, second.attributes["relay.job.attempt"]) == (False, 2)


async def test_what_was_waited_for_long_has_a_trace_of_its_own(
    videos: VideoCase, collected: Collector
) -> None:
    """Whoever assembles traces has long closed the one of the request."""
    with traced(collected):
        message_id = await send(videos)
        await videos.execute("update jobs set created_at = now() - interval '11 minutes'")
        await videos.transcoders().run(await videos.job_of(message_id))
    [served] = collected.named(SUBMIT)
    [processed] = collected.named(PROCESS)
    assert (processed.parent_id, processed.links) == ("", ((TRACE, served.span_id),))
    assert float(processed.attributes["relay.job.age"]) > 600


async def test_a_video_that_cannot_be_prepared_says_why(
    videos: VideoCase, collected: Collector
) -> None:
    """By a code; the step in which it was found is an error as well."""
    no_video = videos.folder / "no-video.mp4"
    no_video.write_bytes(b"words of somebody" * 1000)
    with traced(collected):
        message_id = await videos.send(no_video)
        await videos.transcoders().run(await videos.job_of(message_id))
    failure = (await videos.message(message_id)).failure
    [processed] = collected.named(PROCESS)
    assert (processed.is_error, processed.attributes["error.type"]) == (True, failure)
    assert processed.attributes["relay.job.outcome"] == "failed"
    assert "somebody" not in "".join(span.everything for span in collected.spans)
    assert await videos.count(KEPT) == 0


async def test_a_withdrawn_video_is_in_no_trace(videos: VideoCase, collected: Collector) -> None:
    """Whoever ends a job, its trace goes with it; the web service has no right to it."""
    with traced(collected):
        message_id = await send(videos)
        assert await videos.count(KEPT) == 1
        await videos.case.harmed.withdraw(message_id)
    assert (await videos.message(message_id)).state is State.WITHDRAWN
    assert await videos.count("select count(*) from jobs where state = 'cancelled'") == 1
    assert await videos.count(KEPT) == 0


async def test_nothing_is_kept_where_nobody_records(videos: VideoCase) -> None:
    """Of a caller's trace there is nothing in the database."""
    await send(videos)
    assert await kept(videos) is None


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "words",
        GOOD.upper(),
        f"{GOOD}\n",
        f"{GOOD}-more",
        f"01-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-02",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01" + "0" * 1000,
    ],
)
async def test_the_schema_keeps_nothing_else(videos: VideoCase, hostile: str) -> None:
    """Not for a superuser either: 55 characters of one form, or nothing."""
    await send(videos)
    with pytest.raises(asyncpg.CheckViolationError):
        await videos.execute("update jobs set traceparent = $1", hostile)
    await videos.execute("update jobs set traceparent = $1", GOOD)
    assert context.parse(GOOD) is not None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with videos.database.connection() as connection:
            await connection.execute("update jobs set traceparent = null")


async def test_a_sweep_is_a_trace_with_its_steps(videos: VideoCase, collected: Collector) -> None:
    """Each step with what it asked; one that fails says how, and the others are there."""
    await videos.execute("alter table unsent_texts rename to mislaid")
    try:
        with traced(collected):
            await videos.sweep.once()
    finally:
        await videos.execute("alter table mislaid rename to unsent_texts")
    [sweep] = collected.named("sweep")
    assert sweep.parent_id == ""
    steps = collected.children(sweep)
    assert [step.name for step in steps] == [
        f"sweep {step.__name__}" for step in videos.sweep.steps
    ]
    failed = [step for step in steps if step.is_error]
    assert [(step.name, step.attributes["error.type"]) for step in failed] == [
        ("sweep forget_unsent", "UndefinedTableError")
    ]
    [asked] = collected.children(failed[0])
    assert asked.name == "unsent.delete_old"


async def test_a_worker_process_sends_its_traces(videos: VideoCase, collected: Collector) -> None:
    """As a whole process, with a jail that holds; its log names the trace, and it ends in time."""
    with traced(collected):
        message_id = await send(videos)
    variables = {ENDPOINT: collected.url, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=a-secret"}
    with videos.running() as workers:
        worker = workers.start(**variables)
        await videos.until_state(message_id, "queued")
        await asyncio.to_thread(collected.until, lambda: collected.named(PROCESS))
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
    [processed] = collected.named(PROCESS)
    assert processed.trace_id == TRACE
    assert processed.resource["service.name"] == "relay-worker"
    logged = [json.loads(line) for line in videos.said().splitlines()]
    assert TRACE in {
        line.get("trace_id") for line in logged if line["message"].endswith("attempt 1")
    }
    assert "a-secret" not in videos.said()
