"""What relay says of itself: whether it lives, and what it can do with the services that it reaches."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.gates import Gate
from tests.support.requests import Answer, ask

pytestmark = pytest.mark.own_relay


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The ways to the services of this test's relay."""

    objects: Gate
    redis: Gate


@pytest.fixture
async def gates(settings: Settings) -> AsyncIterator[Gates]:
    """Open ways to the object store and Redis."""
    found = Gates(objects=Gate(settings.s3_endpoint), redis=Gate(settings.redis_url))
    await found.objects.open()
    await found.redis.open()
    yield found
    await found.objects.close()
    await found.redis.close()


@pytest.fixture
def relay_settings(gates: Gates, relay_settings: Settings) -> Settings:
    """The relay comes by these ways."""
    return dataclasses.replace(
        relay_settings, s3_endpoint=gates.objects.url, redis_url=gates.redis.url
    )


async def ready(people: Organization) -> Answer:
    """What relay says, within the three seconds that a probe has."""
    began = time.monotonic()
    answer = await ask(people.connection, "GET", "/readyz")
    assert time.monotonic() - began < 3
    assert dict(answer.headers)["Cache-Control"] == "no-store"
    return answer


async def alive(people: Organization) -> bool:
    """Whether the process says that it lives."""
    answer = await ask(people.connection, "GET", "/livez")
    return (answer.status, answer.content) == (200, b"ok\n")


FINE = {"status": "ok", "database": "ok", "objects": "ok", "redis": "ok"}


async def test_relay_is_ready_with_all_of_its_services(people: Organization) -> None:
    """Four members and nothing more: no versions, no addresses, no numbers."""
    answer = await ready(people)
    assert (answer.status, answer.document) == (200, FINE)
    assert await alive(people)


@pytest.mark.parametrize("away", ["objects", "redis"])
async def test_without_what_videos_need_letters_still_go(
    case: Case, people: Organization, gates: Gates, away: str
) -> None:
    """The object store or Redis away is degraded, with 200, and a letter is taken; back, all is well."""
    gate: Gate = getattr(gates, away)
    await gate.close()
    answer = await ready(people)
    assert (answer.status, answer.document) == (
        200,
        {**FINE, "status": "degraded", away: "unreachable"},
    )
    assert await alive(people)
    await case.harmed.send_letter(case.responsible.participant_id, "Words.")

    await gate.open()
    async with asyncio.timeout(10):
        while (await ready(people)).document != FINE:  # noqa: ASYNC110 - a service
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("away", ["objects", "redis"])
async def test_a_service_that_hangs_does_not_hang_the_answer(
    people: Organization, gates: Gates, away: str
) -> None:
    """A service that takes connections and says nothing counts as away, in two seconds."""
    gate: Gate = getattr(gates, away)
    gate.hang()
    answer = await ready(people)
    assert (answer.status, answer.document[away]) == (200, "unreachable")


@pytest.mark.tampers
@pytest.mark.parametrize(
    "statement",
    ["delete from migrations where version = (select max(version) from migrations)"],
)
async def test_a_database_that_is_not_migrated_is_told(
    people: Organization, database_url: str, statement: str
) -> None:
    """A migration that is missing is 503, and is told apart from a database that is away."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement)
    await connection.close()
    answer = await ready(people)
    assert (answer.status, answer.document) == (
        503,
        {**FINE, "status": "unavailable", "database": "unmigrated"},
    )
    assert await alive(people)


async def test_a_database_whose_tables_are_locked_is_away(
    people: Organization, database_url: str
) -> None:
    """A statement that does not come back in two seconds counts as none."""
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("lock table migrations in access exclusive mode")
        answer = await ready(people)
        assert (answer.status, answer.document["database"]) == (503, "unreachable")
    await connection.close()
    assert (await ready(people)).document == FINE
