"""Which rows each role may write, where a right alone does not say it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from relay.embedded import Access, Services
from relay.services.feed import Change, Feed
from relay.storage.database import (
    ROLES,
    Connection,
)
from tests.support.rights import WEB, WORKER, refused
from tests.support.rows import Rows
from tests.support.service_users import database_as


@pytest_asyncio.fixture
async def rows(url: str, services: Services) -> AsyncIterator[Rows]:
    """A case in the tables, written by a superuser."""
    laid = Rows.lay(database_as(Access.ADMINISTRATOR, url, services))
    async with contextlib.aclosing(await laid) as opened:
        yield opened


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_makes_its_own_moves(
    rows: Rows, roles: dict[str, Connection], role: str
) -> None:
    """What the media worker and the clock do no web service does, and no worker what people do."""
    message = await rows.letter()
    transitions = await rows.connection.fetch("select * from message_transitions")
    others = [
        transition
        for transition in transitions
        if not transition["worker" if role == WORKER else "web"]
    ]
    assert len(others) >= 5
    for transition in others:
        await rows.put(message, transition["source"])
        moving = "update messages set state = $2 where message_id = $1"
        assert await refused(roles[role], moving, message, transition["target"]), tuple(transition)


async def test_a_worker_touches_nothing_but_its_video(
    rows: Rows, roles: dict[str, Connection]
) -> None:
    """No grant but to the case, no part but a rendition or poster, no statement but a rendition's."""
    message = await rows.letter()
    await rows.approve(message)
    await rows.put(message, "approved")
    await rows.grant()
    worker = roles[WORKER]
    for audience in ("recipient", "author", "media"):
        assert await refused(
            worker,
            "insert into grants (commitment, audience, audience_id, header) values ($1, $2, $3, $4)",
            rows.commitment,
            audience,
            uuid.uuid4(),
            bytes(64),
        ), audience
    for role in ("body", "original", "captions", "note"):
        assert await refused(
            worker,
            "insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, "
            "segments, body) values ($1, $2, $3, $4, 'text/plain', 16, '{}', $5)",
            b"\7" * 32,
            message,
            rows.statement,
            role,
            bytes(16),
        ), role
    for typ in ("relay-decision+jws", "relay-offer+jws", "relay-credential+jws", ""):
        assert await refused(
            worker,
            "insert into statements (statement_hash, typ, kid, compact) values ($1, $2, 'kid', 'text')",
            b"\7" * 32,
            typ,
        ), typ
    assert await rows.connection.fetchval("select count(*) from grants where audience <> 'media'")
    assert await refused(worker, "delete from grants where audience <> 'media'")


async def test_the_web_service_makes_no_rendition_and_ends_no_job(
    rows: Rows, roles: dict[str, Connection]
) -> None:
    """It takes a rendition away and cancels a job; what a worker has to have done it cannot claim."""
    message = await rows.letter()
    await rows.connection.execute("insert into jobs (message_id, revision) values ($1, 1)", message)
    web = roles[WEB]
    for state in ("done", "failed", "waiting"):
        assert await refused(web, "update jobs set state = $1", state), state
    running = "update jobs set state = 'running', lease_token = gen_random_uuid(), lease_expires_at = now()"
    assert await refused(web, running)
    assert not await refused(web, "update jobs set state = 'cancelled'")
    assert await refused(web, "update messages set rendition_hash = $1", rows.statement)
    assert not await refused(web, "update messages set rendition_hash = null")


async def test_each_role_logs_its_own_acts(rows: Rows, roles: dict[str, Connection]) -> None:
    """A worker writes no mediator's act into the log, the web service no worker's; each does its own."""
    log = "select append_event('{case}', '{kind}', null, '{actor}', null)"
    mediator, media = f"mediator:{uuid.uuid4()}", f"media:{uuid.uuid4()}"
    for role, kind, actor, is_own in (
        (WORKER, "finish-processing", media, True),
        (WORKER, "lapse", "clock", True),
        (WORKER, "approve", media, False),
        (WORKER, "finish-processing", mediator, False),
        (WEB, "approve", mediator, True),
        (WEB, "lapse", "clock", True),
        (WEB, "finish-processing", media, False),
        (WEB, "fail-processing", media, False),
        (WEB, "expire", "clock", False),
    ):
        said = log.format(case=rows.case, kind=kind, actor=actor)
        assert await refused(roles[role], said) != is_own, (role, kind, actor)


async def test_what_was_sent_is_deleted_by_nobody(rows: Rows) -> None:
    """A draft that was never sent goes; a message that was sent stays, no matter who asks."""
    message = await rows.letter()
    for state in ("queued", "released", "withdrawn", "expired"):
        await rows.put(message, state)
        with pytest.raises(asyncpg.RestrictViolationError):
            await rows.connection.execute("delete from messages where message_id = $1", message)
    await rows.put(message, "draft")
    await rows.connection.execute("delete from messages where message_id = $1", message)


async def test_the_live_feed_follows_the_log_alone(
    rows: Rows, roles: dict[str, Connection], services: Services, url: str
) -> None:
    """The role of the web service is enough; what a worker logs is told too, a notification is nothing."""
    feed = Feed(database_as(Access.WEB, url, services))
    await feed.start()
    async with feed.watch(rows.case) as watch:
        await roles[WORKER].execute("select pg_notify('relay_events', $1)", f"1 {rows.case} -")
        await roles[WORKER].execute(
            "select append_event($1, 'lapse', null, 'clock', null)", rows.case
        )
        async with asyncio.timeout(30):
            changes = await watch.next()
    await feed.close()

    assert changes == {Change(case_id=rows.case, message_id=None)}
