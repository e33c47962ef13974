"""Seals and opens the payload of an age file: a nonce, then 64 KiB chunks of ChaCha20-Poly1305.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, 2015) as age v1 has it. A chunk's nonce
is its place in the file and whether it is the last one, so chunks cannot be reordered, repeated, dropped
or appended to without the reader noticing; each is authentic by itself, so it may be used before the next
arrives. What is *not* known before `finish` is whether the file was cut short.

The cipher is OpenSSL's (through `cryptography`), which writes into a buffer of ours: up to three times as
fast as the same call of libsodium (see bench/sealing.py). It releases the interpreter lock, and chunks do not
depend on each other, so a second core takes half of every large piece.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from relay.crypto.errors import HeaderError, PayloadError
from relay.crypto.filekeys import FileKey, hkdf
from relay.crypto.segments import BytesLike

NONCE_BYTES = 16
"""The random bytes that a body starts with; they make the payload key from the file key."""
CHUNK_BYTES = 64 * 1024
"""Plaintext in every chunk but the last."""
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES

_SHARED_CHUNKS: Final = 4
"""Fewer than these are done sooner than handed over."""
_SECOND_HAND: Final = ThreadPoolExecutor(1, thread_name_prefix="stream")
_SECOND_HAND_FREE: Final = threading.Lock()
"""Anyone who finds it taken works alone: nothing ever waits in line, and no piece is kept there."""
_CORES: Final = len(os.sched_getaffinity(0))


def payload_cipher(file_key: FileKey, nonce: bytes) -> ChaCha20Poly1305:
    """The cipher of one body. Its key is never used for anything else, so counting nonces is safe."""
    return ChaCha20Poly1305(hkdf(file_key, salt=nonce, info=b"payload"))


def chunk_nonce(counter: int, *, final: bool) -> bytes:
    """11 bytes of big-endian chunk number, then 1 for the last chunk and 0 for all others."""
    return (counter << 8 | final).to_bytes(12, "big")


def sealed_size(plain: int) -> int:
    """Bytes of the body that `plain` bytes are sealed into."""
    chunks = max(1, -(-plain // CHUNK_BYTES))
    return NONCE_BYTES + plain + chunks * TAG_BYTES


def opened_size(sealed: int) -> int:
    """Bytes of plaintext in a body of `sealed` bytes; PayloadError where no body has that size."""
    chunks = max(1, -(-(sealed - NONCE_BYTES) // SEALED_CHUNK_BYTES))
    plain = sealed - NONCE_BYTES - chunks * TAG_BYTES
    if plain < 0 or sealed_size(plain) != sealed:
        raise PayloadError("no sealed body has this size")
    return plain


class Sealer:
    """Seals a stream: `update` with pieces of any size, then `finish`; the joined results are the body.

    Memory: two of the largest piece. One Sealer makes one body.
    """

    __slots__ = ("_cipher", "_counter", "_finished", "_held", "_lead", "_scratch")

    def __init__(self, file_key: FileKey) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        self._cipher = payload_cipher(file_key, nonce)
        self._lead = nonce
        self._held = bytearray()
        self._scratch = bytearray()
        self._counter = 0
        self._finished = False

    def update(self, data: BytesLike) -> bytes:
        """Seal what is surely not the last chunk; up to 64 KiB stay behind until more or the end comes."""
        if self._finished:
            raise ValueError("this body is already finished")
        view = memoryview(data).cast("B")
        chunks = (len(self._held) + len(view) - 1) // CHUNK_BYTES
        if chunks <= 0:
            self._held += view
            return self._take_lead()
        end = len(self._lead) + chunks * SEALED_CHUNK_BYTES
        if len(self._scratch) < end:
            self._scratch = bytearray(end)
        out = memoryview(self._scratch)
        at = len(self._lead)
        out[:at] = self._take_lead()
        pieces: list[BytesLike] = []
        if self._held:
            missing = CHUNK_BYTES - len(self._held)
            self._held += view[:missing]
            view = view[missing:]
            pieces.append(self._held)
        whole = (chunks - len(pieces)) * CHUNK_BYTES
        pieces += [view[start : start + CHUNK_BYTES] for start in range(0, whole, CHUNK_BYTES)]
        _share(chunks, partial(self._seal_into, out[at:end], pieces))
        self._counter += chunks
        self._held = bytearray(view[whole:])
        return bytes(out[:end])

    def finish(self) -> bytes:
        """Seal the last chunk, which is empty only if the whole plaintext is."""
        if self._finished:
            raise ValueError("this body is already finished")
        self._finished = True
        nonce = chunk_nonce(self._counter, final=True)
        return self._take_lead() + self._cipher.encrypt(nonce, self._held, None)

    def _seal_into(
        self, out: memoryview, pieces: Sequence[BytesLike], begin: int, stop: int
    ) -> None:
        for number in range(begin, stop):
            nonce = chunk_nonce(self._counter + number, final=False)
            room = out[number * SEALED_CHUNK_BYTES : (number + 1) * SEALED_CHUNK_BYTES]
            self._cipher.encrypt_into(nonce, pieces[number], None, room)

    def _take_lead(self) -> bytes:
        lead, self._lead = self._lead, b""
        return lead


class Opener:
    """Opens a stream: `update` with pieces of a body of any size, then `finish`.

    All that `update` returns is authentic, and it returns each chunk as soon as it is whole; what is returned
    before a failure does not depend on how the body was cut into pieces. Only `finish` knows that nothing
    is missing at the end: what was made from the plaintext must be thrown away if it raises.

    Memory: two of the largest piece. One Opener reads one body.
    """

    __slots__ = (
        "_cipher",
        "_counter",
        "_ended",
        "_failure",
        "_file_key",
        "_finished",
        "_held",
        "_scratch",
    )

    def __init__(self, file_key: FileKey) -> None:
        self._file_key = file_key
        self._cipher: ChaCha20Poly1305 | None = None
        self._held = bytearray()
        self._scratch = bytearray()
        self._counter = 0
        self._ended = False
        self._finished = False
        self._failure: PayloadError | None = None

    def update(self, data: BytesLike) -> bytes:
        """The plaintext of every chunk that is now whole.

        PayloadError if a chunk is not authentic or something follows the last one; if chunks before it
        were opened by the same call, they are returned first and the next call raises.
        """
        self._check_usable()
        view = memoryview(data).cast("B")
        if self._cipher is None:
            missing = NONCE_BYTES - len(self._held)
            self._held += view[:missing]
            view = view[missing:]
            if len(self._held) < NONCE_BYTES:
                return b""
            self._cipher = payload_cipher(self._file_key, bytes(self._held))
            self._held = bytearray()
        return self._open_chunks(self._cipher, view)

    def finish(self) -> bytes:
        """The plaintext of the last chunk, if it is a short one.

        PayloadError if the last chunk is missing, cut, altered, or wrongly empty.
        """
        self._check_usable()
        self._finished = True
        if self._cipher is None:
            # age counts the nonce with the header, and so does its test kit.
            raise HeaderError("the body ends within its nonce")
        if self._ended:
            return b""
        try:
            plain = self._cipher.decrypt(chunk_nonce(self._counter, final=True), self._held, None)
        except InvalidTag:
            raise PayloadError("the last chunk is missing, cut or altered") from None
        if not plain and self._counter > 0:
            # Otherwise one plaintext would have two sealed forms.
            raise PayloadError("the last chunk is empty")
        return plain

    def _open_chunks(self, cipher: ChaCha20Poly1305, view: memoryview) -> bytes:
        count = (len(self._held) + len(view)) // SEALED_CHUNK_BYTES
        if len(self._scratch) < count * CHUNK_BYTES:
            self._scratch = bytearray(count * CHUNK_BYTES)
        out = memoryview(self._scratch)
        chunks: list[BytesLike] = []
        if self._held and count:
            missing = SEALED_CHUNK_BYTES - len(self._held)
            chunks.append(self._held + view[:missing])
            view = view[missing:]
            self._held = bytearray()
        whole = (count - len(chunks)) * SEALED_CHUNK_BYTES
        chunks += [
            view[start : start + SEALED_CHUNK_BYTES]
            for start in range(0, whole, SEALED_CHUNK_BYTES)
        ]
        opened = self._open_ahead(cipher, chunks, out)
        try:
            for chunk in chunks[opened:]:
                room = out[opened * CHUNK_BYTES : (opened + 1) * CHUNK_BYTES]
                self._open_chunk(cipher, chunk, room)
                opened += 1
            self._hold(view[whole:])
        except PayloadError as failure:
            self._failure = failure
            if not opened:
                raise
        return bytes(out[: opened * CHUNK_BYTES])

    def _open_ahead(
        self, cipher: ChaCha20Poly1305, chunks: Sequence[BytesLike], out: memoryview
    ) -> int:
        """Open whole chunks up to the last one, and say how many; why it stopped is asked chunk by chunk."""
        if self._ended:
            return 0
        failed = [len(chunks)]

        def open_until_failure(begin: int, stop: int) -> None:
            for number in range(begin, stop):
                nonce = chunk_nonce(self._counter + number, final=False)
                room = out[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
                try:
                    cipher.decrypt_into(nonce, chunks[number], None, room)
                except InvalidTag:
                    failed.append(number)
                    return

        _share(len(chunks), open_until_failure)
        self._counter += min(failed)
        return min(failed)

    def _hold(self, rest: memoryview) -> None:
        if self._ended and rest:
            raise PayloadError("bytes follow the last chunk")
        self._held += rest

    def _open_chunk(self, cipher: ChaCha20Poly1305, chunk: BytesLike, room: memoryview) -> None:
        """Open one whole chunk, which is the last one if it was sealed as that."""
        if self._ended:
            raise PayloadError("bytes follow the last chunk")
        for final in (False, True):
            with contextlib.suppress(InvalidTag):
                cipher.decrypt_into(chunk_nonce(self._counter, final=final), chunk, None, room)
                self._counter += 1
                self._ended = final
                return
        raise PayloadError("a chunk is altered, misplaced, or of another file")

    def _check_usable(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._finished:
            raise ValueError("this body is already finished")


def _share(count: int, work: Callable[[int, int], None]) -> None:
    """Do `work` on 0 to `count`, the second half on another core where there is one that is free."""
    half = count // 2
    if half < _SHARED_CHUNKS or _CORES == 1 or not _SECOND_HAND_FREE.acquire(blocking=False):
        work(0, count)
        return
    try:
        other = _SECOND_HAND.submit(work, half, count)
        try:
            work(0, half)
        finally:
            other.result()
    finally:
        _SECOND_HAND_FREE.release()


def seal_body(file_key: FileKey, plaintext: BytesLike) -> bytes:
    """A whole body at once, for small things."""
    sealer = Sealer(file_key)
    return sealer.update(plaintext) + sealer.finish()


def open_body(file_key: FileKey, body: BytesLike) -> bytes:
    """The plaintext of a whole body at once, for small things; PayloadError or HeaderError as Opener."""
    opener = Opener(file_key)
    return opener.update(body) + opener.finish()
