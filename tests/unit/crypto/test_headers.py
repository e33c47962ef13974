"""age headers: who is named can open, nobody else can, and no altered header opens."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.crypto.age import (
    HybridIdentity,
    HybridRecipient,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    Stanza,
    X25519Identity,
    X25519Recipient,
    new_file_key,
    open_file,
    parse_header,
    parse_identity,
    parse_recipient,
    read_header,
    seal_file,
    unwrap_header,
    wrap_header,
)
from relay.crypto.errors import HeaderError, HeaderMacError, KeyInvalidError, NoMatchError
from relay.errors import CryptoError
from tests.vectors.people import ANNA, BORIS, keyring

FILE_KEY = bytes(range(16))
HYBRID = ANNA.keyring.identity
HYBRID_TOO = BORIS.keyring.identity
X25519 = X25519Identity(bytes(range(32)))
PASSPHRASE = "in two words"
HEADERS: dict[str, tuple[bytes, Identity]] = {
    "hybrid": (wrap_header(FILE_KEY, [HYBRID.recipient]), HYBRID),
    "x25519": (wrap_header(FILE_KEY, [X25519.recipient]), X25519),
    "scrypt": (wrap_header(FILE_KEY, [ScryptRecipient(PASSPHRASE, 1)]), ScryptIdentity(PASSPHRASE)),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_who_is_named_can_open(kind: str) -> None:
    """The identity that belongs to the recipient gets the file key."""
    header, identity = HEADERS[kind]
    assert unwrap_header(header, [identity]) == FILE_KEY


@pytest.mark.parametrize(
    "stranger", [HYBRID_TOO, X25519Identity(bytes(32)), ScryptIdentity("another")], ids=str
)
@pytest.mark.parametrize("kind", HEADERS)
def test_nobody_else_can_open(kind: str, stranger: Identity) -> None:
    """Another identity of the same or another type opens nothing."""
    with pytest.raises(NoMatchError):
        unwrap_header(HEADERS[kind][0], [stranger])
    with pytest.raises(NoMatchError):
        unwrap_header(HEADERS[kind][0], [])


def test_everybody_named_can_open() -> None:
    """One header may name many, in any order, and the first identity that fits is enough."""
    third = keyring("a third").identity
    header = wrap_header(FILE_KEY, [HYBRID.recipient, HYBRID_TOO.recipient, third.recipient])
    identity: Identity
    for identity in (HYBRID, HYBRID_TOO, third):
        assert unwrap_header(header, [X25519, identity]) == FILE_KEY


def test_wrapping_again_gives_another_header() -> None:
    """Two headers for the same person share nothing that would show it is the same person or file."""
    again = wrap_header(FILE_KEY, [HYBRID.recipient])
    first = {line for line in HEADERS["hybrid"][0].splitlines() if len(line) > 3}
    assert first & set(again.splitlines()) == {b"age-encryption.org/v1"}


@given(st.sampled_from(sorted(HEADERS)), st.data())
@settings(max_examples=300)
def test_a_changed_byte_never_opens(kind: str, draw: st.DataObject) -> None:
    """A header with any single byte changed to any other fails, with an error of the crypto room."""
    header, identity = HEADERS[kind]
    altered = bytearray(header)
    place = draw.draw(st.integers(min_value=0, max_value=len(header) - 1))
    altered[place] ^= draw.draw(st.integers(min_value=1, max_value=255))
    if kind == "scrypt" and b" 1\n" not in altered and b"-> scrypt" in altered:
        with pytest.raises(CryptoError):
            unwrap_header(bytes(altered), [ScryptIdentity(PASSPHRASE, 1)])
        return
    with pytest.raises(CryptoError):
        unwrap_header(bytes(altered), [identity])


@given(st.sampled_from(sorted(HEADERS)), st.data())
def test_a_cut_or_longer_header_does_not_parse(kind: str, draw: st.DataObject) -> None:
    """Every proper start of a header, and every header with something after it, is refused."""
    header, _ = HEADERS[kind]
    length = draw.draw(st.integers(min_value=0, max_value=len(header) - 1))
    more = draw.draw(st.binary(min_size=1, max_size=5))
    for other in (header[:length], header + more):
        with pytest.raises(HeaderError):
            parse_header(other)


def test_stanzas_cannot_be_added_or_taken_away() -> None:
    """The MAC covers who is named: anyone who changes that without the file key is noticed."""
    one = wrap_header(FILE_KEY, [HYBRID.recipient])
    two = wrap_header(FILE_KEY, [HYBRID.recipient, HYBRID_TOO.recipient])
    stanza = parse_header(two).stanzas[0].encode()
    grease = Stanza(type="grease", arguments=("x",), body=b"").encode()
    for altered in (two.replace(stanza, b""), one.replace(b"---", grease + b"---")):
        with pytest.raises((HeaderMacError, NoMatchError)):
            unwrap_header(altered, [HYBRID, HYBRID_TOO])


def test_reading_stops_at_the_body() -> None:
    """A header is read off the front of a file without touching what follows."""
    source = io.BytesIO(HEADERS["hybrid"][0] + b"--- the body\n")
    header = read_header(source.readline)
    assert header.encoded == HEADERS["hybrid"][0]
    assert source.read() == b"--- the body\n"


def test_endless_headers_are_not_read_to_their_end() -> None:
    """What is read of a header has a limit, whether it comes as one line or as many."""
    start = b"age-encryption.org/v1\n-> grease\n"
    lines = b"".join([b"Q" * 64, b"\n"]) * 5000
    for endless in (b"a" * 10**6, start + b"Q" * 10**6, start + lines, b"-> x\n\n" * 10**5):
        with pytest.raises(HeaderError):
            parse_header(endless)


def test_mixed_families_are_refused_at_writing() -> None:
    """A passphrase is used alone, and a post-quantum file is not also written for classic recipients."""
    passphrase = ScryptRecipient(PASSPHRASE, 1)
    mixtures: list[list[Recipient]] = [
        [],
        [HYBRID.recipient, X25519.recipient],
        [passphrase, HYBRID.recipient],
        [passphrase, passphrase],
    ]
    for recipients in mixtures:
        with pytest.raises(ValueError, match="recipient"):
            wrap_header(FILE_KEY, recipients)
    with pytest.raises(ValueError, match="file key"):
        wrap_header(b"too short", [HYBRID.recipient])


def test_a_reader_chooses_how_much_work_it_does() -> None:
    """A file that asks for more work than the reader allows, or than anybody should, is refused at once."""
    header = wrap_header(FILE_KEY, [ScryptRecipient(PASSPHRASE, 4)])
    with pytest.raises(HeaderError, match="higher"):
        unwrap_header(header, [ScryptIdentity(PASSPHRASE, 3)])
    for factor in ("21", "22", "64", "99"):
        asking = header.replace(b" 4\n", f" {factor}\n".encode())
        with pytest.raises(HeaderError, match="higher"):
            unwrap_header(asking, [ScryptIdentity(PASSPHRASE, 99)])
    for factor_log2 in (0, 21):
        with pytest.raises(ValueError, match="work factor"):
            ScryptRecipient(PASSPHRASE, factor_log2)


def test_low_order_keys_are_refused() -> None:
    """A public key that makes every shared secret zero is not wrapped for."""
    weak = HybridRecipient(HYBRID.recipient.public_key[:-32] + bytes(32))
    for recipient in (weak, X25519Recipient(bytes(32))):
        with pytest.raises(KeyInvalidError):
            wrap_header(FILE_KEY, [recipient])


def test_keys_have_one_text_each() -> None:
    """Recipients and identities of both types are read from their text and written the same."""
    for identity in (HYBRID, X25519, HybridIdentity.generate(), X25519Identity.generate()):
        assert str(parse_identity(str(identity))) == str(identity)
        assert str(parse_recipient(str(identity.recipient))) == str(identity.recipient)
        assert str(identity).isupper()
        assert str(identity.recipient).islower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        str(HYBRID),
        str(HYBRID.recipient).upper(),
        str(HYBRID.recipient)[:-1],
        str(HYBRID.recipient) + "\n",
        str(X25519.recipient).replace("age1", "age1pq1"),
        "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e",
    ],
)
def test_other_texts_are_no_recipients(text: str) -> None:
    """Identities, upper case, cut texts, wrong prefixes and types that relay does not use are refused."""
    with pytest.raises(CryptoError):
        parse_recipient(text)


@pytest.mark.parametrize("text", ["", str(HYBRID.recipient), str(HYBRID).lower(), str(X25519)[:-1]])
def test_other_texts_are_no_identities(text: str) -> None:
    """Recipients, lower case and cut texts are refused."""
    with pytest.raises(CryptoError):
        parse_identity(text)


def test_secrets_do_not_show() -> None:
    """No representation of an identity or passphrase holds its secret."""
    for secret in (HYBRID, X25519, ScryptIdentity(PASSPHRASE), ScryptRecipient(PASSPHRASE, 1)):
        assert str(HYBRID) not in repr(secret)
        assert PASSPHRASE not in repr(secret)
        assert HYBRID.seed.hex() not in repr(secret)


def test_whole_files_open_for_whom_they_are_sealed() -> None:
    """seal_file and open_file are header and body in one."""
    sealed = seal_file(b"a small thing", [HYBRID.recipient])
    assert open_file(sealed, [HYBRID]) == b"a small thing"
    with pytest.raises(CryptoError):
        open_file(sealed[:-1], [HYBRID])
    with pytest.raises(NoMatchError):
        open_file(sealed, [HYBRID_TOO])


def test_file_keys_are_fresh() -> None:
    """Each file key is another, of 16 bytes."""
    keys = {new_file_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {16}
