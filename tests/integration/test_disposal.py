"""Disposal: in its time nothing is left of what was written, and the log and a certificate say so."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import pytest

from relay.client.connection import Problem
from relay.crypto import statements
from relay.domain.cases import NewHold
from relay.domain.places import CERTIFICATES
from relay.domain.unsent import NewUnsentText
from relay.embedded import Access, Services
from relay.services import disposal, uploads
from relay.services.audit.findings import Code
from relay.testing.people import open_case
from relay.testing.searching import search_everything
from tests.support.ended_cases import (
    YEAR,
    age,
    copy_database,
    found_in_old_log,
    samples,
    sealed_bytes,
)
from tests.support.service_users import database_as
from tests.support.videos import VideoCase, make_video

COURT: Final = NewHold(name="Order 17", reason="The court asked for it.")
ATTEMPTS: Final = 8


async def fill(videos: VideoCase) -> None:
    """Letters that were opened, declined, withdrawn, that wait and are unsent; videos, prepared and not."""
    case = videos.case
    harmed, to = case.harmed, case.responsible.participant_id
    opened, declined, withdrawn, _waiting = [
        await harmed.send_letter(to, f"Words of {name}.")
        for name in ("one", "two", "three", "four")
    ]
    approved = await case.mediator.decide(await case.mediator.lease(opened.message), "approve")
    await case.mediator.offer(approved, note="A letter.")
    [offered] = (await case.responsible.correspondence()).received
    await case.responsible.open(await case.responsible.respond(offered, "accept"))
    await case.mediator.decide(
        await case.mediator.lease(declined.message), "decline", reason="unclear"
    )
    await harmed.withdraw(withdrawn.message)
    unsent = NewUnsentText(version=1, sealed=b"not sent yet " * 8)
    await harmed.session.call("PUT", f"/v1/unsent/{uuid.uuid4()}", body=unsent)
    video = await videos.send(make_video(videos.folder))
    await videos.transcoders().run(await videos.job_of(video))
    await videos.send(make_video(videos.folder))  # nobody prepares it


async def close(videos: VideoCase, database_url: str, by: timedelta = YEAR) -> None:
    """Close the case, so long ago."""
    await videos.people.case_system.set_closed(videos.case.case_id, closed=True)
    await age(database_url, videos.case.case_id, by)


async def test_nothing_is_left_of_a_case_but_its_log_and_a_certificate(
    videos: VideoCase, database_url: str
) -> None:
    """In no table, object or key of Redis; another case keeps all that it has."""
    case_id = videos.case.case_id
    alone = await sealed_bytes(database_url)
    other = await open_case(videos.people)
    await other.harmed.send_letter(other.responsible.participant_id, "Another case.")
    of_other = await sealed_bytes(database_url) - alone
    await fill(videos)
    ours = await sealed_bytes(database_url) - of_other
    objects = await videos.objects.keys("")
    assert objects
    ours |= {await videos.objects.get(key) for key in objects}
    await close(videos, database_url)
    owner = dataclasses.replace(videos.settings, database_url=database_url)
    found_before = await found_in_old_log(owner)

    await videos.sweep.once()
    later = datetime.now(UTC) + timedelta(seconds=uploads.ORPHAN_GRACE_SECONDS + 1)
    await uploads.sweep_orphans(videos.database, videos.objects, later)

    assert len(ours) > len(objects) + len(of_other)
    search = await search_everything(owner, [], samples(ours))
    assert search.found == ()
    for key in await videos.redis.keys():
        value = await videos.redis.dump(key)
        assert not any(sample in value for sample in samples(ours))
    assert set(await videos.objects.keys("")) == {f"{CERTIFICATES}/{case_id}"}
    assert await sealed_bytes(database_url) == of_other
    assert [one for one in await found_in_old_log(owner) if one not in found_before] == []


async def test_the_certificate_can_be_verified(videos: VideoCase, database_url: str) -> None:
    """By the case system and a mediator, with the worker's key alone; it lies in the bucket as well."""
    await fill(videos)
    await close(videos, database_url)
    rows = await videos.count("select event_seq from cases where case_id = $1", videos.case.case_id)
    messages = await videos.count("select count(*) from messages")
    for ask in (videos.people.case_system.certificate, videos.case.mediator.certificate):
        with pytest.raises(Problem) as refused:
            await ask(videos.case.case_id)
        assert refused.value.status == 404
    await videos.sweep.once()

    compact = (await videos.people.case_system.certificate(videos.case.case_id)).statement
    assert (await videos.case.mediator.certificate(videos.case.case_id)).statement == compact
    said = statements.verify(compact, statements.Disposal, videos.worker.keyring.signer.public_key)
    assert (said.case, said.rows, said.messages) == (videos.case.case_id, rows, messages)
    key = f"{CERTIFICATES}/{videos.case.case_id}"
    assert (await videos.objects.get(key)).decode() == compact


async def test_a_case_is_kept_until_its_time(videos: VideoCase, database_url: str) -> None:
    """Open, closed for a day less than its charter says, and while anybody holds it."""
    await fill(videos)
    case_id, system = videos.case.case_id, videos.people.case_system
    hold_id, own_id = uuid.uuid4(), uuid.uuid4()

    async def is_there() -> bool:
        await videos.sweep.once()
        return await videos.count("select count(*) from messages where case_id = $1", case_id) > 0

    await age(database_url, case_id)
    assert await is_there()
    await system.set_closed(case_id, closed=True)
    await age(database_url, case_id, timedelta(days=364))
    assert await is_there()
    await system.place_hold(case_id, hold_id, COURT)
    await videos.case.mediator.place_hold(case_id, own_id, COURT)
    await age(database_url, case_id, timedelta(days=2))
    assert await is_there()
    await videos.case.mediator.lift_hold(case_id, own_id)
    with pytest.raises(Problem) as refused:
        await videos.case.mediator.lift_hold(case_id, hold_id)
    assert refused.value.code == "hold-of-another"
    assert await is_there()
    [held] = (await videos.case.mediator.holds(case_id)).holds
    assert (held.hold, held.name, held.reason) == (hold_id, COURT.name, COURT.reason)
    await system.lift_hold(case_id, hold_id)
    assert not await is_there()


async def test_a_hold_is_logged_once_and_not_changed(videos: VideoCase) -> None:
    """Said twice it is one; another text under its identifier is refused, and so is an end of none."""
    case_id, system = videos.case.case_id, videos.people.case_system
    hold_id = uuid.uuid4()
    for _ in range(2):
        await system.place_hold(case_id, hold_id, COURT)
    with pytest.raises(Problem) as refused:
        await system.place_hold(case_id, hold_id, NewHold(name="Order 18", reason=COURT.reason))
    assert (refused.value.status, refused.value.code) == (409, "hold-exists")
    await system.lift_hold(case_id, hold_id)
    with pytest.raises(Problem) as refused:
        await system.lift_hold(case_id, hold_id)
    assert refused.value.status == 404
    kinds = "select count(*) from events where case_id = $1 and kind = $2"
    assert await videos.count(kinds, case_id, "hold-placed") == 1
    assert await videos.count(kinds, case_id, "hold-lifted") == 1


async def test_nothing_is_done_any_more_in_a_case_that_was_disposed_of(
    videos: VideoCase, database_url: str
) -> None:
    """Whoever asks; it can be read that it was, and it does not come back."""
    await fill(videos)
    await close(videos, database_url)
    case, system = videos.case, videos.people.case_system
    to = case.responsible.participant_id
    await videos.sweep.once()
    view = await case.mediator.read_case(case.case_id)
    assert view.disposed_at is not None
    refused_acts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: system.set_closed(case.case_id, closed=False),
        lambda: case.mediator.set_closed(case.case_id, closed=False),
        lambda: system.place_hold(case.case_id, uuid.uuid4(), COURT),
        lambda: case.mediator.make_link(case.case_id, to, "participate"),
        lambda: system.set_no_contact(
            case.case_id, case.harmed.participant_id, to, no_contact=True
        ),
    )
    for act in refused_acts:
        with pytest.raises(Problem) as refused:
            await act()
        assert (refused.value.status, refused.value.code) == (404, "case-disposed")
    refused_people: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: case.harmed.send_letter(to, "Words."),
        case.harmed.correspondence,
        lambda: videos.people.claim(case.harmed_url),
    )
    for act in refused_people:
        with pytest.raises(Problem) as refused:
            await act()
        assert refused.value.status in {401, 404}
    assert await videos.count("select count(*) from messages where case_id = $1", case.case_id) == 0


WITHOUT_RIGHT: Final = {
    "before its time": "select dispose_case($1, 'case-disposed', 'media:x', $2)",
    "by setting the time": "update cases set closed_at = now() - interval '9 years' where case_id = $1",
    "by hand": "delete from messages where case_id = $1",
    "the time alone": "update cases set disposed_at = now() where case_id = $1",
}


@pytest.mark.parametrize("how", WITHOUT_RIGHT)
async def test_a_worker_destroys_nothing_before_its_time(videos: VideoCase, how: str) -> None:
    """Whatever it says to the database, with a certificate that it signed itself."""
    await videos.case.harmed.send_letter(videos.case.responsible.participant_id, "Words.")
    await videos.people.case_system.set_closed(videos.case.case_id, closed=True)
    statement = WITHOUT_RIGHT[how]
    given = [videos.case.case_id, b"\x00" * 32][: statement.count("$")]
    async with videos.database.connection() as connection:
        try:
            answer = await connection.fetchval(statement, *given)
        except asyncpg.InsufficientPrivilegeError:
            answer = False
    assert answer is False
    assert await videos.count("select count(*) from messages") == 1


BY_WEB: Final = {
    "dated back": "update cases set closed_at = now() - interval '9 years'",
    "kept for a day": "update cases set closed_at = now() - interval '2 days', retention_days = 1",
    "closed by hand": (
        "update cases set closed_at = now() - interval '9 years' "
        "where not exists (select 1 from events where kind = 'case-closed')"
    ),
    "without its hold": "delete from holds",
}


@pytest.mark.parametrize("how", BY_WEB)
async def test_the_web_service_makes_no_case_due(
    videos: VideoCase, database_url: str, services: Services, how: str
) -> None:
    """Whatever it writes into the rows that it may write: a worker believes the charter and the log."""
    case_id, system = videos.case.case_id, videos.people.case_system
    await videos.case.harmed.send_letter(videos.case.responsible.participant_id, "Words.")
    if how == "without its hold":
        await system.place_hold(case_id, uuid.uuid4(), COURT)
    if how != "closed by hand":
        await system.set_closed(case_id, closed=True)
    if how == "without its hold":
        await age(database_url, case_id)
    web = await asyncpg.connect(database_as(Access.WEB, database_url, services))
    try:
        await web.execute(BY_WEB[how])
    finally:
        await web.close()
    due = "select disposal_due_at < now() from cases where case_id = $1"
    assert await videos.count(due, case_id)
    await videos.sweep.once()
    assert await videos.count("select count(*) from messages") == 1


COMES_BACK: Final = {
    "open": "update cases set closed_at = null where case_id = $1",
    "with another charter": "update cases set charter_version = 2 where case_id = $1",
    "with a row of the log": "select append_event($1, 'case-reopened', null, 'service:x', null)",
    "locked for something": "select lock_case($1)",
    "with a draft": (
        "insert into messages "
        "(message_id, case_id, sender_id, recipient_id, kind, language, state, writer_kid) "
        "select gen_random_uuid(), case_id, one, other, 'letter', 'en', 'draft', 'x' "
        "from pairs where case_id = $1"
    ),
}


async def test_the_schema_keeps_a_disposed_case_as_it_is(
    videos: VideoCase, database_url: str, services: Services, subtests: pytest.Subtests
) -> None:
    """Whatever the web service says to the database by itself."""
    case_id = videos.case.case_id
    await close(videos, database_url)
    await videos.sweep.once()
    assert await videos.count("select count(*) from cases where disposed_at is not null") == 1
    web = await asyncpg.connect(database_as(Access.WEB, database_url, services))
    try:
        for how, statement in COMES_BACK.items():
            with subtests.test(how):
                with pytest.raises(asyncpg.PostgresError) as refused:
                    await web.execute(statement, case_id)
                assert refused.value.sqlstate in {"RL410", "23514"}
    finally:
        await web.close()


async def test_two_workers_dispose_of_a_case_once(videos: VideoCase, database_url: str) -> None:
    """At the same time: one certificate, one row."""
    await fill(videos)
    await close(videos, database_url)
    done = await asyncio.gather(
        *(
            disposal.dispose(videos.database, videos.settings, videos.worker, videos.case.case_id)
            for _ in range(ATTEMPTS)
        )
    )
    assert sum(done) == 1
    kinds = "select count(*) from events where kind = 'case-disposed'"
    assert await videos.count(kinds) == 1
    typ = "select count(*) from statements where typ = 'relay-disposal+jws'"
    assert await videos.count(typ) == 1


@pytest.mark.parametrize("state", ["open", "closed"])
async def test_a_backup_that_brings_a_case_back_is_disposed_of_again(
    videos: VideoCase, database_url: str, state: str, empty_database_url: str
) -> None:
    """From before the closing or after it: by the certificate in the bucket, with a command."""
    await fill(videos)
    if state == "closed":
        await close(videos, database_url)
    await copy_database(database_url, empty_database_url)
    if state == "open":
        await close(videos, database_url)
    await videos.sweep.once()

    assert f"{videos.case.case_id} disposed of again\n" in _repeat(videos, empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("select count(*) from messages") == 0
        kind = await connection.fetchval("select kind from events order by event_id desc limit 1")
        assert kind == "case-disposed-again"
    finally:
        await connection.close()
    restored = dataclasses.replace(videos.settings, database_url=empty_database_url)
    known = await found_in_old_log(restored)
    assert [one for one in known if one.code is not Code.ROW_ACTOR] == []
    assert f"{videos.case.case_id} disposed of\n" in _repeat(videos, empty_database_url)


def _repeat(videos: VideoCase, database_url: str) -> str:
    environment = {**videos.environment, "RELAY_DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, "-m", "relay", "disposals", "repeat"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
