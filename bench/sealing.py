"""How fast bodies are sealed and opened: against a bare loop over libsodium's same call, and against pyrage.

All work on the same bytes in memory, in turns, several times. A ratio is the median of the ratios within each
round, so that a noisy neighbour hits both sides alike.
"""

from __future__ import annotations

import io
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping

import pyrage
from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
)

from bench.rows import Row
from relay.crypto.age import CHUNK_BYTES, FileKey, Opener, Sealer, new_file_key, seal_body

MIB = 1024 * 1024
STREAM_BYTES = 256 * MIB
PIECE_BYTES = MIB
ROUNDS = 5

SODIUM_BAR = 0.85
PYRAGE_BAR = 4.0
RELAY = "relay"
SODIUM = "bare loop over libsodium"
PYRAGE = "pyrage"


async def rows(stream_bytes: int = STREAM_BYTES, rounds: int = ROUNDS) -> AsyncIterator[Row]:
    """Sealing and opening, each against both peers."""
    # A quarter is made and repeated: random bytes take longer to make than to seal.
    plain = secrets.token_bytes(stream_bytes // 4) * 4
    pieces, chunks = _pieces(plain, PIECE_BYTES), _pieces(plain, CHUNK_BYTES)
    file_key, key = new_file_key(), secrets.token_bytes(32)
    identity = pyrage.x25519.Identity.generate()
    sealing = _race(
        {
            RELAY: lambda: _seal(file_key, pieces),
            SODIUM: lambda: _sodium_seal(key, chunks),
            PYRAGE: lambda: pyrage.encrypt_io(
                io.BytesIO(plain), io.BytesIO(), [identity.to_public()]
            ),
        },
        rounds,
    )
    for row in _rows("seal stream", sealing, stream_bytes):
        yield row
    body_pieces = _pieces(seal_body(file_key, plain), PIECE_BYTES)
    sealed_chunks = [
        crypto_aead_chacha20poly1305_ietf_encrypt(chunk, None, _nonce(number), key)
        for number, chunk in enumerate(chunks)
    ]
    age_file = pyrage.encrypt(plain, [identity.to_public()])
    opening = _race(
        {
            RELAY: lambda: _open(file_key, body_pieces),
            SODIUM: lambda: _sodium_open(key, sealed_chunks),
            PYRAGE: lambda: pyrage.decrypt_io(io.BytesIO(age_file), io.BytesIO(), [identity]),
        },
        rounds,
    )
    for row in _rows("open stream", opening, stream_bytes):
        yield row


def _rows(name: str, seconds: Mapping[str, list[float]], size: int) -> list[Row]:
    peers = ((SODIUM, SODIUM_BAR), (PYRAGE, PYRAGE_BAR))
    return [_row(name, seconds, peer, bar, size) for peer, bar in peers]


def _seal(file_key: FileKey, pieces: list[bytes]) -> None:
    sealer = Sealer(file_key)
    for piece in pieces:
        sealer.update(piece)
    sealer.finish()


def _open(file_key: FileKey, pieces: list[bytes]) -> None:
    opener = Opener(file_key)
    for piece in pieces:
        opener.update(piece)
    opener.finish()


def _sodium_seal(key: bytes, chunks: list[bytes]) -> None:
    for number, chunk in enumerate(chunks):
        crypto_aead_chacha20poly1305_ietf_encrypt(chunk, None, _nonce(number), key)


def _sodium_open(key: bytes, chunks: list[bytes]) -> None:
    for number, chunk in enumerate(chunks):
        crypto_aead_chacha20poly1305_ietf_decrypt(chunk, None, _nonce(number), key)


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _race(runners: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every runner in every round; a first round to warm up does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for number in range(rounds + 1):
        for name, run in runners.items():
            start = time.perf_counter()
            run()
            if number > 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def _row(name: str, seconds: Mapping[str, list[float]], peer: str, bar: float, size: int) -> Row:
    ratios = [theirs / ours for ours, theirs in zip(seconds[RELAY], seconds[peer], strict=True)]
    return Row(
        name=name,
        value=size / MIB / statistics.median(seconds[RELAY]),
        unit="MiB/s",
        peer=peer,
        ratio=statistics.median(ratios),
        bar=bar,
        better="higher",
    )
