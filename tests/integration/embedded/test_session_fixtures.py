"""The fixtures give each test services of its own that really answer."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
import redis
from aiobotocore.client import AioBaseClient

from relay.embedded import Access, Services
from relay.settings import Settings


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(database_url: str, turn: int) -> None:
    """What one test writes, the next does not see."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("create table only_here (turn integer)")
        tables = "select count(*) from pg_tables where schemaname = 'public'"
        assert await connection.fetchval(tables) > 1
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", range(20))
def test_each_test_has_an_empty_redis(redis_url: str, turn: int) -> None:
    """The databases of Redis go round, and each is handed out empty."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left behind", turn)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_bucket(
    bucket: str, s3_administrator: AioBaseClient, session_runner: asyncio.Runner, turn: int
) -> None:
    """The bucket takes objects, and what one test puts there the next does not see."""
    listed = session_runner.run(s3_administrator.list_objects_v2(Bucket=bucket))
    assert listed.get("Contents", []) == []
    key = f"left behind {turn}"
    session_runner.run(s3_administrator.put_object(Bucket=bucket, Key=key, Body=b"x"))
    listed = session_runner.run(s3_administrator.list_objects_v2(Bucket=bucket))
    assert [item["Key"] for item in listed["Contents"]] == [key]


def test_services_are_the_embedded_ones_or_those_of_the_environment(services: Services) -> None:
    """Everything the settings need comes from the session's services."""
    for access in (Access.WEB, Access.WORKER):
        assert Settings.from_environment(services.accesses[access]).s3_bucket
