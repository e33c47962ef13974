"""A page of the review queue, in a small relay and in one with a million messages."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import AsyncIterator

import asyncpg

from bench.rows import Row
from bench.service import service
from relay.client.mediator import Mediator
from relay.embedded import Access

SMALL, LARGE = 1_000, 1_000_000
CASE_MESSAGES = 10
AT_ONCE = 100_000
"""Messages filled in by one statement."""
MEDIATOR_CASES = 100
"""Of the mediator who looks."""
PAGE_ITEMS = 50
PAGES = 400
WARM_UP_PAGES = 40
WALK_PAGES = 5
"""So many pages on, then from the beginning again."""
BAR = 1.5

FILL = """
with numbered as (select generate_series($1::int, $2::int) as n),
new_cases as (
    insert into cases (case_id, reference, charter_version)
    select bench_uuid('case', n / $3), 'bench ' || n / $3, 1 from numbered where n % $3 = 0
),
new_participants as (
    insert into participants (participant_id, case_id, role, number, consent)
    select bench_uuid(side, n / $3), bench_uuid('case', n / $3), 'harmed', number, 'active'
    from numbered, unnest(array['one', 'other']) with ordinality as sides (side, number) where n % $3 = 0
),
new_mediators as (
    insert into case_mediators (case_id, credential_id)
    select bench_uuid('case', n / $3),
        case when n / $3 < $5 then $4 else bench_uuid('mediator', n / $3 / 100) end
    from numbered where n % $3 = 0
),
new_statements as (
    insert into statements (statement_hash, typ, kid, compact)
    select sha256(n::text::bytea), 'relay-message+jws', 'bench', 'bench' from numbered
)
insert into messages (
    message_id, case_id, sender_id, recipient_id, kind, language, state, statement_hash, offer_hash,
    writer_kid, waiting_since
)
select
    bench_uuid('message', n), bench_uuid('case', n / $3), bench_uuid('one', n / $3),
    bench_uuid('other', n / $3), 'letter', case when n % 3 = 0 then 'fr' else 'en' end::message_language,
    case when n % 5 < 3 then 'queued' when n % 5 = 3 then 'held' else 'closed' end::message_state,
    sha256(n::text::bytea), sha256(n::text::bytea), 'bench',
    now() - make_interval(secs => ($2 - n) * 7 % 8000000)
from numbered
"""


async def rows() -> AsyncIterator[Row]:
    """The 95th percentile of a page at a million messages, over that at a thousand."""
    async with (
        service() as (small_stage, small_people),
        service() as (large_stage, large_people),
    ):
        looking = []
        for running, people, messages in (
            (small_stage, small_people, SMALL),
            (large_stage, large_people, LARGE),
        ):
            mediator = await people.mediator()
            await _fill(
                running.services.accesses[Access.ADMINISTRATOR]["RELAY_DATABASE_URL"],
                messages,
                mediator.credential_id,
            )
            looking.append(mediator)
        small, large = await _p95(looking)
    yield Row(
        name=f"queue page of 50 at {LARGE:,} messages, p95",
        value=large * 1000,
        unit="ms",
        peer=f"at {SMALL:,} messages ({small * 1000:.1f} ms)",
        ratio=large / small,
        bar=BAR,
        better="lower",
    )


async def _fill(url: str, messages: int, mediator_id: uuid.UUID) -> None:
    """So many messages, past the triggers that real ones go through; then the queue that they would make."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(
            "create function bench_uuid(kind text, n int) returns uuid language sql immutable "
            "as $$ select md5(kind || n)::uuid $$"
        )
        for first in range(0, messages, AT_ONCE):
            last = min(first + AT_ONCE, messages) - 1
            await connection.execute(FILL, first, last, CASE_MESSAGES, mediator_id, MEDIATOR_CASES)
        await connection.execute(
            "insert into queue_entries (mediator_id, state, waits_for, since, message_id) "
            "select entry.mediator_id, entry.state, entry.waits_for, entry.since, entry.message_id "
            "from messages inner join case_mediators using (case_id) "
            "cross join lateral queue_entry(messages, credential_id) as entry"
        )
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def _p95(looking: list[Mediator]) -> list[float]:
    """For each mediator the seconds that nineteen of twenty pages take at most, measured by turns."""
    seconds: list[list[float]] = [[] for _ in looking]
    after: list[str | None] = [None for _ in looking]
    for turn in range(PAGES + WARM_UP_PAGES):
        for number, mediator in enumerate(looking):
            filters = {} if after[number] is None else {"after": str(after[number])}
            began = time.perf_counter()
            page = await mediator.queue(limit=PAGE_ITEMS, **filters)
            if turn >= WARM_UP_PAGES:
                seconds[number].append(time.perf_counter() - began)
            if len(page.items) != PAGE_ITEMS:
                raise RuntimeError("a page of another size")
            after[number] = page.next if turn % WALK_PAGES else None
    return [statistics.quantiles(taken, n=20)[18] for taken in seconds]
