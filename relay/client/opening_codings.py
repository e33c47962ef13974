"""Opens what a server or a proxy compressed: gzip, Brotli and Zstandard, whole and within bounds."""

from __future__ import annotations

import sys
import zlib
from typing import Final

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OPENED_MAX_BYTES: Final = 64 * 1024 * 1024
CODINGS: Final = ("identity", "gzip", "br", "zstd")
"""What browsers take, by the names of Accept-Encoding."""
_GZIP: Final = 16 + zlib.MAX_WBITS


class CodingBroken(ValueError):
    """What came is not one whole stream of its coding, or opens to more than any page has."""


def opened(content: bytes, coding: str, asked: str) -> bytes:
    """What a body with this Content-Encoding holds, at most `OPENED_MAX_BYTES`; CodingBroken otherwise.

    `asked` is the one coding of Accept-Encoding; a server may also send the body as it is.
    """
    if coding not in {asked, "identity"}:
        raise CodingBroken(f"coded as {coding}, which nobody asked for")
    try:
        if coding == "identity":
            return content
        if coding == "gzip":
            return _ungzipped(content)
        if coding == "br":
            return _unbrotlied(content)
        return _unzstandarded(content)
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise CodingBroken(f"no {coding}") from error


def _ungzipped(content: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    return _whole(
        "gzip",
        stream.decompress(content, OPENED_MAX_BYTES),
        ended=stream.eof and not stream.unused_data,
    )


def _unbrotlied(content: bytes) -> bytes:
    stream = brotli.Decompressor()
    found = stream.process(content, output_buffer_limit=OPENED_MAX_BYTES)
    return _whole("br", found, ended=stream.is_finished())


def _unzstandarded(content: bytes) -> bytes:
    stream = zstd.ZstdDecompressor()
    return _whole(
        "zstd",
        stream.decompress(content, OPENED_MAX_BYTES),
        ended=stream.eof and not stream.unused_data,
    )


def _whole(coding: str, found: bytes, *, ended: bool) -> bytes:
    if not ended or len(found) > OPENED_MAX_BYTES:  # Brotli's own limit is not exact
        raise CodingBroken(f"no whole {coding}, or more than any page")
    return found
