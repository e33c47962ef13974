"""What is in Redis is not believed: only jobs as relay writes them reach a worker, the rest is dropped.

And who may put what there: the users that the embedded Redis has, as a deployment's has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import pickle
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
import redis.asyncio
import redis.exceptions
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker, func
from redis.exceptions import AuthenticationError

from relay.embedded import Access, Services
from relay.queue import QUEUE_NAME, TRANSCODE, Listener, Queue
from relay.settings import Settings
from tests.support.service_users import redis_as

MARK: Final = "HOSTILE"
"""In everything that is planted here, and to be in no log."""
SOON_SECONDS: Final = 30
WAKING: Final = frozenset({"ping", "info", "select", "multi", "exec", "psetex", "zadd"})
WEB: Final = WAKING | {"evalsha", "incrby", "expire"}
"""What counts requests does so in a script of the library's, under the same rules."""
LOADING: Final = "script load"
"""Of web's too; older servers list no commands of two words."""
WORKER: Final = WAKING | {
    *(
        "watch",
        "unwatch",
        "exists",
        "type",
        "get",
        "getrange",
        "incrby",
        "setex",
        "expire",
        "pexpire",
        "del",
    ),
    *("zrangebyscore", "zscore", "zrem"),
}
"""The commands that each user may give."""
NOBODY_REFUSED: Final = frozenset({"auth", "hello", "quit", "reset"})
"""Those that Redis asks no rights for."""

Client = redis.asyncio.Redis


class Runs:
    """What arq's own job may be: unpickled, it writes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Called where this is unpickled."""
        return Path.touch, (self.file,)


def pickled(file: Path) -> bytes:
    """A job as arq writes them by default, which runs code in the process that reads it."""
    return pickle.dumps({"t": None, "f": TRANSCODE, "a": (Runs(file),), "k": {MARK: MARK}, "et": 0})


class Work:
    """Notes for which jobs it was called."""

    def __init__(self) -> None:
        self.done: list[uuid.UUID] = []

    async def __call__(self, job_id: uuid.UUID) -> None:
        """Do a job."""
        self.done.append(job_id)

    async def until(self, job_id: uuid.UUID) -> None:
        """Wait until a job was done."""

        async def is_done() -> bool:
            return job_id in self.done

        await until(is_done)


async def say(client: Client, *words: object) -> object:
    """One command as it is now, whatever the client's library thinks of it."""
    connection = client.connection
    assert connection is not None
    await connection.send_command(*words)
    return await connection.read_response()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


async def until_empty(administrator: Client) -> None:
    """Wait until nothing at all is left in Redis."""

    async def is_empty() -> bool:
        return bool(await administrator.dbsize() == 0)

    await until(is_empty)


@pytest_asyncio.fixture
async def administrator(redis_url: str) -> AsyncIterator[Client]:
    """Somebody who may write anything into Redis."""
    async with Client.from_url(redis_url, single_connection_client=True) as client:
        yield client


@pytest_asyncio.fixture
async def queue(settings: Settings) -> AsyncIterator[Queue]:
    """As the web service wakes workers."""
    opened = await Queue.connect(settings.redis_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def work(worker_settings: Settings) -> AsyncIterator[Work]:
    """What a worker would do, called by a listener that is a worker's."""
    noted = Work()
    listener = Listener(
        worker_settings.redis_url, noted, at_once=2, timeout_seconds=60, forget_seconds=3
    )
    listening = asyncio.create_task(listener.run())
    yield noted
    assert not listening.done(), "what was planted ended the listener"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def plant(
    administrator: Client,
    wire: bytes | None,
    *,
    member: bytes | None = None,
    score: float | None = None,
) -> bytes:
    """Put an entry into the queue, older than any other, with this under the key of its job."""
    member = str(uuid.uuid4()).encode() if member is None else member
    await administrator.zadd(QUEUE_NAME, {member: score or (time.time() - 1000) * 1000})
    if wire is not None:
        await administrator.set(b"arq:job:" + member, wire)
    return member


async def require_dropped(
    administrator: Client,
    queue: Queue,
    work: Work,
    *members: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Assert that the next job is done, nothing of those entries is left, and no log quotes them."""
    job_id = uuid.uuid4()
    await queue.wake(job_id)
    await work.until(job_id)
    await until_empty(administrator)
    for member in members:
        assert member.decode("latin-1") not in caplog.text
    assert work.done == [job_id]
    assert "no jobs; dropped" in caplog.text
    assert MARK not in caplog.text


async def test_arqs_own_jobs_run_code_and_relays_do_not(
    administrator: Client,
    queue: Queue,
    redis_url: str,
    worker_settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same bytes that make a default arq worker write a file are dropped by relay's."""
    by_arq, by_relay = tmp_path / "arq", tmp_path / "relay"
    await plant(administrator, pickled(by_arq))

    async def transcode(ctx: dict[object, object], *args: object, **kwargs: object) -> None:
        pass

    pool = await create_pool(RedisSettings.from_dsn(redis_url), default_queue_name=QUEUE_NAME)
    worker = Worker(
        functions=[func(transcode, name=TRANSCODE)],
        queue_name=QUEUE_NAME,
        redis_pool=pool,
        handle_signals=False,
        burst=True,
    )
    await worker.async_run()
    await pool.aclose()
    assert by_arq.exists()
    await administrator.flushdb()

    member = await plant(administrator, pickled(by_relay))
    work = Work()
    listener = Listener(
        worker_settings.redis_url, work, at_once=1, timeout_seconds=60, forget_seconds=3
    )
    listening = asyncio.create_task(listener.run())
    await require_dropped(administrator, queue, work, member, caplog=caplog)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert not by_relay.exists()


JOB: Final = str(uuid.UUID(int=7))
PAYLOADS: Final = {
    "nothing": b"",
    "no JSON": b"\x80\x04HOSTILE",
    "no UTF-8": b'{"job":"\xff\xfeHOSTILE"}',
    "a number": b"1234",
    "null": b"null",
    "a list": json.dumps([JOB, MARK]).encode(),
    "no identifier": json.dumps({"job": MARK}).encode(),
    "an identifier of another type": json.dumps({"job": 7, MARK: 1}).encode(),
    "a nested identifier": json.dumps({"job": {"job": JOB, MARK: 1}}).encode(),
    "another job": json.dumps({"job": JOB}, separators=(",", ":")).encode(),
    "more than an identifier": json.dumps({"job": JOB, "f": MARK}).encode(),
    "arq's own form": json.dumps(
        {"t": 1, "f": TRANSCODE, "a": [JOB], "k": {MARK: 1}, "et": 0}
    ).encode(),
    "an unknown function": json.dumps(
        {"t": 1, "f": MARK, "a": [], "k": {}, "et": "yesterday"}
    ).encode(),
    "a depth that overflows": b"[" * 100_000,
    "a huge one": MARK.encode() * 100_000,
    "the right one and more": None,
}


@pytest.mark.parametrize("name", PAYLOADS)
async def test_what_is_no_job_is_dropped(
    name: str, administrator: Client, queue: Queue, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is under the key of a job, the worker lives, drops it, and does the next one."""
    member = str(uuid.uuid4()).encode()
    payload = PAYLOADS[name]
    if payload is None:
        payload = b'{"job":"' + member + b'"} '
    await plant(administrator, payload, member=member)

    await require_dropped(administrator, queue, work, member, caplog=caplog)


MEMBERS: Final = {
    "no UTF-8": b"\xff\xfe\xfd HOSTILE",
    "empty": b"",
    "words": b"HOSTILE words",
    "lines for a log": b"HOSTILE\n12:00:00 INFO relay: all is well",
    "an identifier in capitals": b"ABCDEF01-2345-6789-ABCD-EF0123456789",
    "an identifier in braces": b"{abcdef01-2345-6789-abcd-ef0123456789}",
    "an identifier without hyphens": b"abcdef0123456789abcdef0123456789",
    "an identifier and more": b"abcdef01-2345-6789-abcd-ef0123456789 ",
    "digits of another script": "\u0660bcdef01-2345-6789-abcd-ef0123456789".encode(),
    "a huge one": MARK.encode() * 100_000,
}


@pytest.mark.parametrize("has_job", [True, False])
@pytest.mark.parametrize("name", MEMBERS)
async def test_what_names_no_job_is_dropped(
    name: str,
    *,
    has_job: bool,
    administrator: Client,
    queue: Queue,
    work: Work,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An entry that is no identifier as relay writes them goes, with whatever is under its key."""
    await plant(
        administrator,
        json.dumps({"job": JOB}, separators=(",", ":")).encode() if has_job else None,
        member=MEMBERS[name],
    )

    job_id = uuid.uuid4()
    await queue.wake(job_id)
    await work.until(job_id)
    await until_empty(administrator)
    assert work.done == [job_id]
    assert "no jobs; dropped" in caplog.text
    assert MARK not in caplog.text
    assert "abcdef" not in caplog.text.casefold()


@pytest.mark.parametrize("score", [-math.inf, -1.0, -1e300, 1e-300])
async def test_a_time_of_no_world_is_dropped(
    score: float,
    administrator: Client,
    queue: Queue,
    work: Work,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An entry that arq could not count with is no job; one that is due since ever is."""
    member = str(uuid.uuid4()).encode()
    wire = b'{"job":"' + member + b'"}'
    await plant(administrator, wire, member=member, score=score)
    if score > 0:
        await work.until(uuid.UUID(member.decode()))
        return
    await require_dropped(administrator, queue, work, member, caplog=caplog)


async def test_many_entries_that_are_no_jobs_keep_none_waiting(
    administrator: Client, queue: Queue, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """A queue full of others, all older, is cleared away before the job that came last."""
    members = [await plant(administrator, None) for _ in range(500)]
    members += [await plant(administrator, MARK.encode()) for _ in range(500)]

    await require_dropped(administrator, queue, work, *members, caplog=caplog)


@pytest.mark.parametrize("key", ["arq:job:{job}", "arq:retry:{job}", "arq:abort", "relay:jobs"])
@pytest.mark.parametrize("value", ["text", "list", "hash", "set"])
async def test_other_types_in_the_places_of_keys_stop_no_worker(
    key: str,
    value: str,
    administrator: Client,
    queue: Queue,
    work: Work,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where Redis holds what arq cannot use, it is removed, and another wake does what there is to do."""
    job_id = uuid.uuid4()
    if key != "relay:jobs":
        await queue.wake(job_id)
    place = key.format(job=job_id)
    await administrator.delete(place)
    command = {"text": "SET", "list": "RPUSH", "hash": "HSET", "set": "SADD"}[value]
    await say(administrator, command, place, *([MARK] * (2 if value == "hash" else 1)))

    async def is_done() -> bool:
        await queue.wake(job_id)
        return job_id in work.done

    await until(is_done)
    assert MARK not in caplog.text


async def test_a_job_is_its_identifier_in_json(administrator: Client, queue: Queue) -> None:
    """What goes over the wire is one identifier, and a second wake changes nothing."""
    job_id = uuid.uuid4()
    for _ in range(2):
        await queue.wake(job_id)
        assert await administrator.get(f"arq:job:{job_id}") == f'{{"job":"{job_id}"}}'.encode()
        assert await administrator.zrange(QUEUE_NAME, 0, -1) == [str(job_id).encode()]
        assert await administrator.dbsize() == 2


async def test_a_job_that_was_done_leaves_nothing(
    administrator: Client, queue: Queue, work: Work
) -> None:
    """No result, no try, no sign of life: how it ended is in Postgres."""
    job_id = uuid.uuid4()
    await queue.wake(job_id)
    await work.until(job_id)
    await until_empty(administrator)


async def test_the_web_service_takes_nothing_from_redis(
    administrator: Client, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """Waking where other things stand in the places of its keys is a line in the log at most."""
    job_id = uuid.uuid4()
    for key in (QUEUE_NAME, f"arq:job:{job_id}", f"arq:result:{job_id}"):
        await administrator.flushdb()
        await say(administrator, "RPUSH", key, pickled(Path("/nowhere")))
        await queue.wake(job_id)
    assert MARK not in caplog.text


# Users.


@pytest_asyncio.fixture
async def users(redis_url: str, services: Services) -> AsyncIterator[dict[Access, Client]]:
    """A connection of each user but the administrator."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            access: await stack.enter_async_context(
                Client.from_url(
                    redis_as(access, redis_url, services), single_connection_client=True
                )
            )
            for access in (Access.WEB, Access.WORKER)
        }


async def commands(administrator: Client) -> dict[str, tuple[int, frozenset[str]]]:
    """Every command of this Redis, subcommands too, with how many words it takes and its categories."""
    found: dict[str, tuple[int, frozenset[str]]] = {}
    listed = await say(administrator, "COMMAND")
    assert isinstance(listed, list)
    for entry in listed:
        for described in entry[9] if len(entry) > 9 and entry[9] else [entry]:
            name, arity, categories = described[0], described[1], described[6]
            found[name.decode().replace("|", " ")] = (
                abs(arity),
                frozenset(category.decode() for category in categories),
            )
    return found


@pytest.mark.parametrize(
    ("access", "may"), [(Access.WEB, WEB), (Access.WORKER, WORKER)], ids=["web", "worker"]
)
async def test_every_other_command_is_refused(
    administrator: Client, users: dict[Access, Client], access: Access, may: frozenset[str]
) -> None:
    """Of every category each command that a user does not need is tried as that user, and refused."""
    every = await commands(administrator)
    assert len(every) > 200
    assert may <= every.keys()
    tried: set[str] = set()
    for name, (words, categories) in every.items():
        if name.split()[0] in may | NOBODY_REFUSED or (name == LOADING and access is Access.WEB):
            continue
        given = name.split() + ["x"] * (words - len(name.split()))
        with pytest.raises(redis.exceptions.NoPermissionError):
            await say(users[access], *given)
        tried |= categories
    assert tried >= {
        *("@admin", "@dangerous", "@pubsub", "@scripting", "@keyspace", "@blocking", "@stream"),
        *("@read", "@write", "@string", "@list", "@set", "@hash", "@sortedset", "@transaction"),
        *("@fast", "@slow", "@connection", "@geo", "@bitmap", "@hyperloglog"),
    }


FOREIGN: Final = ("mine", "relay:jobs:more", "arq:jobs", "arq:", "relay:other", "arq:queue")
OF_WORKERS: Final = ("arq:in-progress:x", "arq:retry:x", "arq:abort")


async def test_each_user_reaches_its_own_keys_alone(users: dict[Access, Client]) -> None:
    """No other key is read or written with the commands that a user has; workers' keys are no web's."""
    writing = (("psetex", "{key}", 1, "x"), ("zadd", "{key}", 1, "x"))
    reading = (("get", "{key}"), ("del", "{key}"), ("type", "{key}"), ("zrem", "{key}", "x"))
    for access, foreign, tried in (
        (Access.WEB, FOREIGN + OF_WORKERS, writing),
        (Access.WORKER, FOREIGN, writing + reading),
    ):
        for key in foreign:
            for command in tried:
                words = [str(word).format(key=key) for word in command]
                with pytest.raises(redis.exceptions.NoPermissionError):
                    await say(users[access], *words)
    await say(users[Access.WORKER], "del", *OF_WORKERS)


async def test_each_user_has_its_own_password(redis_url: str, services: Services) -> None:
    """No user's password opens another's door, and without one there is none."""
    urls = {access: redis_as(access, redis_url, services) for access in (Access.WEB, Access.WORKER)}
    stolen = urls[Access.WEB].replace("//web:", "//worker:")
    for url in (
        stolen,
        urls[Access.WEB].replace("//web:", "//default:"),
        f"unix://{redis_url.rpartition('@')[2]}",
    ):
        async with Client.from_url(url) as client:
            with pytest.raises(redis.exceptions.ConnectionError) as refused:
                await client.ping()
            assert isinstance(refused.value.__cause__ or refused.value, AuthenticationError)


async def test_a_value_larger_than_any_job_is_not_taken(administrator: Client) -> None:
    """What a worker would have to hold in memory is bounded by Redis itself."""
    with pytest.raises((redis.exceptions.ResponseError, redis.exceptions.ConnectionError)):
        await administrator.set("large", b"x" * 2 * 1024 * 1024)
