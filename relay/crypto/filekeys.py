"""File keys: making them, deriving from them, and committing to them."""

from __future__ import annotations

import hmac
import secrets
import uuid
from typing import TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from relay.crypto.errors import CommitmentError

FileKey: TypeAlias = bytes
"""The 16 random bytes that one age file is sealed under."""

FILE_KEY_BYTES = 16
_COMMIT_INFO = b"relay/v1/commit"


def new_file_key() -> FileKey:
    """A fresh file key; one per file, never used twice."""
    return secrets.token_bytes(FILE_KEY_BYTES)


def hkdf(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869), 32 bytes out."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key)


def commit(file_key: FileKey, case_id: uuid.UUID) -> bytes:
    """The 32 bytes that tie a part to its file key and to its case.

    ChaCha20-Poly1305 does not commit to its key: one ciphertext can be made that opens under two keys to
    two contents. The author signs this value, and every reader compares it. The case is in it because a
    media worker serves many: without it, somebody who copies a grant into another case could have the
    worker open it there. Only who knows the file key can make the value for a case.
    """
    return hkdf(file_key, salt=case_id.bytes, info=_COMMIT_INFO)


def check_commitment(file_key: FileKey, commitment: bytes, case_id: uuid.UUID) -> None:
    """CommitmentError unless `commitment` is that of `file_key` in this case."""
    if not hmac.compare_digest(commit(file_key, case_id), commitment):
        raise CommitmentError("the file key is not the one committed to")
