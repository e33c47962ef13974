"""What somebody is writing follows them, sealed: theirs alone, never written over unseen, within limits."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import uuid
from typing import Any

import asyncpg
import pytest

from relay.client.participant import Participant
from relay.domain.unsent import SEALED_MAX_BYTES, TEXTS_MAX, TEXTS_MAX_BYTES
from relay.testing.people import Case, Organization
from tests.support.requests import Answer, Caller, caller_of


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """The unsent texts of one person."""

    caller: Caller

    async def keep(self, text: uuid.UUID, version: int, sealed: bytes) -> Answer:
        """Keep a version."""
        body = {"version": version, "sealed": sealed}
        return await self.caller.ask("PUT", f"/v1/unsent/{text}", body)

    async def discard(self, text: uuid.UUID, version: int) -> Answer:
        """Remove a text."""
        return await self.caller.ask("DELETE", f"/v1/unsent/{text}?version={version}")

    async def found(self) -> list[dict[str, Any]]:
        """What is kept."""
        answer = await self.caller.ask("GET", "/v1/unsent")
        assert answer.status == 200
        texts = answer.document["texts"]
        assert isinstance(texts, list)
        return texts


@pytest.fixture
def desk(case: Case) -> Desk:
    """A participant's."""
    return Desk(caller_of(case.harmed))


async def test_a_text_is_kept_changed_and_removed(desk: Desk) -> None:
    """Each version takes the place of the one before; a removed one is gone."""
    text = uuid.uuid4()
    assert (await desk.keep(text, 1, b"first")).status == 204
    assert (await desk.keep(text, 2, b"second")).status == 204
    (found,) = await desk.found()
    assert (found["text"], found["version"], found["sealed"]) == (str(text), 2, "c2Vjb25k")
    assert (await desk.discard(text, 2)).status == 204
    assert await desk.found() == []
    assert (await desk.discard(text, 2)).status == 204


async def test_whoever_writes_at_the_same_time_is_not_written_over(desk: Desk) -> None:
    """When two next versions come at once, one is stored; so it is when one comes after a removal."""
    text = uuid.uuid4()
    await desk.keep(text, 1, b"first")
    answers = await asyncio.gather(*(desk.keep(text, 2, b"by %d" % each) for each in range(6)))
    assert sorted(answer.status for answer in answers) == [204] + [409] * 5
    assert {answer.code for answer in answers} == {"", "unsent-changed"}

    assert (await desk.discard(text, 1)).code == "unsent-changed"
    assert (await desk.discard(text, 2)).status == 204
    for version in (2, 3):
        assert (await desk.keep(text, version, b"late")).code == "unsent-changed"
    assert await desk.found() == []


async def test_a_version_whose_answer_was_lost_is_kept_once(desk: Desk) -> None:
    """The same again is no conflict; the same number with other bytes is one."""
    text = uuid.uuid4()
    for _ in range(3):
        assert (await desk.keep(text, 1, b"first")).status == 204
    assert (await desk.keep(text, 1, b"other")).code == "unsent-changed"


async def test_nobody_sees_or_changes_the_texts_of_another_key(case: Case) -> None:
    """Not the other party, no mediator, nobody through another link of the same person."""
    text = uuid.uuid4()
    await Desk(caller_of(case.harmed)).keep(text, 1, b"mine")
    for other in (case.responsible, case.mediator):
        theirs = Desk(caller_of(other))
        assert await theirs.found() == []
        assert (await theirs.discard(text, 1)).status == 204
        assert (await theirs.keep(text, 1, b"theirs")).status == 204
    (found,) = await Desk(caller_of(case.harmed)).found()
    assert found["sealed"] == "bWluZQ=="


async def test_a_new_link_has_none_of_the_texts_of_the_one_before(
    people: Organization, case: Case
) -> None:
    """Anyone who claims it could not open them, and is not told that there are any."""
    await Desk(caller_of(case.harmed)).keep(uuid.uuid4(), 1, b"mine")
    link = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "participate")
    again: Participant = await people.claim(link)
    assert await Desk(caller_of(again)).found() == []


async def test_an_upload_link_keeps_nothing_at_relay(people: Organization, case: Case) -> None:
    """There is no key behind it that is its writer's alone."""
    link = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = Desk(caller_of(await Participant.through_upload_link(people.connection, link)))
    assert (await uploader.keep(uuid.uuid4(), 1, b"mine")).code == "forbidden"
    assert (await uploader.caller.ask("GET", "/v1/unsent")).code == "forbidden"


async def test_limits_of_size_and_number_hold(desk: Desk) -> None:
    """Too large, none at all, too many, too much in all: each is told, and what is kept stays."""
    text = uuid.uuid4()
    assert (await desk.keep(text, 1, b"")).code == "invalid-request"
    assert (await desk.keep(text, 1, bytes(SEALED_MAX_BYTES + 1))).code == "too-large"
    for _ in range(TEXTS_MAX_BYTES // SEALED_MAX_BYTES):
        assert (
            await desk.keep(uuid.uuid4(), 1, secrets.token_bytes(SEALED_MAX_BYTES))
        ).status == 204
    assert (await desk.keep(text, 1, b"one more")).code == "unsent-full"
    kept = await desk.found()
    assert len(kept) == TEXTS_MAX_BYTES // SEALED_MAX_BYTES
    # In the place of a large one there is room.
    assert (await desk.keep(uuid.UUID(kept[0]["text"]), 2, b"short")).status == 204
    assert (await desk.keep(text, 1, b"one more")).status == 204


async def test_many_at_once_do_not_pass_the_limit(desk: Desk) -> None:
    """However they come, no key has more than its number."""
    answers = [
        *await asyncio.gather(*(desk.keep(uuid.uuid4(), 1, b"x") for _ in range(TEXTS_MAX - 3))),
        *await asyncio.gather(*(desk.keep(uuid.uuid4(), 1, b"x") for _ in range(8))),
    ]
    assert sum(answer.status == 204 for answer in answers) == TEXTS_MAX
    assert {answer.code for answer in answers} == {"", "unsent-full"}


async def test_texts_in_the_database_are_what_was_sent_and_no_more(
    desk: Desk, database_url: str
) -> None:
    """Relay keeps the sealed bytes, the key's identifier, a number and a time."""
    await desk.keep(uuid.uuid4(), 1, b"sealed")
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow("select * from unsent_texts")
    finally:
        await connection.close()
    assert row is not None
    assert set(row.keys()) == {"kid", "text_id", "version", "sealed", "changed_at"}
    assert bytes(row["sealed"]) == b"sealed"
