"""The live feed reads the log: in whatever order transactions end, and whatever breaks, it misses no row."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from relay.services.feed import BACKLOG_MAX_CHANGES, EVERYTHING, Change, Feed, Follower, Watch
from relay.storage.database import Connection
from relay.storage.events import latest_events
from tests.support.rows import Rows

APPEND = "select append_event($1, 'lease', null, 'clock', null)"


@pytest_asyncio.fixture
async def rows(database_url: str) -> AsyncIterator[Rows]:
    """The tables of this test's own database, with a case in them."""
    async with contextlib.aclosing(await Rows.lay(database_url)) as laid:
        yield laid


@pytest_asyncio.fixture
async def other_case(rows: Rows) -> uuid.UUID:
    """A second case."""
    other = uuid.uuid4()
    await rows.connection.execute(
        "insert into cases (case_id, reference) values ($1, 'other')", other
    )
    return other


@pytest_asyncio.fixture
async def slow(database_url: str, rows: Rows) -> AsyncIterator[Connection]:
    """A connection whose transactions take their time."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def feed(database_url: str, rows: Rows) -> AsyncIterator[Feed]:
    """A feed that reads."""
    started = Feed(database_url)
    await started.start()
    yield started
    await started.close()


async def told(watch: Watch) -> set[Change]:
    """What a watcher is told next."""
    async with asyncio.timeout(30):
        return await watch.next()


async def test_a_row_whose_transaction_ends_late_is_not_missed(
    rows: Rows, slow: Connection, other_case: uuid.UUID
) -> None:
    """Its number is lower than what was read long before it could be seen; and each row is read once."""
    follower = Follower(await latest_events(rows.connection, 10))
    transaction = slow.transaction()
    await transaction.start()
    late = await slow.fetchval(APPEND, rows.case)
    for _ in range(3):
        early = await rows.connection.fetchval(APPEND, other_case)
        assert late < early
        assert [event.event_id for event in await follower.look(rows.connection)] == [early]
    assert await follower.look(rows.connection) == []
    await transaction.commit()

    [found] = await follower.look(rows.connection)
    assert (found.event_id, found.case_id) == (late, rows.case)
    for _ in range(3):
        assert await follower.look(rows.connection) == []
    last = await rows.connection.fetchval(APPEND, rows.case)
    assert [event.event_id for event in await follower.look(rows.connection)] == [last]


async def test_what_was_read_is_not_kept_for_ever(rows: Rows, other_case: uuid.UUID) -> None:
    """Once nothing before it can come any more, a look begins after it."""
    follower = Follower([])
    for _ in range(5):
        await rows.connection.execute(APPEND, other_case)
        await follower.look(rows.connection)
    for _ in range(2):
        await follower.look(rows.connection)
    assert len(follower.known) <= 1


async def test_what_happens_while_the_connection_is_lost_is_told_after_it(
    rows: Rows, feed: Feed, other_case: uuid.UUID
) -> None:
    """It reads on where it was: what was missed is told by name, and nobody has to look at everything."""
    async with feed.watch(rows.case) as watch, feed.watch(other_case) as other:
        await rows.connection.execute(APPEND, rows.case)
        named = {Change(case_id=rows.case, message_id=None)}
        assert await told(watch) == named
        ended = await rows.connection.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert ended >= 1
        await rows.connection.execute(APPEND, rows.case)
        assert await told(watch) == named
        await rows.connection.execute(APPEND, other_case)
        assert await told(other) == {Change(case_id=other_case, message_id=None)}


async def test_an_older_copy_of_the_database_is_looked_at_anew(
    rows: Rows, feed: Feed, other_case: uuid.UUID
) -> None:
    """Where the log ends before what was read, as after a restore, everybody looks at everything."""
    async with feed.watch(rows.case) as watch:
        for case in (rows.case, other_case):
            await rows.connection.execute(APPEND, case)
        await told(watch)
        async with rows.connection.transaction():
            await rows.connection.execute("set local session_replication_role = replica")
            await rows.connection.execute("truncate events, outbox")
        await rows.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert await told(watch) == {EVERYTHING}


async def test_a_change_is_told_to_its_case_and_the_mediators_of_it_alone(
    rows: Rows, feed: Feed, other_case: uuid.UUID
) -> None:
    """Anyone who watches something else is not woken."""
    mediator, stranger = rows.mediators
    await rows.connection.execute("insert into case_mediators values ($1, $2)", rows.case, mediator)
    async with (
        feed.watch(rows.case) as own,
        feed.watch(mediator) as theirs,
        feed.watch(other_case) as elsewhere,
        feed.watch(stranger) as nobodys,
    ):
        await rows.connection.execute(APPEND, rows.case)
        assert await told(own) == await told(theirs) == {Change(case_id=rows.case, message_id=None)}
        for watch in (elsewhere, nobodys):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await watch.next()


async def test_a_watcher_that_falls_behind_looks_at_everything() -> None:
    """However much it missed, it holds no more than its backlog."""
    watch = Watch()
    for _ in range(BACKLOG_MAX_CHANGES + 1):
        watch.tell(Change(case_id=uuid.uuid4(), message_id=None))
    assert await told(watch) == {EVERYTHING}
