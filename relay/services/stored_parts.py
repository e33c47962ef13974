"""Parts and grants that arrive with a statement: checked against it, then stored.

The relay cannot open anything. What it can check is that every part that the statement declares is there,
whole, and sealed for exactly those who must and may open it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Sequence

from relay.crypto import age
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.fields import Part
from relay.crypto.padding import is_padded_size
from relay.crypto.stream import opened_size
from relay.domain.messages import (
    Audience,
    Body,
    Grant,
    MissingGrant,
    PartRole,
    SealedBefore,
    StatementMismatch,
)
from relay.domain.parts import is_type_of
from relay.errors import TooLarge
from relay.settings import Settings
from relay.storage import messages as stored
from relay.storage.database import Connection

STANZA_TYPE = "mlkem768x25519"
GRANT_MAX_BYTES = 16 * 1024

Reader = tuple[Audience, uuid.UUID]
"""An audience and who it is: one holder of a grant."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Who must be able to open every one of the parts, and who besides may.

    Of `one_of`, where it is not empty, at least one must.
    """

    required: frozenset[Reader]
    one_of: frozenset[Reader] = frozenset()
    allowed: frozenset[Reader] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A body that already lies in the object store, by its prefix and the digests of its segments."""

    object_prefix: str
    size_bytes: int
    digests: Sequence[bytes]


def check_grants(commitments: set[str], grants: Sequence[Grant], readers: Readers) -> None:
    """Check grants against the parts that they are for and those who are to read them."""
    held: dict[str, set[Reader]] = {commitment: set() for commitment in commitments}
    known = readers.required | readers.one_of | readers.allowed
    for grant in grants:
        reader = (grant.audience, grant.audience_id)
        if grant.commitment not in held or reader in held[grant.commitment]:
            raise StatementMismatch("a grant for no part, or twice")
        if reader not in known:
            raise StatementMismatch(f"a grant for a {grant.audience} that may not read this")
        if len(grant.header) > GRANT_MAX_BYTES:
            raise TooLarge("grant")
        header = age.parse_header(grant.header)
        if [stanza.type for stanza in header.stanzas] != [STANZA_TYPE]:
            raise StatementMismatch("a grant is a header with one post-quantum recipient")
        held[grant.commitment].add(reader)
    for holders in held.values():
        if not readers.required <= holders or (readers.one_of and not readers.one_of & holders):
            raise MissingGrant


def checked_text(part: Part, bodies: Sequence[Body], settings: Settings) -> stored.NewPart:
    """A part whose body came with the request."""
    found = [body.body for body in bodies if body.commitment == part.commit]
    if len(found) != 1:
        raise StatementMismatch("a part without its body, or with two")
    if len(found[0]) > settings.letter_max_bytes:
        raise TooLarge("letter")
    if len(found[0]) != part.size or [_digest(found[0])] != part.segments:
        raise StatementMismatch("a body that is not what was signed")
    if not is_padded_size(opened_size(part.size)):
        raise StatementMismatch("a text that is not padded")
    return _new_part(part, body=found[0], object_prefix=None)


def checked_upload(part: Part, body: StoredBody) -> stored.NewPart:
    """A part whose body was uploaded before."""
    signed = [b64u_decode(digest) for digest in part.segments]
    if body.size_bytes != part.size or list(body.digests) != signed:
        raise StatementMismatch("an upload that is not what was signed")
    return _new_part(part, body=None, object_prefix=body.object_prefix)


async def store_parts(
    connection: Connection,
    *,
    message_id: uuid.UUID,
    statement_hash: bytes,
    parts: Sequence[stored.NewPart],
    grants: Sequence[Grant],
) -> None:
    """Store parts that were checked against their statement, with their grants; SealedBefore if known."""
    if parts and not await stored.insert_parts(
        connection, message_id, statement_hash, parts, new_grants(grants)
    ):
        raise SealedBefore


async def store_grants(connection: Connection, grants: Sequence[Grant]) -> None:
    """Store grants that were checked against the older parts they are for."""
    await stored.insert_grants(connection, new_grants(grants))


def new_grants(grants: Sequence[Grant]) -> list[stored.NewGrant]:
    """Grants that were checked, to be stored."""
    return [
        stored.NewGrant(
            commitment=b64u_decode(grant.commitment),
            audience=grant.audience,
            audience_id=grant.audience_id,
            header=grant.header,
        )
        for grant in grants
    ]


def _new_part(part: Part, *, body: bytes | None, object_prefix: str | None) -> stored.NewPart:
    if not is_type_of(PartRole(part.role), part.type):
        raise StatementMismatch(f"a {part.role} of another media type")
    return stored.NewPart(
        commitment=b64u_decode(part.commit),
        role=PartRole(part.role),
        media_type=part.type,
        size_bytes=part.size,
        segments=[b64u_decode(digest) for digest in part.segments],
        body=body,
        object_prefix=object_prefix,
    )


def _digest(body: bytes) -> str:
    return b64u_encode(hashlib.sha256(body).digest())
