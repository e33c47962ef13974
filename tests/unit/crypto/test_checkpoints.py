"""The file of a checkpoint: what was signed comes out, and anything else does not."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from typing import Final

import pytest

from relay.crypto.checkpoints import (
    CaseHead,
    CheckpointUnusable,
    CheckpointWriter,
    Entry,
    RootStatement,
    verify_checkpoint,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer

AUDITOR: Final = Signer.from_seed(bytes(32))
RELAY: Final = "https://relay.example"
AT: Final = datetime(2030, 1, 31, 12, tzinfo=UTC)
ENTRIES: Final[list[Entry]] = [
    *(
        CaseHead(case=uuid.UUID(int=number), seq=number, head=b64u_encode(bytes([number]) * 32))
        for number in (1, 2, 200)
    ),
    *(RootStatement(statement=b64u_encode(bytes([number]) * 32)) for number in (4, 8)),
]


def written(entries: list[Entry] = ENTRIES, signer: Signer = AUDITOR) -> bytes:
    """The bytes of a checkpoint."""
    file = io.BytesIO()
    writer = CheckpointWriter(file, signer, RELAY)
    for entry in entries:
        writer.add(entry)
    writer.finish(AT)
    return file.getvalue()


@pytest.mark.parametrize("entries", [ENTRIES, ENTRIES[:3], ENTRIES[3:], []])
def test_what_was_written_comes_out(entries: list[Entry]) -> None:
    """Time, relay and every line, as often as it is read."""
    verified = verify_checkpoint(io.BytesIO(written(entries)), AUDITOR.public_key)
    assert (verified.said.at, verified.said.relay) == (AT, RELAY)
    for _ in range(2):
        assert list(verified.entries()) == entries


def test_every_changed_byte_is_noticed() -> None:
    """In a line, in a line feed, and in the signature."""
    whole = written()
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        with pytest.raises(CheckpointUnusable):
            verify_checkpoint(io.BytesIO(changed), AUDITOR.public_key)


def test_every_cut_is_noticed() -> None:
    """A file without its end is no checkpoint, wherever it was cut."""
    whole = written()
    for length in range(len(whole)):
        with pytest.raises(CheckpointUnusable):
            verify_checkpoint(io.BytesIO(whole[:length]), AUDITOR.public_key)


LINES: Final = written().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"".join([*LINES, LINES[0]]), "follows the signature"),
        (b"".join([*LINES[1:]]), "not those that were signed"),
        (b"".join([LINES[1], LINES[0], *LINES[2:]]), "not in order"),
        (b"".join([LINES[0], *LINES]), "not in order"),
        (b"".join([*LINES[3:5], *LINES[:3], LINES[5]]), "not in order"),
        (b" " + b"".join(LINES), "none of a checkpoint"),
        (LINES[0].replace(b":1,", b": 1,") + b"".join(LINES[1:]), "another spelling"),
        (b"{" * 5000 + b"\n", "not a checkpoint"),
        (b"\xff\n", "none of a checkpoint"),
        (b'{"checkpoint":"x"}\n', "signature does not hold"),
    ],
)
def test_of_a_file_that_is_none_it_says_why(content: bytes, detail: str) -> None:
    """What does not belong there, in a few words."""
    with pytest.raises(CheckpointUnusable, match=detail):
        verify_checkpoint(io.BytesIO(content), AUDITOR.public_key)


def test_another_auditor_is_not_believed() -> None:
    """Anyone who signs again what they changed needs the key that is pinned."""
    forged = written(signer=Signer.generate())
    with pytest.raises(CheckpointUnusable, match="signature"):
        verify_checkpoint(io.BytesIO(forged), AUDITOR.public_key)
