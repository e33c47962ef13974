"""The door to everything about age files, whose parts are header, stream, ranges and a file per recipient.

An age file is `header || body`. In relay the two usually lie apart: one body, and a header per audience.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from relay.crypto.filekeys import FileKey, check_commitment, commit, new_file_key
from relay.crypto.header import (
    HEADER_MAX_BYTES,
    Header,
    Identity,
    Recipient,
    parse_header,
    read_header,
    unwrap_header,
    wrap_header,
)
from relay.crypto.mlkem768x25519 import HybridIdentity, HybridRecipient
from relay.crypto.ranges import RangeOpener, Span
from relay.crypto.recipients import parse_identity, parse_recipient
from relay.crypto.scrypt import MAX_WORK_FACTOR_LOG2, ScryptIdentity, ScryptRecipient
from relay.crypto.segments import (
    BytesLike,
    SegmentHasher,
    segment_count,
    segment_digests,
)
from relay.crypto.stanzas import Stanza
from relay.crypto.stream import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    Sealer,
    open_body,
    opened_size,
    seal_body,
    sealed_size,
)
from relay.crypto.x25519 import X25519Identity, X25519Recipient
from relay.domain.segments import SEGMENT_BYTES

__all__ = [
    "CHUNK_BYTES",
    "HEADER_MAX_BYTES",
    "MAX_WORK_FACTOR_LOG2",
    "NONCE_BYTES",
    "SEALED_CHUNK_BYTES",
    "SEGMENT_BYTES",
    "BytesLike",
    "FileKey",
    "Header",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "Opener",
    "RangeOpener",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "Sealer",
    "SegmentHasher",
    "Span",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "check_commitment",
    "commit",
    "new_file_key",
    "open_body",
    "open_file",
    "opened_size",
    "parse_header",
    "parse_identity",
    "parse_recipient",
    "read_header",
    "seal_body",
    "seal_file",
    "sealed_size",
    "segment_count",
    "segment_digests",
    "unwrap_header",
    "wrap_header",
]


def seal_file(plaintext: BytesLike, recipients: Sequence[Recipient]) -> bytes:
    """A whole age file at once, for small things such as keyrings."""
    file_key = new_file_key()
    return wrap_header(file_key, recipients) + seal_body(file_key, plaintext)


def open_file(sealed: bytes, identities: Iterable[Identity]) -> bytes:
    """The plaintext of a whole age file at once; any of HeaderError, NoMatchError, PayloadError and so on."""
    source = io.BytesIO(sealed)
    header = read_header(source.readline)
    return open_body(unwrap_header(header, identities), memoryview(sealed)[header.size :])
