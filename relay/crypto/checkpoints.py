"""Checkpoints: where the log of every case ended at one moment, signed by an auditor and kept elsewhere.

A chain of hashes does not show what was cut off at its end, nor a chain that was rebuilt as a whole. A file
that lies where nobody of the relay can write does. It has one JSON text a line, each in one spelling:

    {"case":"…","seq":12,"head":"…"}      of each case, in the order of their identifiers
    {"statement":"…"}                     of each statement of the organization's roots, in order
    {"checkpoint":"…"}                    the signature: a JWS over what `Checkpoint` says
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import IO, Final, TypeAlias, TypeVar

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.fields import Audience, Digest, Identifier, Time, Value, Whole
from relay.crypto.signing import Signer, sign_statement, verify_statement
from relay.decoding import NotDecodable, decode_json
from relay.errors import CryptoError, RelayError

TYPE: Final = "relay-checkpoint+jws"
"""Not one of the statements that relay takes: nobody sends it anywhere."""
LINE_MAX_BYTES: Final = 4096

_ValueT = TypeVar("_ValueT", bound=Value)


class CheckpointUnusable(RelayError):
    """A checkpoint that the log cannot be compared with."""

    code = "checkpoint-unusable"


class CaseHead(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the log of a case ended."""

    case: Identifier
    seq: Whole
    """How many rows it had."""
    head: Digest
    """The hash of the last one; of no row, 32 zero bytes."""


class RootStatement(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement of the organization's roots that relay had: no log of a case names it."""

    statement: Digest


class Checkpoint(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed."""

    at: Time
    relay: Audience
    """The public URL of the relay."""
    cases: Whole
    statements: Whole
    lines: Digest
    """SHA-256 of all lines before the signature, with their line feeds."""


class _Signature(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    checkpoint: str


Entry: TypeAlias = CaseHead | RootStatement


class CheckpointWriter:
    """Writes a checkpoint, line by line."""

    def __init__(self, file: IO[bytes], signer: Signer, relay: str) -> None:
        self._file = file
        self._signer = signer
        self._relay = relay
        self._digest = hashlib.sha256()
        self._counts = {CaseHead: 0, RootStatement: 0}

    def add(self, entry: Entry) -> None:
        """One line; heads come first, in the order of their cases, then statements in theirs."""
        line = msgspec.json.encode(entry) + b"\n"
        self._counts[type(entry)] += 1
        self._digest.update(line)
        self._file.write(line)

    def finish(self, at: dt.datetime) -> Checkpoint:
        """Sign what was written."""
        checkpoint = Checkpoint(
            at=at,
            relay=self._relay,
            cases=self._counts[CaseHead],
            statements=self._counts[RootStatement],
            lines=b64u_encode(self._digest.digest()),
        )
        compact = sign_statement(self._signer, TYPE, msgspec.json.encode(checkpoint))
        self._file.write(msgspec.json.encode(_Signature(checkpoint=compact)) + b"\n")
        return checkpoint


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCheckpoint:
    """A checkpoint whose signature holds, and the file that its lines are read from."""

    said: Checkpoint
    file: IO[bytes]

    def entries(self) -> Iterator[Entry]:
        """Its lines in order, one at a time."""
        self.file.seek(0)
        for _ in range(self.said.cases):
            yield _decode(_line(self.file), CaseHead)
        for _ in range(self.said.statements):
            yield _decode(_line(self.file), RootStatement)


def verify_checkpoint(file: IO[bytes], auditor: bytes) -> VerifiedCheckpoint:
    """The checkpoint in a file that can be read twice, if `auditor` (an Ed25519 public key) signed it.

    CheckpointUnusable for a damaged or altered one, or one that somebody else signed.
    """
    file.seek(0)
    digest = hashlib.sha256()
    counts = {CaseHead: 0, RootStatement: 0}
    before: tuple[bool, str] | None = None
    while not (line := _line(file)).startswith(b'{"checkpoint":'):
        entry = _decode_entry(line)
        counts[type(entry)] += 1
        place = (
            (True, entry.statement)
            if isinstance(entry, RootStatement)
            else (False, str(entry.case))
        )
        if before is not None and place <= before:
            raise CheckpointUnusable("its lines are not in order")
        before = place
        digest.update(line)
    if file.read(1):
        raise CheckpointUnusable("something follows the signature")
    said = _verify(_decode(line, _Signature).checkpoint, auditor)
    found = (counts[CaseHead], counts[RootStatement], digest.digest())
    if found != (said.cases, said.statements, b64u_decode(said.lines)):
        raise CheckpointUnusable("its lines are not those that were signed")
    return VerifiedCheckpoint(said=said, file=file)


def _verify(compact: str, auditor: bytes) -> Checkpoint:
    try:
        payload = verify_statement(compact, TYPE, auditor)
    except CryptoError as error:
        raise CheckpointUnusable(f"the signature does not hold: {error.detail}") from None
    return _decode(payload, Checkpoint)


def _line(file: IO[bytes]) -> bytes:
    line = file.readline(LINE_MAX_BYTES)
    if not line.endswith(b"\n"):
        raise CheckpointUnusable("cut off before its signature, or not a checkpoint")
    return line


def _decode_entry(line: bytes) -> Entry:
    if line.startswith(b'{"case":'):
        return _decode(line, CaseHead)
    return _decode(line, RootStatement)


def _decode(line: bytes, kind: type[_ValueT]) -> _ValueT:
    """A line or a payload in its one spelling."""
    text = line.removesuffix(b"\n")
    try:
        value = decode_json(text, kind)
    except NotDecodable:
        raise CheckpointUnusable("a line that is none of a checkpoint") from None
    if msgspec.json.encode(value) != text:
        raise CheckpointUnusable("a line in another spelling")
    return value
