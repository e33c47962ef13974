"""Opens any range of a sealed body from just the chunks that cover it, as playing a video needs."""

from __future__ import annotations

import dataclasses

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from relay.crypto.errors import PayloadError
from relay.crypto.filekeys import FileKey
from relay.crypto.segments import BytesLike
from relay.crypto.stream import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    chunk_nonce,
    opened_size,
    payload_cipher,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of bytes."""

    start: int
    stop: int


class RangeOpener:
    """Random access to one sealed body.

    `sealed_bytes` must come from a signed statement (or from a trusted store): it says which chunk is the
    last one, and a body cut at a chunk's edge is noticed when that chunk is opened, not before.
    """

    __slots__ = ("_cipher", "_last_chunk", "_sealed_bytes", "size")

    def __init__(self, file_key: FileKey, nonce: bytes, sealed_bytes: int) -> None:
        """`nonce`: the first 16 bytes of the body; `sealed_bytes`: the size of the whole body."""
        if len(nonce) != NONCE_BYTES:
            raise PayloadError("the body ends within its nonce")
        self.size = opened_size(sealed_bytes)
        """Bytes of plaintext in the whole body."""
        self._sealed_bytes = sealed_bytes
        self._last_chunk = max(0, (self.size - 1) // CHUNK_BYTES)
        self._cipher: ChaCha20Poly1305 = payload_cipher(file_key, nonce)

    def needed(self, start: int, stop: int) -> Span:
        """Which bytes of the body hold the plaintext [start, stop): whole chunks, without the nonce.

        ValueError unless 0 ≤ start < stop ≤ size; an empty body is read with (0, 0).
        """
        first, last = self._chunks(start, stop)
        return Span(
            NONCE_BYTES + first * SEALED_CHUNK_BYTES,
            min(NONCE_BYTES + (last + 1) * SEALED_CHUNK_BYTES, self._sealed_bytes),
        )

    def open(self, start: int, stop: int, sealed: BytesLike) -> bytes:
        """The plaintext [start, stop) from the bytes that `needed` names; PayloadError if not authentic."""
        first, last = self._chunks(start, stop)
        span = self.needed(start, stop)
        view = memoryview(sealed).cast("B")
        if len(view) != span.stop - span.start:
            raise PayloadError("not the bytes that this range needs")
        plain = bytearray(min((last + 1) * CHUNK_BYTES, self.size) - first * CHUNK_BYTES)
        out = memoryview(plain)
        try:
            for number in range(first, last + 1):
                place = number - first
                nonce = chunk_nonce(number, final=number == self._last_chunk)
                chunk = view[place * SEALED_CHUNK_BYTES : (place + 1) * SEALED_CHUNK_BYTES]
                room = out[place * CHUNK_BYTES : (place + 1) * CHUNK_BYTES]
                self._cipher.decrypt_into(nonce, chunk, None, room)
        except InvalidTag:
            raise PayloadError("a chunk is altered, misplaced, or of another file") from None
        offset = first * CHUNK_BYTES
        return bytes(out[start - offset : stop - offset])

    def _chunks(self, start: int, stop: int) -> tuple[int, int]:
        empty_body = start == stop == self.size == 0
        if not (0 <= start < stop <= self.size or empty_body):
            raise ValueError("the range is empty or outside the plaintext")
        return start // CHUNK_BYTES, max(0, stop - 1) // CHUNK_BYTES
