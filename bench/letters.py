"""Letters accepted for good, sealed and signed beforehand, beside the same rows written by a bare loop."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
import msgspec

from bench.rows import Row
from bench.service import service
from relay.client.writing import address
from relay.crypto import statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.statements import Message, Verified
from relay.domain.messages import Submission
from relay.embedded import Access
from relay.settings import database_url
from relay.testing.people import Case, open_case
from relay.testing.relays import RunningRelay

AT_ONCE: Final = (1, 8, 32)
LETTERS: Final = {1: 150, 8: 600, 32: 1500}
CASES: Final = 8
TEXT: Final = "I have carried that night for eleven years. " * 20
BAR: Final = 0.4
"""Of the bare loop, at 32 at once."""
CPU_BAR_MS: Final = 1.4
"""Of the web process, for each letter."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True, slots=True)
class Sealed:
    """A letter that is only to be sent."""

    case: Case
    path: str
    submission: Submission
    body: bytes


async def rows() -> AsyncIterator[Row]:
    """A row for each number of senders at once, and one for what the web process works; 32 have bars."""
    async with service() as (running, people):
        cases = [await open_case(people) for _ in range(CASES)]
        await send(seal(cases, 100), 8)
        for at_once in AT_ONCE:
            async for row in _measure(running, cases, at_once):
                yield row


def seal(cases: Sequence[Case], letters: int) -> list[Sealed]:
    """So many letters of the persons harmed of these cases, each in turn."""
    sealed = []
    for number in range(letters):
        case = cases[number % len(cases)]
        written = address(case.responsible.participant_id)
        submission = case.harmed.hand.letter(written, TEXT)
        sealed.append(Sealed(case, written.path, submission, msgspec.json.encode(submission)))
    return sealed


async def send(letters: Sequence[Sealed], at_once: int) -> list[float]:
    """Send them by so many senders; the seconds each took. RuntimeError where one is refused."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        bearers = {id(one.case): await one.case.harmed.session.bearer() for one in letters}

        async def put(letter: Sealed) -> None:
            async with http.put(
                letter.case.harmed.session.connection.url + letter.path,
                data=letter.body,
                headers={
                    "Authorization": f"Bearer {bearers[id(letter.case)]}",
                    "Content-Type": "application/json",
                },
            ) as answer:
                if not answer.ok:
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")

        return await _all(letters, at_once, put)


async def _measure(running: RunningRelay, cases: list[Case], at_once: int) -> AsyncIterator[Row]:
    has_bar = at_once == max(AT_ONCE)
    bare = await _bare_per_second(running, seal(cases, LETTERS[at_once]), at_once)
    letters = seal(cases, LETTERS[at_once])
    worked, began = _cpu_seconds(running), time.perf_counter()
    latencies = await send(letters, at_once)
    per_second = len(letters) / (time.perf_counter() - began)
    middle = statistics.median(latencies) * 1000
    slow = statistics.quantiles(latencies, n=100)[98] * 1000
    yield Row(
        name=f"letters, {at_once} at once (p50 {middle:.0f} ms, p99 {slow:.0f} ms)",
        value=per_second,
        unit="letters/s",
        peer=f"the same rows by a bare loop ({bare:.0f} letters/s)",
        ratio=per_second / bare,
        bar=BAR if has_bar else 0.0,
        better="higher",
    )
    if has_bar:
        cpu_ms = (_cpu_seconds(running) - worked) / len(letters) * 1000
        yield Row(
            name="letters: CPU of the web process for each",
            value=cpu_ms,
            unit="ms",
            peer=f"{CPU_BAR_MS} ms",
            ratio=cpu_ms / CPU_BAR_MS,
            bar=1.0,
            better="lower",
        )


async def _all(
    letters: Sequence[Sealed], at_once: int, put: Callable[[Sealed], Awaitable[None]]
) -> list[float]:
    latencies: list[float] = []
    left = iter(letters)

    async def sender() -> None:
        for letter in left:
            began = time.perf_counter()
            await put(letter)
            latencies.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(sender())
    return latencies


def _cpu_seconds(running: RunningRelay) -> float:
    """What the web process has worked."""
    fields = Path(f"/proc/{running.processes['web'].pid}/stat").read_text("ascii").split()
    return (int(fields[13]) + int(fields[14])) / _TICKS


async def _bare_per_second(running: RunningRelay, letters: Sequence[Sealed], at_once: int) -> float:
    """The same rows, one transaction for each letter, and nothing else: no HTTP, no check, no answer."""
    url = database_url(running.services.accesses[Access.OWNER])
    verified = {
        letter.path: statements.verified(
            letter.submission.statement, Message, letter.case.harmed.hand.signer.public_key
        )
        for letter in letters
    }
    pool = await asyncpg.create_pool(url, min_size=at_once, max_size=at_once)

    async def put(letter: Sealed) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await _write(connection, letter, verified[letter.path])

    try:
        began = time.perf_counter()
        await _all(letters, at_once, put)
        return len(letters) / (time.perf_counter() - began)
    finally:
        await pool.close()


async def _write(
    connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record],
    letter: Sealed,
    statement: Verified[Message],
) -> None:
    said, submission = statement.said, letter.submission
    await connection.execute(
        "insert into statements (statement_hash, typ, kid, compact) values ($1, $2, $3, $4)",
        statement.hash,
        said.typ,
        statement.kid,
        statement.compact,
    )
    await connection.execute(
        "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, writer_kid, "
        "state, statement_hash, review_round) values ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, 2)",
        said.message,
        said.case,
        said.sender,
        said.recipient,
        said.kind,
        said.language,
        statement.kid,
        statement.hash,
    )
    await connection.execute(
        "insert into revisions (message_id, revision, statement_hash, language) values ($1, 1, $2, $3)",
        said.message,
        statement.hash,
        said.language,
    )
    [part], [body] = said.parts, submission.bodies
    await connection.execute(
        "insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, segments, "
        "body) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        b64u_decode(part.commit),
        said.message,
        statement.hash,
        part.role,
        part.type,
        part.size,
        [hashlib.sha256(body.body).digest()],
        body.body,
    )
    await connection.executemany(
        "insert into grants (commitment, audience, audience_id, header) values ($1, $2, $3, $4)",
        [
            (b64u_decode(grant.commitment), grant.audience, grant.audience_id, grant.header)
            for grant in submission.grants
        ],
    )
    await connection.execute(
        "update messages set state = 'queued', state_since = now(), waiting_since = now() "
        "where message_id = $1",
        said.message,
    )
    await connection.execute(
        "select append_event($1, 'submit-letter', $2, $3, $4)",
        said.case,
        said.message,
        f"participant:{said.sender}",
        statement.hash,
    )
