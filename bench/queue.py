"""A page of the review queue, in a small relay and in one with a million messages."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid

import asyncpg

from bench.rows import Row
from bench.service import service
from relay.client.mediator import Mediator

SMALL, LARGE = 1_000, 1_000_000
CASES_FOR_EACH = 10
"""Messages to a case."""
MEDIATOR_CASES = 100
"""Of the mediator who looks."""
PAGES = 300
BAR = 1.5

FILL = """
with numbered as (select generate_series($1::int, $2::int) as n),
new_cases as (
    insert into cases (case_id, reference, charter_version)
    select bench_uuid('case', n / $3), 'bench ' || n / $3, 1 from numbered where n % $3 = 0
),
new_participants as (
    insert into participants (participant_id, case_id, role, consent)
    select bench_uuid(side, n / $3), bench_uuid('case', n / $3), 'harmed', 'active'
    from numbered, unnest(array['one', 'other']) as side where n % $3 = 0
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
    waiting_since
)
select
    bench_uuid('message', n), bench_uuid('case', n / $3), bench_uuid('one', n / $3),
    bench_uuid('other', n / $3), 'letter', case when n % 3 = 0 then 'fr' else 'en' end::message_language,
    case when n % 5 < 3 then 'queued' when n % 5 = 3 then 'held' else 'closed' end::message_state,
    sha256(n::text::bytea), sha256(n::text::bytea),
    now() - make_interval(secs => ($2 - n) * 7 % 8000000)
from numbered
"""


def rows() -> list[Row]:
    """The 95th percentile of a page at a million messages, over that at a thousand."""
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    async with service() as (running, people):
        mediator = await people.mediator()
        url = running.environment["RELAY_DATABASE_URL"]
        await _fill(url, 0, SMALL, mediator.credential_id)
        small = await _p95(mediator)
        await _fill(url, SMALL, LARGE, mediator.credential_id)
        large = await _p95(mediator)
    return [
        Row(
            name=f"queue page of 50 at {LARGE:,} messages, p95",
            value=large * 1000,
            unit="ms",
            peer=f"at {SMALL:,} messages ({small * 1000:.1f} ms)",
            ratio=large / small,
            bar=BAR,
            better="lower",
        )
    ]


async def _fill(url: str, start: int, stop: int, mediator_id: uuid.UUID) -> None:
    """Messages number `start` to `stop`, past the triggers that real ones go through; then the queue."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(
            "create or replace function bench_uuid(kind text, n int) returns uuid language sql immutable "
            "as $$ select md5(kind || n)::uuid $$"
        )
        for first in range(start, stop, 100_000):
            last = min(first + 100_000, stop) - 1
            await connection.execute(FILL, first, last, CASES_FOR_EACH, mediator_id, MEDIATOR_CASES)
        await connection.execute("truncate queue_entries")
        await connection.execute(
            "insert into queue_entries (mediator_id, state, waiting_since, message_id) "
            "select credential_id, state, waiting_since, message_id "
            "from messages inner join case_mediators using (case_id) where is_in_queue(state)"
        )
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def _p95(mediator: Mediator) -> float:
    """Seconds for a page that nineteen of twenty take at most, walking through the queue."""
    seconds = []
    after = None
    for turn in range(PAGES + 20):
        began = time.perf_counter()
        page = await mediator.queue(limit=50, **({"after": after} if after else {}))
        if turn >= 20:
            seconds.append(time.perf_counter() - began)
        if len(page.items) != 50:
            raise RuntimeError("a page of another size")
        after = page.next if turn % 5 != 4 else None
    return statistics.quantiles(seconds, n=20)[18]
