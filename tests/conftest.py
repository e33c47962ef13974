"""The real services, started once per session; a database, a bucket and a Redis of its own for each test.

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
from tests.accesses import come_as

SERVICE_SETTINGS = (
    "RELAY_DATABASE_URL",
    "RELAY_REDIS_URL",
    "RELAY_S3_ENDPOINT",
    "RELAY_S3_ACCESS_KEY",
    "RELAY_S3_SECRET_KEY",
    "RELAY_S3_REGION",
)
REDIS_DATABASES = itertools.cycle(range(1, 16))
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
def database_url(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    database_template: str,
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """A migrated, empty database of this test's own, as whoever may do everything in it."""
    name = f"relay_test_{secrets.token_hex(6)}"
    clone = f"create database {name} template {database_template} strategy file_copy"
    owned = f"{clone} owner {_user(services, Access.OWNER)}"
    session_runner.run(database_administrator.execute(owned))
    yield _with_database(_address(services, Access.ADMINISTRATOR), name)
    session_runner.run(database_administrator.execute(f"drop database {name} with (force)"))


@pytest.fixture
def empty_database_url(
    services: Services,
    database_administrator: asyncpg.Connection[asyncpg.Record],
    session_runner: asyncio.Runner,
) -> Iterator[str]:
    """A database of this test's own without any table, as its owner, for what migrates it."""
    name = f"relay_test_{secrets.token_hex(6)}"
    create = f"create database {name} owner {_user(services, Access.OWNER)}"
    session_runner.run(database_administrator.execute(create))
    yield _with_database(_address(services, Access.OWNER), name)
    session_runner.run(database_administrator.execute(f"drop database {name} with (force)"))


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
    name = f"relay-test-{secrets.token_hex(6)}"
    session_runner.run(s3_administrator.create_bucket(Bucket=name))
    yield name
    session_runner.run(_remove_bucket(s3_administrator, name))


@pytest.fixture
def redis_url(services: Services) -> str:
    """An empty Redis database, by turns, as whoever may do everything in it."""
    given = services.accesses[Access.ADMINISTRATOR]["RELAY_REDIS_URL"]
    url = f"{given}?db={next(REDIS_DATABASES)}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def settings(services: Services, database_url: str, redis_url: str, bucket: str) -> Settings:
    """A web service's settings, which lead to this test's own database, Redis and bucket."""
    administrators = Settings.from_environment(
        {
            **services.accesses[Access.ADMINISTRATOR],
            "RELAY_DATABASE_URL": database_url,
            "RELAY_REDIS_URL": redis_url,
            "RELAY_S3_BUCKET": bucket,
        }
    )
    return come_as(Access.WEB, administrators, services)


@pytest.fixture
def as_worker(services: Services) -> Callable[[Settings], Settings]:
    """Settings of the web service as a worker has them: other users of the same database and Redis."""
    return functools.partial(come_as, Access.WORKER, services=services)


@pytest.fixture
def worker_settings(settings: Settings, as_worker: Callable[[Settings], Settings]) -> Settings:
    """A worker's settings, which lead to this test's own database, Redis and bucket."""
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
        elif "lock_case(" in query:
            self._is_locked = True
        elif CASE_STATE.search(query) and not query.startswith("insert") and not self._is_locked:
            self._read = self._read or query
        elif "append_event(" in query and self._read is not None:
            self._unlocked.append(self._read)


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
                connection.remove_query_logger(watch.see)
                HELD.set(held)

    monkeypatch.setattr(Database, "connection", watched)
    yield
    assert not nested, f"a second connection of the same pool, by one that holds one:\n{nested[0]}"
    assert not unlocked, f"an act read this of its case before it locked it:\n{unlocked[0]}"


def _address(services: Services, access: Access) -> str:
    return services.accesses[access]["RELAY_DATABASE_URL"]


def _user(services: Services, access: Access) -> str:
    """The name in the database's own spelling; whoever asks where the address names nobody."""
    return urlsplit(_address(services, access)).username or "current_user"


def _with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _remove_bucket(client: AioBaseClient, name: str) -> None:
    async for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            await client.delete_objects(Bucket=name, Delete={"Objects": keys})
    await client.delete_bucket(Bucket=name)
