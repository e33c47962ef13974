"""Signed statements: the text that is signed, each kind of what it says, and where both are kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
import uuid
from functools import partial
from typing import Final

import msgspec

from relay.crypto import statements
from relay.crypto.audit import ChainedRow, ChainWalk, EventRow, event_hash, verify_chain
from relay.crypto.checkpoints import (
    TYPE,
    Checkpoint,
    CheckpointUnusable,
    CheckpointWriter,
    verify_checkpoint,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import StatementError
from relay.crypto.signed import Statement, decode_unverified, sign, verified, verify
from relay.crypto.signing import (
    Signer,
    key_id,
    read_unverified,
    sign_statement,
    statement_hash,
    verify_for_nobody,
    verify_statement,
)
from relay.decoding import NotDecodable, decode_json
from relay.services.audit.keys import parse_actor
from tests.support.fuzz.mutation import (
    choose,
    mutate_after_line,
    mutate_bytes,
    mutate_json,
    mutate_lines,
)
from tests.support.fuzz.reading import as_text, attempt, listed
from tests.support.fuzz.target import Target

SIGNER: Final = Signer.from_seed(bytes(range(32)))
KINDS: Final = {
    kind.typ: kind
    for kind in vars(statements).values()
    if isinstance(kind, type) and issubclass(kind, Statement) and kind is not Statement
}


def _texts(given: bytes) -> str | None:
    """Any text at all, as somebody sends it in place of a statement."""
    text = as_text(given)
    claimed = attempt(lambda: read_unverified(text), StatementError)
    attempt(lambda: verify_for_nobody(text), StatementError)
    if claimed is None:
        return None
    header = f'{{"alg":"EdDSA","kid":"{claimed.kid}","typ":"{claimed.typ}"}}'.encode()
    parts = (b64u_encode(part) for part in (header, claimed.payload, claimed.signature))
    assert ".".join(parts) == text
    assert len(statement_hash(text)) == 32
    signed = attempt(lambda: verify_statement(text, claimed.typ, SIGNER.public_key), StatementError)
    assert signed is None or sign_statement(SIGNER, claimed.typ, signed) == text
    return listed(claimed.typ, claimed.kid, claimed.payload.hex(), signed is not None)


def _kinds(given: bytes) -> str | None:
    """A type, and below it a payload, which is signed here."""
    typ, _, payload = given.partition(b"\n")
    kind = KINDS.get(typ.decode("latin-1"))
    if kind is None:
        return None
    compact = sign_statement(SIGNER, kind.typ, payload)
    said = attempt(lambda: verify(compact, kind, SIGNER.public_key), StatementError)
    assert said == attempt(lambda: decode_unverified(compact, kind), StatementError)
    if said is None:
        return None
    assert sign(SIGNER, said) == compact
    assert verified(compact, kind, SIGNER.public_key).kid == key_id(SIGNER.public_key)
    for other in KINDS.values():
        if other is not kind:
            assert attempt(partial(decode_unverified, compact, other), StatementError) is None
    return payload.decode()


def _checkpoints(given: bytes) -> str | None:
    """The lines of a checkpoint, signed here unless the last one is a signature itself."""
    content = given if b'{"checkpoint":' in given else _signed(given)
    found = attempt(
        lambda: verify_checkpoint(io.BytesIO(content), SIGNER.public_key), CheckpointUnusable
    )
    if found is None:
        return None
    out = io.BytesIO()
    writer = CheckpointWriter(out, SIGNER, found.said.relay)
    for entry in found.entries():
        writer.add(entry)
    writer.finish(found.said.at)
    assert out.getvalue() == content
    return listed(found.said.cases, found.said.statements)


def _signed(lines: bytes) -> bytes:
    """With a signature over exactly these lines, whatever they are."""
    said = Checkpoint(
        at=_NOON,
        relay="https://relay.example",
        cases=lines.count(b'{"case":'),
        statements=lines.count(b'{"statement":'),
        lines=b64u_encode(hashlib.sha256(lines).digest()),
    )
    compact = sign_statement(SIGNER, TYPE, msgspec.json.encode(said))
    return lines + b'{"checkpoint":"' + compact.encode() + b'"}\n'


def _log(given: bytes) -> str | None:
    """Rows of a log as an export has them, a line each; the hashes are made here as far as they can be."""
    rows = [attempt(partial(decode_json, line, _Row), NotDecodable) for line in given.split(b"\n")]
    walk = ChainWalk()
    chained: list[ChainedRow] = []
    followed = 0
    for row in rows:
        if row is None:
            continue
        parse_actor(row.actor)
        event = EventRow(
            case=row.case,
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            message=row.message,
            actor=row.actor,
            statement=row.statement,
        )
        made = attempt(partial(event_hash, walk.head, event), ValueError)
        link = ChainedRow(row=event, prev=walk.head, hash=made or bytes(32))
        chained.append(link)
        followed += walk.follows(link)
        assert walk.seq == followed
    first = verify_chain(chained)
    assert (first is None) == (followed == len(chained))
    return str(followed)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What of a row an export says, with the case that it is of."""

    case: uuid.UUID
    seq: int
    at: dt.datetime
    kind: str
    message: uuid.UUID | None = None
    actor: str
    statement: bytes | None = None


_NOON: Final = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


def _jws(given: bytes, chance: random.Random) -> bytes:
    """Another header or payload under a signature of the known key."""
    try:
        claimed = read_unverified(given.decode("ascii"))
    except (UnicodeDecodeError, StatementError):
        return given + b"."
    payload = mutate_json(claimed.payload, chance)
    typ = chance.choice((claimed.typ, "relay-message+jws", "a"))
    return sign_statement(SIGNER, typ, payload).encode()


_JSON_LINES: Final = mutate_lines(mutate_json)
_CRYPTO: Final = "relay.crypto."

TARGETS: Final = (
    Target(
        name="statement-texts",
        reads=(
            f"{_CRYPTO}signing.read_unverified",
            f"{_CRYPTO}signing.verify_for_nobody",
            f"{_CRYPTO}signing.verify_statement",
        ),
        check=_texts,
        mutate=choose([mutate_bytes, mutate_bytes, _jws]),
        in_browser=True,
    ),
    Target(
        name="statements",
        reads=(
            f"{_CRYPTO}signed.verify",
            f"{_CRYPTO}signed.verified",
            f"{_CRYPTO}signed.decode_unverified",
        ),
        check=_kinds,
        mutate=mutate_after_line(mutate_json),
        in_browser=True,
    ),
    Target(
        name="checkpoints",
        reads=(f"{_CRYPTO}checkpoints.verify_checkpoint",),
        check=_checkpoints,
        mutate=_JSON_LINES,
    ),
    Target(
        name="log-rows",
        reads=(f"{_CRYPTO}audit.verify_chain", "relay.services.audit.keys.parse_actor"),
        check=_log,
        mutate=_JSON_LINES,
    ),
)
