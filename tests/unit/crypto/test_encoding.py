"""Text forms of bytes: every value has one spelling, and every other spelling is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.crypto import encoding
from relay.crypto.encoding import (
    b64_decode,
    b64_encode,
    b64u_decode,
    b64u_encode,
    bech32_decode,
    bech32_encode,
)
from relay.crypto.errors import EncodingError

BECH32_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@given(st.binary())
def test_base64_forms_come_back(data: bytes) -> None:
    """What is encoded decodes to the same bytes, in both alphabets."""
    assert b64u_decode(b64u_encode(data)) == data
    assert b64_decode(b64_encode(data)) == data


@given(st.text(alphabet=st.characters(max_codepoint=0x100), max_size=12))
@example("QQ==")
@example("QR")
@example("Q")
@example("+/+/")
@example("QUJD\n")
@example(" QUJD")
@example("QU\u00ffJD")
def test_only_the_canonical_base64url_is_read(text: str) -> None:
    """Padding, white space, foreign letters and stray low bits are refused: what decodes re-encodes."""
    try:
        data = b64u_decode(text)
    except EncodingError:
        return
    assert b64u_encode(data) == text


@given(st.text(alphabet=st.characters(max_codepoint=0x100), max_size=12))
@example("QQ==")
@example("-_-_")
@example("QR")
def test_only_the_canonical_base64_is_read(text: str) -> None:
    """The same for the alphabet of age headers."""
    try:
        data = b64_decode(text)
    except EncodingError:
        return
    assert b64_encode(data) == text


@given(st.sampled_from(["age", "age1pq", "AGE-SECRET-KEY-"]), st.binary(max_size=1300))
def test_bech32_comes_back(prefix: str, data: bytes) -> None:
    """What is encoded decodes to the same prefix, in its case, and the same bytes, at any length."""
    assert bech32_decode(bech32_encode(prefix, data)) == (prefix, data)


@given(st.binary(min_size=1, max_size=64), st.data())
def test_one_wrong_letter_breaks_bech32(data: bytes, draw: st.DataObject) -> None:
    """Any letter changed for another is noticed by the checksum."""
    text = bech32_encode("age", data)
    place = draw.draw(st.integers(min_value=4, max_value=len(text) - 1))
    letter = draw.draw(st.sampled_from(BECH32_LETTERS.replace(text[place], "")))
    with pytest.raises(EncodingError):
        bech32_decode(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "a12uel5l",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    ],
)
def test_bech32_reads_the_examples_of_its_standard(text: str) -> None:
    """Strings that BIP 173 calls valid and that are whole bytes are read, and written the same."""
    prefix, data = bech32_decode(text)
    assert bech32_encode(prefix, data) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "10a06t8",
        "1qzzfhee",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "a12UEL5L",
        "A12uEL5L",
        " 1nwldj5",
        "\x7f1axkwrx",
        "\u00801eym55h",
    ],
)
def test_bech32_refuses_the_bad_examples_of_its_standard(text: str) -> None:
    """Strings that BIP 173 calls invalid are refused, as is the empty one."""
    with pytest.raises(EncodingError):
        bech32_decode(text)


@pytest.mark.parametrize("values", [[0], [0, 0, 0], [31, 31], [0] * 8 + [1, 1]])
def test_bech32_refuses_leftover_bits(values: list[int]) -> None:
    """A good checksum over five-bit groups that are not whole bytes, or end in stray bits, does not help."""
    values = values + encoding.bech32_checksum("age", values)
    with pytest.raises(EncodingError, match="whole byte"):
        bech32_decode("age1" + "".join(BECH32_LETTERS[value] for value in values))
