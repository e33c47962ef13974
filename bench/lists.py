"""The first page of a participant's lists, with few letters and with many."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator

import msgspec
from asyncpg.connection import LoggedQuery

from bench.rows import Row
from bench.service import service
from relay.client.participant import Participant
from relay.domain import actors
from relay.domain.correspondence import CorrespondenceQuery
from relay.services.correspondence import correspondence
from relay.storage.database import Database
from relay.testing.people import Case, open_case
from relay.testing.relays import RunningRelay

FEW, MANY = 20, 300
ROUNDS = 100
WARM_UP_ROUNDS = 10
PAGE_KIB = 20
KIB = 1024
TEXT = "I have carried that night for eleven years. " * 20
TIME_BAR = 1.5


async def rows() -> AsyncIterator[Row]:
    """Bytes, milliseconds and queries of a first page at 300 letters written and received, beside 20."""
    async with service() as (running, people):
        cases = {letters: await open_case(people) for letters in (FEW, MANY)}
        for letters, case in cases.items():
            await _exchange(case, letters)
        sizes = {letters: await _size(case.harmed) for letters, case in cases.items()}
        seconds = await _seconds({letters: case.harmed for letters, case in cases.items()})
        queries = {letters: await _queries(running, case.harmed) for letters, case in cases.items()}
    name = f"messages: first page at {MANY} letters"
    yield Row(
        name=f"{name} (at {FEW}: {sizes[FEW] / KIB:.1f} KiB)",
        value=sizes[MANY] / KIB,
        unit="KiB",
        peer=f"{PAGE_KIB} KiB",
        ratio=sizes[MANY] / (PAGE_KIB * KIB),
        bar=1.0,
        better="lower",
    )
    yield Row(
        name=name,
        value=seconds[MANY] * 1000,
        unit="ms",
        peer=f"at {FEW} ({seconds[FEW] * 1000:.1f} ms)",
        ratio=seconds[MANY] / seconds[FEW],
        bar=TIME_BAR,
        better="lower",
    )
    yield Row(
        name=name,
        value=queries[MANY],
        unit="queries",
        peer=f"at {FEW} ({queries[FEW]})",
        ratio=queries[MANY] / queries[FEW],
        bar=1.0,
        better="lower",
    )


async def _exchange(case: Case, letters: int) -> None:
    """So many letters from each to the other; those to the person harmed are offered to them."""
    for _ in range(letters):
        await case.harmed.send_letter(case.responsible.participant_id, TEXT)
        sent = await case.responsible.send_letter(case.harmed.participant_id, TEXT)
        leased = await case.mediator.lease(sent.message)
        await case.mediator.offer(await case.mediator.decide(leased, "approve"))


async def _size(person: Participant) -> int:
    return len(msgspec.json.encode(await person.lists()))


async def _seconds(readers: dict[int, Participant]) -> dict[int, float]:
    """The middle of what a page took each reader, measured by turns."""
    taken: dict[int, list[float]] = {letters: [] for letters in readers}
    for turn in range(ROUNDS + WARM_UP_ROUNDS):
        for letters, person in readers.items():
            began = time.perf_counter()
            await person.lists()
            if turn >= WARM_UP_ROUNDS:
                taken[letters].append(time.perf_counter() - began)
    return {letters: statistics.median(of_one) for letters, of_one in taken.items()}


async def _queries(running: RunningRelay, person: Participant) -> int:
    """What a page asks the database, past the session."""
    asked: list[str] = []

    def note(logged: LoggedQuery) -> None:
        asked.append(logged.query)

    signer = person.hand.signer
    actor = actors.Participant(
        participant_id=person.participant_id,
        case_id=person.case_id,
        kid=signer.kid,
        signer=signer.public_key,
        link_id=None,
        is_verified=True,
    )
    database = await Database.connect(running.environment["RELAY_DATABASE_URL"], connections=1)
    try:
        # Twice, since a new connection asks for types of its own.
        for _ in range(2):
            async with database.connection() as connection:
                connection.add_query_logger(note)
            asked.clear()
            await correspondence(database, actor, CorrespondenceQuery())
            async with database.connection() as connection:
                connection.remove_query_logger(note)
    finally:
        await database.close()
    return len(asked)
