"""Attacks of an owner of the database: their register, and what they have in common.

Each says what an audit must find of it at least. The chain of hashes is made again after each, so that it
holds by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from relay.crypto import statements
from relay.crypto.signing import Signer, read_unverified
from relay.crypto.statements import Statement
from relay.services.audit.findings import Code
from tests.support.tampering.owner import Owner
from tests.support.tampering.story import Story

Attack: TypeAlias = Callable[[Owner, Story], Awaitable[None]]

_KINDS: Final = {kind.typ: kind for kind in Statement.__subclasses__()}


class Attacks(dict[str, tuple[Attack, frozenset[Code]]]):
    """Attacks by what happens, each with what an audit must find."""

    def finds(self, *codes: Code) -> Callable[[Attack], Attack]:
        """Register an attack under its name."""

        def register(attack: Attack) -> Attack:
            self[attack.__name__.replace("_", " ")] = (attack, frozenset(codes))
            return attack

        return register


async def resign(owner: Owner, before: bytes, signer: Signer, **changes: object) -> None:
    """Put a statement, signed by somebody else or saying something else, everywhere in place of another."""
    compact = await owner.value("select compact from statements where statement_hash = $1", before)
    kind = _KINDS[read_unverified(compact).typ]
    said = msgspec.structs.replace(statements.decode_unverified(compact, kind), **changes)
    await owner.rename_statement(before, await owner.put_statement(statements.sign(signer, said)))


async def statement_of(
    owner: Owner, story: Story, kind: str, message: uuid.UUID | None = None
) -> bytes:
    """The statement behind the last row of a kind, of one message or of the whole case."""
    found: bytes = await owner.value(
        "select statement_hash from events where case_id = $1 and kind = $2 "
        "and ($3::uuid is null or message_id = $3) order by seq desc limit 1",
        story.case_id,
        kind,
        message,
    )
    return found


async def remove(owner: Owner, story: Story, kind: str, message: uuid.UUID | None = None) -> bytes:
    """Take the last row of a kind out of the log, and its statement out of relay."""
    digest = await statement_of(owner, story, kind, message)
    await owner.run("delete from events where statement_hash = $1", digest)
    await owner.run("delete from statements where statement_hash = $1", digest)
    return digest
