"""Statements as signed texts: one spelling, one type, one key, and nothing altered passes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import KeyInvalidError, StatementError
from relay.crypto.signing import (
    Signer,
    check_public_key,
    fingerprint,
    key_id,
    read_unverified,
    sign_statement,
    statement_hash,
    verify_for_nobody,
    verify_statement,
)
from relay.errors import CryptoError

SIGNER = Signer.from_seed(bytes(range(32)))
TYP = "relay-test+jws"
PAYLOAD = b'{"hello":"world"}'
COMPACT = sign_statement(SIGNER, TYP, PAYLOAD)
ORDER = 2**252 + 27742317777372353535851937790883648493

SMALL_ORDER_KEYS = [
    bytes(32),
    b"\x01" + bytes(31),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    b"\xed" + b"\xff" * 30 + b"\x7f",
]


def signed(header: bytes, payload: bytes = PAYLOAD, signer: Signer = SIGNER) -> str:
    """A well-signed JWS with any header."""
    covered = f"{b64u_encode(header)}.{b64u_encode(payload)}"
    return f"{covered}.{b64u_encode(signer.sign(covered.encode()))}"


def test_what_is_signed_verifies() -> None:
    """The payload comes back, for the right type and key."""
    assert verify_statement(COMPACT, TYP, SIGNER.public_key) == PAYLOAD
    assert read_unverified(COMPACT)[:3] == (TYP, SIGNER.kid, PAYLOAD)


def test_the_header_is_these_bytes() -> None:
    """alg, kid and typ, in this order, without white space."""
    header = b64u_decode(COMPACT.split(".")[0])
    assert header == f'{{"alg":"EdDSA","kid":"{SIGNER.kid}","typ":"{TYP}"}}'.encode()
    assert b64u_decode(SIGNER.kid) == fingerprint(SIGNER.public_key)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": SIGNER.kid, "typ": TYP},
        {"alg": "HS256", "kid": SIGNER.kid, "typ": TYP},
        {"alg": "Ed25519", "kid": SIGNER.kid, "typ": TYP},
        {"kid": SIGNER.kid, "alg": "EdDSA", "typ": TYP},
        {"alg": "EdDSA", "kid": SIGNER.kid, "typ": TYP, "crit": []},
        {"alg": "EdDSA", "kid": SIGNER.kid, "typ": TYP, "jwk": {}},
        {"alg": "EdDSA", "kid": SIGNER.kid},
        {"alg": "EdDSA", "kid": SIGNER.kid + "A", "typ": TYP},
        {"alg": "EdDSA", "kid": "A" * 22, "typ": TYP},
        {"alg": "EdDSA", "kid": SIGNER.kid, "typ": "relay-other+jws"},
        {"alg": "EdDSA", "kid": SIGNER.kid, "typ": TYP.upper()},
        {"alg": "EdDSA", "kid": SIGNER.kid, "typ": None},
    ],
    ids=lambda header: json.dumps(header)[:60],
)
def test_other_headers_are_refused(header: dict[str, object]) -> None:
    """Other algorithms, orders, members and values do not pass, however well they are signed."""
    compact = signed(json.dumps(header, separators=(",", ":")).encode())
    with pytest.raises(StatementError):
        verify_statement(compact, TYP, SIGNER.public_key)


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"EdDSA","alg":"EdDSA","kid":"%s","typ":"%s"}',
        b'{"alg":"none","alg":"EdDSA","kid":"%s","typ":"%s"}',
        b'{"alg": "EdDSA","kid":"%s","typ":"%s"}',
        b'{"alg":"EdDSA","kid":"%s","typ":"%s"}\n',
        b'\xef\xbb\xbf{"alg":"EdDSA","kid":"%s","typ":"%s"}',
        b'{"alg":"\\u0045dDSA","kid":"%s","typ":"%s"}',
    ],
    ids=str,
)
def test_other_spellings_of_the_header_are_refused(header: bytes) -> None:
    """Repeated members, white space, a byte order mark and escapes are not the one spelling."""
    compact = signed(header % (SIGNER.kid.encode(), TYP.encode()))
    with pytest.raises(StatementError):
        verify_statement(compact, TYP, SIGNER.public_key)


@given(st.data())
@settings(max_examples=300)
def test_a_changed_letter_never_verifies(draw: st.DataObject) -> None:
    """A compact text with any letter changed, dropped or added is refused."""
    place = draw.draw(st.integers(min_value=0, max_value=len(COMPACT) - 1))
    letter = draw.draw(st.characters(max_codepoint=0x7F))
    for altered in (
        COMPACT[:place] + letter + COMPACT[place + 1 :],
        COMPACT[:place] + COMPACT[place + 1 :],
        COMPACT[:place] + letter + COMPACT[place:],
    ):
        if altered != COMPACT:
            with pytest.raises(StatementError):
                verify_statement(altered, TYP, SIGNER.public_key)


@pytest.mark.parametrize(
    "compact",
    ["", ".", "..", "...", COMPACT + ".", COMPACT + "=", COMPACT + "\n", COMPACT * 2, "é"],
)
def test_other_shapes_are_refused(compact: str) -> None:
    """Anything but three parts in canonical base64url is refused, with an error of the crypto room."""
    with pytest.raises(StatementError):
        verify_statement(compact, TYP, SIGNER.public_key)


def test_a_statement_of_one_type_is_none_of_another() -> None:
    """The type is signed: a session is never taken for a message."""
    with pytest.raises(StatementError, match="type"):
        verify_statement(COMPACT, "relay-other+jws", SIGNER.public_key)


def test_another_key_does_not_verify() -> None:
    """Neither a stranger's key nor a stranger's signature under our kid passes."""
    stranger = Signer.generate()
    with pytest.raises(StatementError):
        verify_statement(COMPACT, TYP, stranger.public_key)
    header = b64u_decode(COMPACT.split(".")[0])
    with pytest.raises(StatementError):
        verify_statement(signed(header, signer=stranger), TYP, SIGNER.public_key)


def test_the_second_form_of_a_signature_is_refused() -> None:
    """S and s + L verify the same equation; only the smaller one is a signature."""
    covered, _, text = COMPACT.rpartition(".")
    signature = b64u_decode(text)
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    other = signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(StatementError):
        verify_statement(f"{covered}.{b64u_encode(other)}", TYP, SIGNER.public_key)


@pytest.mark.parametrize("public_key", SMALL_ORDER_KEYS, ids=bytes.hex)
def test_keys_that_sign_for_everything_are_refused(public_key: bytes) -> None:
    """A key of small order has signatures that hold for any payload; it is no key here."""
    with pytest.raises(KeyInvalidError):
        check_public_key(public_key)
    header = f'{{"alg":"EdDSA","kid":"{key_id(public_key)}","typ":"{TYP}"}}'.encode()
    covered = f"{b64u_encode(header)}.{b64u_encode(PAYLOAD)}"
    for signature in (public_key + bytes(32), b"\x01" + bytes(63)):
        with pytest.raises(CryptoError):
            verify_statement(f"{covered}.{b64u_encode(signature)}", TYP, public_key)


def test_a_key_of_mixed_order_is_refused() -> None:
    """A point with a part of small order is no key: some verifiers would take what others refuse."""
    mixed = crypto_core_ed25519_add(SIGNER.public_key, SMALL_ORDER_KEYS[3])
    with pytest.raises(KeyInvalidError):
        check_public_key(mixed)
    with pytest.raises(KeyInvalidError):
        check_public_key(SIGNER.public_key[:-1])


def test_long_statements_are_not_read() -> None:
    """The limit is the caller's."""
    with pytest.raises(StatementError, match="long"):
        verify_statement(COMPACT, TYP, SIGNER.public_key, max_bytes=len(COMPACT) - 1)
    assert verify_statement(COMPACT, TYP, SIGNER.public_key, max_bytes=len(COMPACT)) == PAYLOAD


def test_signers_come_back_from_their_seed() -> None:
    """The seed is the whole key, signing is deterministic, and it does not show."""
    signer = Signer.generate()
    again = Signer.from_seed(signer.seed)
    assert again.public_key == signer.public_key
    assert again.sign(b"x") == signer.sign(b"x")
    assert signer.seed.hex() not in repr(signer)
    with pytest.raises(KeyInvalidError):
        Signer.from_seed(b"short")


def test_the_hash_of_a_statement_is_of_its_whole_text() -> None:
    """Signature included: two signatures of one payload are two statements."""
    assert len(statement_hash(COMPACT)) == 32
    assert statement_hash(COMPACT) != statement_hash(
        sign_statement(Signer.generate(), TYP, PAYLOAD)
    )


def test_a_type_is_a_plain_word() -> None:
    """A type that would need escaping in the header cannot be signed."""
    with pytest.raises(ValueError, match="type"):
        sign_statement(SIGNER, 'relay"test', PAYLOAD)


@pytest.mark.parametrize("signature", [COMPACT.rpartition(".")[2], "A" * 86])
def test_what_is_nobodys_is_verified_all_the_same(signature: str) -> None:
    """Nothing comes of it, whether it holds or not; what is no statement is refused as ever."""
    covered, _, _ = COMPACT.rpartition(".")
    verify_for_nobody(f"{covered}.{signature}")
    with pytest.raises(StatementError):
        verify_for_nobody(f"{covered}.{signature[:-2]}")
