"""Many reviewers on a long queue: no item is held by two, and none is lost."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import asyncpg
import pytest

from relay.testing.people import Organization, open_case
from tests.support.requests import caller_of

REVIEWERS: Final = 16
ITEMS: Final = 400
TAKES: Final = 25
"""Of each reviewer."""
PAGE: Final = 20

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

COPIES: Final = """
with copied as (
    insert into messages (
        message_id, case_id, sender_id, recipient_id, kind, language, state, revision, review_round,
        statement_hash, waiting_since, author_view_since, state_since, created_at, writer_kid
    )
    select
        gen_random_uuid(), case_id, sender_id, recipient_id, kind, language, state, revision, review_round,
        sha256(n::text::bytea), waiting_since - make_interval(secs => n), author_view_since, state_since,
        created_at, writer_kid
    from messages, generate_series(2, $2::int) as n
    where message_id = $1
    returning message_id, waiting_since, revision, statement_hash, language
),

sent as (
    insert into revisions (message_id, revision, statement_hash, language)
    select message_id, revision, statement_hash, language from copied
)

insert into queue_entries (mediator_id, state, waits_for, since, message_id)
select entries.mediator_id, entries.state, entries.waits_for, copied.waiting_since, copied.message_id
from copied, queue_entries as entries
where entries.message_id = $1
"""
"""The same letter as often as is asked for, in everybody's queue; nothing is read of it."""

HELD_BY_TWO: Final = """
select count(*) from (
    select kind, lag(kind) over (partition by message_id order by seq) as before
    from events
    where message_id is not null and kind in ('lease', 'let-go', 'lapse')
) as turns
where kind = 'lease' and before = 'lease'
"""


async def test_no_item_is_held_by_two_and_none_is_lost(
    people: Organization, database_url: str, chance: random.Random
) -> None:
    """Each takes what they see, at the same moment as the others, and gives it back."""
    reviewers = [await people.mediator() for _ in range(REVIEWERS)]
    case = await open_case(people, mediators=(reviewers[0], reviewers[1]))
    await reviewers[0].change_charter(
        case.case_id, mediators=[one.credential_id for one in reviewers]
    )
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    owner = await asyncpg.connect(database_url)
    try:
        async with owner.transaction():
            await owner.execute("set local session_replication_role = replica")
            await owner.execute(COPIES, sent.message, ITEMS)
        held: set[str] = set()
        refused = 0

        async def review(number: int) -> None:
            nonlocal refused
            caller = caller_of(reviewers[number])
            takes = 0
            while takes < TAKES:
                page = await caller.ask("GET", f"/v1/queue?limit={PAGE}")
                items = page.document["items"]
                assert isinstance(items, list)
                message = chance.choice(items)["message"]
                taken = await caller.ask("PUT", f"/v1/messages/{message}/lease")
                if taken.status == 409:
                    refused += 1
                    continue
                assert taken.status == 200
                assert message not in held
                held.add(message)
                await asyncio.sleep(0)
                held.remove(message)  # before it is given back: the next may have it at once
                given = await caller.ask("DELETE", f"/v1/messages/{message}/lease")
                assert given.status == 204
                takes += 1

        await asyncio.gather(*map(review, range(REVIEWERS)))

        assert refused > 0, "nobody met anybody"
        assert await owner.fetchval(HELD_BY_TWO) == 0
        taken = "select count(*) from events where kind = 'lease'"
        assert await owner.fetchval(taken) == REVIEWERS * TAKES
        free = "select count(*) from messages where state = 'queued' and lease_holder is null"
        assert await owner.fetchval(free) == ITEMS
        entries = "select count(*) from queue_entries where state = 'queued'"
        assert await owner.fetchval(entries) == ITEMS * REVIEWERS
    finally:
        await owner.close()
