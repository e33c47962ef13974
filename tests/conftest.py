"""The real services, started once per session; a database, a bucket and a Redis for anyone who needs its own.

`RELAY_DATABASE_URL`, `RELAY_REDIS_URL` and `RELAY_S3_*` in the environment replace the embedded ones.
The web service and the workers of every test come to Postgres and Redis as their own users, with the rights
that these have.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import random
import re
import secrets
import tempfile
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from asyncpg.connection import LoggedQuery
from hypothesis import settings as hypothesis_settings

from relay.embedded import Access, Services, embedded
from relay.settings import Settings
from relay.storage.database import Connection, Database
from relay.testing.relays import OF_PROGRAMS
from tests.support.service_users import come_as
from tests.support.videos import VideoCase, video_case

pytest_plugins = ("tests.support.privacy.plugin",)

SERVICE_SETTINGS = (
    "RELAY_DATABASE_URL",
    "RELAY_REDIS_URL",
    "RELAY_S3_ENDPOINT",
    "RELAY_S3_ACCESS_KEY",
    "RELAY_S3_SECRET_KEY",
    "RELAY_S3_REGION",
)
REDIS_DATABASES = itertools.cycle(range(1, 15))
SHARED_REDIS_DATABASE = 15
CASE_STATE = re.compile(
    r"\b(from|join|update)\s+(cases|participants|pairs|case_mediators|charters|claims)\b",
    re.IGNORECASE,
)
"""Statements that read what acts rely on."""
HELD: ContextVar[frozenset[int]] = ContextVar("held", default=frozenset())
"""The databases of which this task, or one that waits for it, has a connection."""

# The same examples on every run, so that a failure never depends on luck; no deadline on a shared machine.
# HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("explore", deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: much of a test's time goes to waiting for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the seed of an earlier run."""
    said = "the seed of every random choice; TEST_SEED does the same"
    parser.addoption("--seed", type=int, default=os.environ.get("TEST_SEED"), help=said)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose a seed, which the workers of this run get as well, and which Hypothesis explores by."""
    if config.option.seed is None:
        config.option.seed = secrets.randbelow(2**32)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.seed)


def pytest_report_header(config: pytest.Config) -> str:
    """Say how to make the same choices again."""
    return _seed_of(config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say it again beside a failure."""
    if exitstatus != 0:
        terminalreporter.write_line(_seed_of(config))


def _seed_of(config: pytest.Config) -> str:
    return f"relay seed: {config.option.seed} (--seed {config.option.seed} chooses the same again)"


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What a test chooses by: the seed of the run and the test's name, so that its order does not matter."""
    return random.Random(f"{request.config.option.seed} {request.node.name}")  # noqa: S311 - no secret


LANES = {
    "browser": pytest.mark.browsers,
    "faults": pytest.mark.faults,
    "hostile": pytest.mark.faults,
    "integration/media": pytest.mark.media,
    "stories": pytest.mark.builds,
    "integration/deploy": pytest.mark.builds,
    "integration/embedded": pytest.mark.builds,
    "http/test_broken_notes.py": pytest.mark.slow,
    "http/test_broken_records.py": pytest.mark.slow,
    "http/doctor": pytest.mark.slow,
    "http/test_keyrings.py": pytest.mark.slow,
    "http/test_pages.py": pytest.mark.slow,
    "http/test_reader_and_service.py": pytest.mark.slow,
    "http/test_statement_walk.py": pytest.mark.slow,
    "http/uploads": pytest.mark.slow,
    "integration/test_domain_machine.py": pytest.mark.slow,
    "integration/test_objects.py": pytest.mark.slow,
    "integration/test_private_memory.py": pytest.mark.slow,
    "integration/test_queue.py": pytest.mark.slow,
    "integration/roles": pytest.mark.slow,
    "integration/test_worker_walk.py": pytest.mark.slow,
    "unit/crypto/test_crypt_command.py": pytest.mark.slow,
    "unit/crypto/test_identity_files.py": pytest.mark.slow,
    "unit/crypto/test_stream.py": pytest.mark.slow,
    "unit/test_packaging.py": pytest.mark.slow,
    "integration/test_job_metrics.py": pytest.mark.media,
    "integration/test_job_traces.py": pytest.mark.media,
    "integration/test_processing.py": pytest.mark.media,
}
"""The folders and files whose tests are slow, and by what: `make quick` leaves them out."""


os.environ.setdefault("RELAY_S3_SYNC_FOLDER", "")
"""These data end with the session: no test waits for the disk, but the one that takes its power away."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in a slow lane."""
    here = Path(__file__).parent
    for path, found in itertools.groupby(items, key=lambda item: item.path):
        name = path.relative_to(here).as_posix()
        marks = [mark for lane, mark in LANES.items() if f"{name}/".startswith(f"{lane}/")]
        for item, mark in itertools.product(found, marks):
            item.add_marker(mark)


@pytest.fixture(scope="session")
def session_runner() -> Iterator[asyncio.Runner]:
    """An event loop for what outlives a test; it runs between tests, never during one."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner


@pytest.fixture(scope="session")
def services(session_runner: asyncio.Runner) -> Iterator[Services]:
    """Postgres, Redis and S3 for the whole session."""
    given = {name: os.environ[name] for name in SERVICE_SETTINGS if name in os.environ}
    stack = contextlib.AsyncExitStack()
    with tempfile.TemporaryDirectory(prefix="relay-tests-") as folder:
        Path(folder).chmod(0o711)
        started = session_runner.run(
            stack.enter_async_context(embedded(Path(folder) / "data", given))
        )
        try:
            yield started
        finally:
            session_runner.run(stack.aclose())


@pytest.fixture(scope="session")
def database_administrator(
    services: Services, session_runner: asyncio.Runner
) -> Iterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that makes and drops databases."""
    connection = session_runner.run(asyncpg.connect(_address(services, Access.ADMINISTRATOR)))
    if "postgres" in services.processes:
        # These data end with the session: no test waits for the disk.
        session_runner.run(connection.execute("alter system set fsync = off"))
        session_runner.run(connection.execute("select pg_reload_conf()"))
    yield connection
    session_runner.run(connection.close())


@pytest.fixture(scope="session")
def database_template(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """The name of a database with every migration applied; nobody connects to it."""
    from relay.storage.database import migrate  # noqa: PLC0415 - not before a test asks for it

    name = f"relay_template_{secrets.token_hex(4)}"
    create = f"create database {name} owner {_user(services, Access.OWNER)}"
    session_runner.run(database_administrator.execute(create))
    session_runner.run(migrate(_with_database(_address(services, Access.OWNER), name)))
    yield name
    session_runner.run(database_administrator.execute(f"drop database {name} with (force)"))


@pytest.fixture
def own_database_url(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    database_template: str,
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """A migrated, empty database of this test's own, for a superuser."""
    with _database(services, database_administrator, session_runner, database_template) as url:
        yield url


@pytest.fixture
def database_url(own_database_url: str) -> str:
    """The database of this test, for a superuser."""
    return own_database_url


@pytest.fixture
def empty_database_url(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """A database of this test's own without any table, as its owner, for what migrates it."""
    with _database(services, database_administrator, session_runner) as url:
        yield _with_database(_address(services, Access.OWNER), urlsplit(url).path.removeprefix("/"))


@pytest.fixture(scope="session")
def s3_administrator(services: Services, session_runner: asyncio.Runner) -> Iterator[AioBaseClient]:
    """A client that makes and empties buckets."""
    stack = contextlib.AsyncExitStack()
    given = services.accesses[Access.ADMINISTRATOR]
    client = get_session().create_client(
        "s3",
        endpoint_url=given["RELAY_S3_ENDPOINT"],
        aws_access_key_id=given["RELAY_S3_ACCESS_KEY"],
        aws_secret_access_key=given["RELAY_S3_SECRET_KEY"],
        region_name=given.get("RELAY_S3_REGION", "us-east-1"),
        config=AioConfig(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    yield session_runner.run(stack.enter_async_context(client))
    session_runner.run(stack.aclose())


@pytest.fixture
def bucket(s3_administrator: AioBaseClient, session_runner: asyncio.Runner) -> Iterator[str]:
    """An empty bucket of this test's own."""
    with _bucket(s3_administrator, session_runner) as name:
        yield name


@pytest.fixture
def redis_url(services: Services) -> str:
    """An empty Redis database, the next in a cycle, for a superuser."""
    given = services.accesses[Access.ADMINISTRATOR]["RELAY_REDIS_URL"]
    url = f"{given}?db={next(REDIS_DATABASES)}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def own_settings(
    services: Services, own_database_url: str, redis_url: str, bucket: str
) -> Settings:
    """A web service's settings, which lead to this test's own database, Redis and bucket."""
    return _settings(services, own_database_url, redis_url, bucket)


@pytest.fixture
def settings(own_settings: Settings) -> Settings:
    """What this test is told to work with."""
    return own_settings


@pytest.fixture(scope="session")
def shared_database_url(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    database_template: str,
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """A database that tests share, for a superuser."""
    with _database(services, database_administrator, session_runner, database_template) as url:
        yield url


@pytest.fixture(scope="session")
def shared_settings(
    services: Services,
    shared_database_url: str,
    s3_administrator: AioBaseClient,
    session_runner: asyncio.Runner,
) -> Iterator[Settings]:
    """A web service's settings, which lead to a database, a Redis and a bucket that tests share."""
    given = services.accesses[Access.ADMINISTRATOR]["RELAY_REDIS_URL"]
    redis_url = f"{given}?db={SHARED_REDIS_DATABASE}"
    with _bucket(s3_administrator, session_runner) as bucket:
        yield _settings(services, shared_database_url, redis_url, bucket)


@pytest.fixture
def as_worker(services: Services) -> Callable[[Settings], Settings]:
    """Settings of the web service as a worker has them: other users of the same database and Redis."""
    return functools.partial(come_as, Access.WORKER, services=services)


@pytest.fixture
def worker_settings(settings: Settings, as_worker: Callable[[Settings], Settings]) -> Settings:
    """A worker's settings, which lead to the same database, Redis and bucket."""
    return as_worker(settings)


class Watch:
    """Sees the statements of one connection, and which act read its case before it locked it."""

    def __init__(self, unlocked: list[str]) -> None:
        self._unlocked = unlocked
        self._is_locked = False
        self._read: str | None = None

    def see(self, logged: LoggedQuery) -> None:
        """One more statement."""
        query = logged.query
        if query.startswith("BEGIN"):
            self._is_locked, self._read = False, None
        elif "lock_case(" in query or "lock_submission(" in query:
            self._is_locked = True
        elif CASE_STATE.search(query) and not query.startswith("insert") and not self._is_locked:
            self._read = self._read or query
        elif "append_event(" in query and self._read is not None:
            self._unlocked.append(self._read)


@pytest.fixture(scope="session")
def empty_shared_database(
    shared_database_url: str, session_runner: asyncio.Runner
) -> Iterator[Callable[[], None]]:
    """Deletes what was written to the shared database since it was migrated."""
    connection = session_runner.run(asyncpg.connect(shared_database_url))
    tables = session_runner.run(_empty_tables(connection))
    # As a replica it runs no trigger, and deletes also what refers to something.
    deletions = "; ".join(f'delete from "{table}"' for table in tables)  # noqa: S608 - our own names
    statements = f"begin; set local session_replication_role = replica; {deletions}; commit"

    def empty() -> None:
        session_runner.run(connection.execute(statements))

    yield empty
    session_runner.run(connection.close())


@pytest.fixture(autouse=True)
def transactions_as_they_should_be(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who holds a connection asks for no second one: a full pool of such callers would wait for ever.

    And an act, which is what is logged, locks its case before it reads anything of it: what it relies on
    might change before it is done.
    """
    nested: list[str] = []
    unlocked: list[str] = []
    connect = Database.connection

    @contextlib.asynccontextmanager
    async def watched(database: Database) -> AsyncIterator[Connection]:
        held = HELD.get()
        if id(database) in held:
            nested.append("".join(traceback.format_stack(limit=12)))
        async with connect(database) as connection:
            HELD.set(held | {id(database)})
            watch = Watch(unlocked)
            connection.add_query_logger(watch.see)
            try:
                yield connection
            finally:
                with contextlib.suppress(
                    asyncpg.InterfaceError
                ):  # where it was cut, and is given back
                    connection.remove_query_logger(watch.see)
                HELD.set(held)

    monkeypatch.setattr(Database, "connection", watched)
    yield
    assert not nested, f"a second connection of the same pool, by one that holds one:\n{nested[0]}"
    assert not unlocked, f"an act read this of its case before it locked it:\n{unlocked[0]}"


def _address(services: Services, access: Access) -> str:
    return services.accesses[access]["RELAY_DATABASE_URL"]


def _user(services: Services, access: Access) -> str:
    """The name in the database's own spelling; the user of this process where the address names nobody."""
    return urlsplit(_address(services, access)).username or "current_user"


def _with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _settings(services: Services, database_url: str, redis_url: str, bucket: str) -> Settings:
    administrators = Settings.from_environment(
        {
            **services.accesses[Access.ADMINISTRATOR],
            "RELAY_DATABASE_URL": database_url,
            "RELAY_REDIS_URL": redis_url,
            "RELAY_S3_BUCKET": bucket,
            **OF_PROGRAMS,
        }
    )
    return come_as(Access.WEB, administrators, services)


@contextlib.contextmanager
def _database(
    services: Services,
    administrator: asyncpg.Connection[asyncpg.Record],
    runner: asyncio.Runner,
    template: str = "",
) -> Iterator[str]:
    """A database that is there during the block, a copy of `template` if there is one.

    Its address, for a superuser.
    """
    name = f"relay_test_{secrets.token_hex(6)}"
    copied = f" template {template} strategy file_copy" if template else ""
    owner = _user(services, Access.OWNER)
    runner.run(administrator.execute(f"create database {name}{copied} owner {owner}"))
    yield _with_database(_address(services, Access.ADMINISTRATOR), name)
    runner.run(administrator.execute(f"drop database {name} with (force)"))


@contextlib.contextmanager
def _bucket(client: AioBaseClient, runner: asyncio.Runner) -> Iterator[str]:
    """The name of a bucket that is there during the block."""
    name = f"relay-test-{secrets.token_hex(6)}"
    runner.run(client.create_bucket(Bucket=name))
    yield name
    runner.run(_remove_bucket(client, name))


async def _empty_tables(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """The tables of a migrated database, but for those that the migrations themselves fill."""
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    names = [row["tablename"] for row in rows]
    return [
        name for name in names if not await connection.fetchval(f'select exists (table "{name}")')
    ]


async def _remove_bucket(client: AioBaseClient, name: str) -> None:
    async for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            await client.delete_objects(Bucket=name, Delete={"Objects": keys})
    await client.delete_bucket(Bucket=name)


@pytest.fixture
def video_settings(settings: Settings) -> Settings:
    """What `videos` runs with; a folder or a class may have its own."""
    return settings


@pytest.fixture
async def videos(
    video_settings: Settings,
    tmp_path: Path,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[VideoCase]:
    """A relay with a case, for tests of what workers do with its videos."""
    async with video_case(
        video_settings,
        tmp_path,
        as_worker=as_worker,
        database_url=database_url,
        redis_url=redis_url,
    ) as opened:
        yield opened
