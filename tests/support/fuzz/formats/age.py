"""Age files: headers, what they open, bodies with chunks moved, cut and altered, and ranges of them."""

from __future__ import annotations

import hmac
import random
from collections.abc import Callable
from functools import partial
from typing import Final

from relay.crypto.age import open_file
from relay.crypto.encoding import b64_encode
from relay.crypto.errors import (
    HeaderError,
    HeaderMacError,
    NoMatchError,
    PayloadError,
)
from relay.crypto.filekeys import FileKey, hkdf
from relay.crypto.header import Header, parse_header, read_header, unwrap_header
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.ranges import RangeOpener
from relay.crypto.scrypt import ScryptIdentity
from relay.crypto.stream import (
    CHUNK_BYTES,
    NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    chunk_nonce,
    open_body,
    opened_size,
    payload_cipher,
    sealed_size,
)
from relay.crypto.x25519 import X25519Identity
from tests.support.fuzz.mutation import choose, mutate_bytes, mutate_lines
from tests.support.fuzz.reading import attempt, listed
from tests.support.fuzz.target import Target

FILE_KEY: Final = FileKey(bytes(range(16)))
IDENTITIES: Final = (
    X25519Identity(bytes(range(32))),
    HybridIdentity(bytes(range(32, 64))),
    ScryptIdentity("a passphrase", max_work_factor_log2=4),
)
_VERSION: Final = b"age-encryption.org/v1\n"
_NONCE: Final = bytes(NONCE_BYTES)


def _written(header: Header) -> bytes:
    stanzas = b"".join(stanza.encode() for stanza in header.stanzas)
    return _VERSION + stanzas + b"--- " + b64_encode(header.mac).encode() + b"\n"


def _pieces(given: bytes) -> Callable[[int], bytes]:
    """A reader that gives lines as a binary file does."""
    at = 0

    def readline(limit: int) -> bytes:
        nonlocal at
        end = given.find(b"\n", at, at + limit)
        stop = end + 1 if end >= 0 else min(len(given), at + limit)
        line, at = given[at:stop], stop
        return line

    return readline


def _headers(given: bytes) -> str | None:
    header = attempt(lambda: parse_header(given), HeaderError)
    front = attempt(lambda: read_header(_pieces(given)), HeaderError)
    if front is not None:
        assert given.startswith(front.encoded)
        assert _written(front) == front.encoded
        assert parse_header(front.encoded) == front
    assert (header is not None) == (front is not None and front.size == len(given))
    if header is None:
        return None
    return listed(*([s.type, *s.arguments, s.body.hex()] for s in header.stanzas))


def _opened_headers(given: bytes) -> str | None:
    """`given` is a header without its last line, which is made here with the right MAC."""
    mac = hmac.digest(hkdf(FILE_KEY, salt=b"", info=b"header"), given + b"---", "sha256")
    sealed = given + b"--- " + b64_encode(mac).encode() + b"\n" + _body(b"")
    header = attempt(lambda: read_header(_pieces(sealed)), HeaderError)
    if header is None:
        assert attempt(lambda: open_file(sealed, IDENTITIES), HeaderError) is None
        return None
    key = attempt(
        lambda: unwrap_header(header, IDENTITIES), HeaderError, HeaderMacError, NoMatchError
    )
    plain = attempt(
        lambda: open_file(sealed, IDENTITIES),
        HeaderError,
        HeaderMacError,
        NoMatchError,
        PayloadError,
    )
    if key is None:
        assert plain is None
        return None
    assert key == FILE_KEY, "opened with a key that made no MAC here"
    assert plain == b""
    return "opened"


def _body(plain: bytes) -> bytes:
    """A sealed body, the same each time."""
    cipher = payload_cipher(FILE_KEY, _NONCE)
    count = max(1, -(-len(plain) // CHUNK_BYTES))
    chunks = (
        cipher.encrypt(
            chunk_nonce(number, final=number == count - 1),
            plain[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES],
            None,
        )
        for number in range(count)
    )
    return _NONCE + b"".join(chunks)


_SIZES: Final = (0, 1, 255, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 150_000)
_BODIES: Final = tuple(_body(bytes(size)) for size in _SIZES)


def _altered(sealed: bytes, orders: bytes) -> bytes:
    """A body after orders of three bytes each: what to do, where, and how far."""
    for at in range(0, len(orders) - 2, 3):
        what, where, far = orders[at : at + 3]
        place = len(sealed) * where // 256
        chunk = NONCE_BYTES + where % 3 * SEALED_CHUNK_BYTES
        match what % 6:
            case 0:
                sealed = sealed[: max(0, len(sealed) - far)]
            case 1:
                sealed += bytes(far)
            case 2:
                sealed = sealed[:chunk] + sealed[chunk + SEALED_CHUNK_BYTES :]
            case 3:
                sealed = (
                    sealed[:chunk] + sealed[chunk : chunk + SEALED_CHUNK_BYTES] + sealed[chunk:]
                )
            case 4 if place < len(sealed):
                changed = bytes([sealed[place] ^ (far or 1)])
                sealed = sealed[:place] + changed + sealed[place + 1 :]
            case _:
                sealed = sealed[: chunk + far]
    return sealed


def _streams(given: bytes) -> str | None:
    """The first byte chooses a body, the second how it is cut into pieces, the rest what is done to it."""
    if len(given) < 2:
        return None
    size = _SIZES[given[0] % len(_SIZES)]
    sealed = _altered(_BODIES[given[0] % len(_SIZES)], given[2:])
    plain = attempt(lambda: open_body(FILE_KEY, sealed), HeaderError, PayloadError)
    in_pieces = attempt(lambda: _in_pieces(sealed, 251 + given[1] * 577), HeaderError, PayloadError)
    assert plain == in_pieces
    is_whole = sealed == _BODIES[given[0] % len(_SIZES)]
    assert (plain is not None) == is_whole, "opened although it is not what was sealed"
    assert plain is None or plain == bytes(size)
    said = attempt(lambda: opened_size(len(sealed)), PayloadError)
    assert said is None or sealed_size(said) == len(sealed)
    _ranges(sealed, given)
    return None if plain is None else str(len(plain))


def _in_pieces(sealed: bytes, size: int) -> bytes:
    opener = Opener(FILE_KEY)
    said = b"".join(opener.update(sealed[at : at + size]) for at in range(0, len(sealed), size))
    return said + opener.finish()


def _ranges(sealed: bytes, given: bytes) -> None:
    """Whatever a range opens of an altered body is what was sealed there."""
    opener = attempt(lambda: RangeOpener(FILE_KEY, sealed[:NONCE_BYTES], len(sealed)), PayloadError)
    if opener is None or sealed[:NONCE_BYTES] != _NONCE:
        return
    start = opener.size * given[1] // 256
    for begin, stop in ((start, opener.size), (0, opener.size), (start, start + 1)):
        span = attempt(partial(opener.needed, begin, stop), ValueError)
        if span is None:
            continue
        body = sealed[span.start : span.stop]
        plain = attempt(partial(opener.open, begin, stop, body), PayloadError)
        assert plain is None or plain == bytes(stop - begin)


def _stanza(given: bytes, chance: random.Random) -> bytes:
    """Words of a stanza's first line moved, another type, another work factor."""
    words = given.split(b" ")
    if len(words) < 2:
        return mutate_bytes(given, chance)
    at = chance.randrange(1, len(words))
    words[at] = chance.choice(
        (words[-1], b"scrypt", b"X25519", b"mlkem768x25519", b"1", b"10", b"01", b"0" * 43, b"")
    )
    return b" ".join(words)


_LINES: Final = choose([mutate_lines(mutate_bytes), mutate_lines(_stanza)])
_CRYPTO: Final = "relay.crypto."

TARGETS: Final = (
    Target(
        name="age-headers",
        reads=(f"{_CRYPTO}header.parse_header", f"{_CRYPTO}header.read_header"),
        check=_headers,
        mutate=_LINES,
        in_browser=True,
    ),
    Target(
        name="age-headers-opened",
        reads=(f"{_CRYPTO}header.unwrap_header", f"{_CRYPTO}age.open_file"),
        check=_opened_headers,
        mutate=_LINES,
    ),
    Target(
        name="age-streams",
        reads=(
            f"{_CRYPTO}stream.open_body",
            f"{_CRYPTO}stream.opened_size",
            f"{_CRYPTO}stream.Opener.update",
            f"{_CRYPTO}stream.Opener.finish",
            f"{_CRYPTO}ranges.RangeOpener.needed",
            f"{_CRYPTO}ranges.RangeOpener.open",
        ),
        check=_streams,
        largest=32,
        in_browser=True,
    ),
)
