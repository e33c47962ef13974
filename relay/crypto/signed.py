"""What all signed statements have in common: how one is signed, verified and named."""

from __future__ import annotations

import dataclasses
import secrets
from typing import ClassVar, Generic, Self, TypeVar

import msgspec

from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import StatementError
from relay.crypto.fields import (
    Nonce,
    Time,
    Value,
)
from relay.crypto.signing import (
    STATEMENT_MAX_BYTES,
    Signer,
    key_id,
    read_unverified,
    sign_statement,
    statement_hash,
    verify_statement,
)
from relay.decoding import NotDecodable, decode_json


def new_nonce() -> str:
    """16 random bytes as base64url."""
    return b64u_encode(secrets.token_bytes(16))


class Statement(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all statements share: a type, which is signed with them, when they were signed, and a nonce.

    Subclasses keep to the order of members: `at` and `nonce` come first in the JSON, then theirs as declared.
    """

    typ: ClassVar[str]
    at: Time
    """When it was signed, as the signer says."""
    nonce: Nonce = msgspec.field(default_factory=new_nonce)
    """Tells two statements apart that say the same in the same second."""


StatementT = TypeVar("StatementT", bound=Statement)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Generic[StatementT]):
    """A statement whose signature holds, read and hashed once."""

    said: StatementT
    compact: str
    kid: str
    """The key that signed it."""
    hash: bytes
    """How other statements name it: 32 bytes."""

    @classmethod
    def of(cls, said: StatementT, compact: str, public_key: bytes) -> Self:
        """What `public_key` signed as `compact`, once that was verified."""
        return cls(said=said, compact=compact, kid=key_id(public_key), hash=statement_hash(compact))


def sign(signer: Signer, statement: Statement) -> str:
    """The compact JWS of `statement`; StatementError if a member is not of its form."""
    payload = msgspec.json.encode(statement)
    _decode(payload, type(statement))
    return sign_statement(signer, statement.typ, payload)


def verify(
    compact: str,
    kind: type[StatementT],
    public_key: bytes,
    max_bytes: int = STATEMENT_MAX_BYTES,
) -> StatementT:
    """The statement, if it is one of `kind` signed by `public_key` (32 bytes); StatementError otherwise."""
    return _decode(verify_statement(compact, kind.typ, public_key, max_bytes), kind)


def verified(compact: str, kind: type[StatementT], public_key: bytes) -> Verified[StatementT]:
    """As `verify`, with what the statement is stored and named by."""
    return Verified.of(verify(compact, kind, public_key), compact, public_key)


def decode_unverified(
    compact: str, kind: type[StatementT], max_bytes: int = STATEMENT_MAX_BYTES
) -> StatementT:
    """What `compact` claims, before its signature was checked: only to find out who should have signed."""
    claimed = read_unverified(compact, max_bytes)
    if claimed.typ != kind.typ:
        raise StatementError("a statement of another type")
    return _decode(claimed.payload, kind)


def _decode(payload: bytes, kind: type[StatementT]) -> StatementT:
    try:
        statement = decode_json(payload, kind)
    except NotDecodable as error:
        raise StatementError(f"{kind.typ}: {type(error).__name__}") from None
    if msgspec.json.encode(statement) != payload:
        raise StatementError(f"{kind.typ}: not the one text of this statement")
    return statement
