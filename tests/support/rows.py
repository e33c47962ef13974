"""Rows as no service would write them, to find what the schema refuses by itself."""

from __future__ import annotations

import uuid
from typing import Final, Self

import asyncpg

from relay.storage.database import Connection

_ONCE_OFFERED: Final = frozenset({"offered", "released", "viewed", "refused", "closed"})


class Rows:
    """Writes rows as no service would: straight into the tables."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.case, self.sender, self.recipient = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        self.mediators = [uuid.uuid4(), uuid.uuid4()]
        self.statement = bytes(32)
        self.commitment = b"\1" * 32

    @classmethod
    async def lay(cls, database_url: str) -> Self:
        """A case of two who agree, two mediators, and a statement to refer to."""
        rows = cls(await asyncpg.connect(database_url))
        await rows._lay()
        return rows

    async def aclose(self) -> None:
        """Close the connection."""
        await self.connection.close()

    async def _lay(self) -> None:
        run = self.connection.execute
        await run("insert into statements values ($1, 'typ', 'kid', 'text')", self.statement)
        await run("insert into cases (case_id, reference) values ($1, 'one')", self.case)
        for person, role in ((self.sender, "harmed"), (self.recipient, "responsible")):
            await run(
                "insert into participants (participant_id, case_id, role, consent) "
                "values ($1, $2, $3, 'active')",
                person,
                self.case,
                role,
            )
        one, other = sorted((self.sender, self.recipient))
        await run(
            "insert into pairs (case_id, one, other) values ($1, $2, $3)", self.case, one, other
        )
        for number, mediator in enumerate(self.mediators):
            digest = bytes([number + 2]) * 32
            await run("insert into statements values ($1, 'typ', 'kid', 'text')", digest)
            await run(
                "insert into credentials (credential_id, person_id, role, statement_hash, kid, signer, "
                "recipient, not_before, not_after) values ($1, gen_random_uuid(), 'mediator', $2, $3, $4, "
                "'age1', now(), now() + interval '1 day')",
                mediator,
                digest,
                str(number),
                digest,
            )

    async def letter(self) -> uuid.UUID:
        """A letter with its sealed body, submitted, in the state of a draft."""
        message = uuid.uuid4()
        await self.connection.execute(
            "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, state, "
            "statement_hash, writer_kid) values ($1, $2, $3, $4, 'letter', 'en', 'draft', $5, 'kid')",
            message,
            self.case,
            self.sender,
            self.recipient,
            self.statement,
        )
        self.commitment = uuid.uuid4().bytes * 2
        await self.connection.execute(
            "insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, "
            "segments, body) values ($1, $2, $3::bytea, 'body', 'text/plain', 16, array[$3::bytea], $4)",
            self.commitment,
            message,
            self.statement,
            bytes(16),
        )
        return message

    async def put(self, message: uuid.UUID, state: str) -> None:
        """Set a state past every guard, as only the owner of the database could."""
        await self.connection.execute("alter table messages disable trigger user")
        await self.connection.execute(
            "update messages set state = $2, offer_hash = $3, failure = 'why', "
            "lease_holder = case when $2::message_state = 'claimed' then $4::uuid end, "
            "lease_expires_at = case when $2::message_state = 'claimed' then now() end "
            "where message_id = $1",
            message,
            state,
            self.statement if state in _ONCE_OFFERED else None,
            self.mediators[0],
        )
        await self.connection.execute("alter table messages enable trigger user")

    async def move(self, message: uuid.UUID, state: str) -> None:
        """Set a state with everything that goes with it."""
        await self.connection.execute(
            "update messages set state = $2, offer_hash = coalesce(offer_hash, $3), failure = 'why', "
            "lease_holder = case when $2::message_state = 'claimed' then $4::uuid end, "
            "lease_expires_at = case when $2::message_state = 'claimed' then now() end "
            "where message_id = $1",
            message,
            state,
            self.statement,
            self.mediators[0],
        )

    async def move_after(self, change: str, message: uuid.UUID, state: str) -> None:
        """As `move` does, after a change about the sender ($1): both or neither."""
        async with self.connection.transaction():
            await self.connection.execute(change, self.sender)
            await self.move(message, state)

    async def approve(self, message: uuid.UUID, mediator: int = 0) -> None:
        """A mediator's approval of what is there."""
        digest = uuid.uuid4().bytes * 2
        await self.connection.execute(
            "insert into statements values ($1, 'typ', 'kid', 'text')", digest
        )
        await self.connection.execute(
            "insert into decisions (statement_hash, message_id, review_round, mediator_id, person_id, "
            "decision, source_hash, rendition_hash, captions_hash) "
            "select $1, message_id, review_round, credential_id, person_id, 'approve', "
            "messages.statement_hash, rendition_hash, captions_hash "
            "from messages cross join credentials where message_id = $2 and credential_id = $3",
            digest,
            message,
            self.mediators[mediator],
        )

    async def grant(self, person: uuid.UUID | None = None) -> None:
        """A grant of the body to the recipient, or to somebody else as if they were."""
        await self.connection.execute(
            "insert into grants (commitment, audience, audience_id, header) "
            "values ($1, 'recipient', $2, $3)",
            self.commitment,
            person or self.recipient,
            bytes(64),
        )
