"""The age test kit (CCTV): every vector of the types that relay supports ends exactly as the kit says."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zlib
from pathlib import Path

import pytest

from relay.crypto.age import (
    Header,
    Identity,
    Opener,
    ScryptIdentity,
    parse_identity,
    read_header,
    unwrap_header,
)
from relay.crypto.errors import HeaderError, HeaderMacError, NoMatchError, PayloadError

VECTORS_IN_SCOPE = 110
VECTORS_OUT_OF_SCOPE = {"armored": 33}
"""Armor, a text form of whole files for pasting into mail, is the one feature of the kit that relay lacks."""

OUTCOMES = {
    HeaderError: "header failure",
    NoMatchError: "no match",
    HeaderMacError: "HMAC failure",
    PayloadError: "payload failure",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One file of the kit: an age file and what reading it must come to."""

    name: str
    expect: str
    payload_sha256: str | None
    identities: tuple[Identity, ...]
    armored: bool
    file: bytes

    @classmethod
    def read(cls, path: Path) -> Vector:
        """Parse the lines before the first empty one; what follows is the age file."""
        head, _, file = path.read_bytes().partition(b"\n\n")
        fields: dict[str, list[str]] = {}
        for line in head.decode().splitlines():
            key, _, value = line.partition(": ")
            fields.setdefault(key, []).append(value)
        known = {"expect", "compressed", "payload", "identity", "passphrase", "armored"}
        assert fields.keys() <= known | {"file key", "comment"}, path.name
        if fields.get("compressed") == ["zlib"]:
            file = zlib.decompress(file)
        identities: list[Identity] = [parse_identity(text) for text in fields.get("identity", [])]
        identities += [ScryptIdentity(text) for text in fields.get("passphrase", [])]
        return cls(
            name=path.name,
            expect=fields["expect"][0],
            payload_sha256=fields.get("payload", [None])[0],
            identities=tuple(identities),
            armored=fields.get("armored") == ["yes"],
            file=file,
        )


@pytest.fixture(scope="module")
def vectors(testkit: Path) -> list[Vector]:
    """All vectors that are not armored."""
    every = [Vector.read(path) for path in sorted(testkit.iterdir())]
    assert sum(vector.armored for vector in every) == VECTORS_OUT_OF_SCOPE["armored"]
    return [vector for vector in every if not vector.armored]


def read(vector: Vector, piece_bytes: int) -> tuple[str, bytes]:
    """How reading ends in the words of the kit, and all plaintext given out before it did."""
    plain = bytearray()
    source = io.BytesIO(vector.file)
    try:
        header = read_header(source.readline)
        opener = Opener(unwrap_header(header, vector.identities))
        while piece := source.read(piece_bytes):
            plain += opener.update(piece)
        plain += opener.finish()
    except tuple(OUTCOMES) as error:
        return OUTCOMES[type(error)], bytes(plain)
    return "success", bytes(plain)


def check(vector: Vector, piece_bytes: int) -> None:
    """Assert outcome and plaintext."""
    outcome, plain = read(vector, piece_bytes)
    assert outcome == vector.expect, vector.name
    if vector.payload_sha256 is None:
        assert plain == b"", vector.name
    else:
        assert hashlib.sha256(plain).hexdigest() == vector.payload_sha256, vector.name


def test_every_vector_in_scope_is_there(vectors: list[Vector]) -> None:
    """The kit has as many vectors of supported types as we know of, so none is passed over in silence."""
    assert len(vectors) == VECTORS_IN_SCOPE


@pytest.mark.parametrize("piece_bytes", [1 << 30, 65536 + 16, 65536, 4097], ids=str)
def test_vectors_end_as_the_kit_says(vectors: list[Vector], piece_bytes: int) -> None:
    """Outcome and released plaintext are the kit's, however the file is cut into pieces."""
    for vector in vectors:
        check(vector, piece_bytes)


@pytest.mark.slow
def test_vectors_end_the_same_byte_by_byte(vectors: list[Vector]) -> None:
    """A file that arrives one byte at a time gives the same outcome and the same plaintext."""
    for vector in vectors:
        if len(vector.file) <= 200_000:
            check(vector, 1)


def test_parsed_headers_encode_to_the_same_bytes(vectors: list[Vector]) -> None:
    """Every header that parses has one encoding: its stanzas and MAC make the bytes they came from."""
    parsed: list[Header] = []
    for vector in vectors:
        try:
            header = read_header(io.BytesIO(vector.file).readline)
        except HeaderError:
            continue
        parsed.append(header)
        stanzas = b"".join(stanza.encode() for stanza in header.stanzas)
        assert header.encoded.startswith(b"age-encryption.org/v1\n" + stanzas + b"--- "), (
            vector.name
        )
        assert vector.file.startswith(header.encoded)
    assert len(parsed) > 50
