"""How a participant's keyring would show in an answer of relay that holds it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator
from typing import Final

import asyncpg

PIECE_BYTES: Final = 48
"""So much of a keyring in an answer is not there by chance."""


async def stored_keyrings(database_url: str, case_id: uuid.UUID) -> list[bytes]:
    """The keyrings of the participants of a case; there is one at least."""
    connection = await asyncpg.connect(database_url)
    try:
        query = "select keyring from claims where case_id = $1"
        rows = await connection.fetch(query, case_id)
        assert rows
        return [row["keyring"] for row in rows]
    finally:
        await connection.close()


def pieces_of(keyrings: Iterable[bytes]) -> set[bytes]:
    """A piece of the body of each, as it is and in base64 at each of the three places it can begin."""
    return {spelled for keyring in keyrings for spelled in _spelled(keyring)}


def _spelled(keyring: bytes) -> Iterator[bytes]:
    body = keyring[keyring.index(b"---") :]
    for at in range(3):
        piece = body[PIECE_BYTES + at : 2 * PIECE_BYTES + at]
        yield from (piece, piece.hex().encode())
        yield from (base64.b64encode(piece), base64.urlsafe_b64encode(piece))
