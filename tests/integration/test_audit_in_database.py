"""The function in the database makes the very rows that readers compute: same bytes, same chain."""

from __future__ import annotations

import uuid

from relay.crypto.audit import GENESIS, ChainedRow, EventRow, event_hash, verify_chain
from relay.crypto.signing import Signer, sign_statement
from relay.storage.database import Database
from relay.storage.events import append_event, list_events
from tests.support.statements import put_statement

EVENTS = 12


async def test_rows_of_the_database_are_those_that_readers_compute(database_url: str) -> None:
    """With and without a message and a statement, in any alphabet, the hash is the same in both."""
    database = await Database.connect(database_url, connections=1)
    case_id = uuid.uuid4()
    async with database.transaction() as connection:
        await connection.execute("insert into cases (case_id, reference) values ($1, 'a')", case_id)
        statement = await put_statement(
            connection, sign_statement(Signer.generate(), "relay-test+jws", b"{}")
        )
        for number in range(EVENTS):
            await append_event(
                connection,
                case_id=case_id,
                kind=f"kind-{number}",
                actor="médiatrice:Ελένη" if number % 3 else f"clock {number}",
                message_id=uuid.uuid4() if number % 2 else None,
                statement_hash=statement if number % 4 == 1 else None,
            )
        rows = await list_events(connection, case_id, after=0, limit=EVENTS + 1)
    await database.close()

    assert [row.seq for row in rows] == list(range(1, EVENTS + 1))
    prev, chained = GENESIS, []
    for row in rows:
        event = EventRow(
            case=case_id,
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            message=row.message_id,
            actor=row.actor,
            statement=row.statement_hash,
        )
        assert (row.prev, row.hash) == (prev, event_hash(prev, event))
        prev = row.hash
        chained.append(ChainedRow(row=event, prev=row.prev, hash=row.hash))
    assert verify_chain(chained) is None
    assert verify_chain(chained[:3] + chained[4:]) is chained[4]
