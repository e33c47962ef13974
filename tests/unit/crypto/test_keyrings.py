"""Keyrings: the relay keeps them, only the passphrase opens them."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from relay.crypto.age import (
    HybridIdentity,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    open_file,
    parse_header,
    seal_file,
)
from relay.crypto.errors import HeaderError, NoMatchError
from relay.crypto.keyrings import (
    MEDIATOR_WORK_FACTOR_LOG2,
    PARTICIPANT_WORK_FACTOR_LOG2,
    RING_WORK_FACTOR_LOG2,
    generate_keyring,
    open_identities,
    open_keyring,
    open_participant_keyring,
    seal_identities,
    seal_keyring,
    seal_participant_keyring,
    stretch_passphrase,
)
from relay.errors import CryptoError
from tests.vectors.people import ANNA, BORIS, CASE_IDENTITY, NEW_CASE_IDENTITY, RECOVERY

PASSPHRASE = "three plain words"
UNLOCK = bytes(range(32))


def test_a_keyring_comes_back() -> None:
    """The same identity and signer come out for the right passphrase."""
    keyring = generate_keyring()
    opened = open_keyring(seal_keyring(keyring, PASSPHRASE, 4), PASSPHRASE)
    assert opened.identity.seed == keyring.identity.seed
    assert opened.signer.seed == keyring.signer.seed


def test_a_wrong_passphrase_opens_nothing() -> None:
    """Neither another passphrase nor one that differs in a space between its words."""
    sealed = seal_keyring(ANNA.keyring, PASSPHRASE, 4)
    for wrong in ("", PASSPHRASE.replace(" ", "  "), PASSPHRASE.upper()):
        with pytest.raises(NoMatchError):
            open_keyring(sealed, wrong)


def test_the_same_words_open_however_they_are_typed() -> None:
    """Composed or not, full width or not, with a space that a phone added: it is what is read that counts."""
    sealed = seal_keyring(ANNA.keyring, "d\u00e9j\u00e0 vu encore", 4)
    for typed in (
        "de\u0301ja\u0300 vu encore",
        "\uff44\u00e9j\u00e0 vu encore",
        " d\u00e9j\u00e0 vu encore ",
    ):
        assert open_keyring(sealed, typed).signer.seed == ANNA.keyring.signer.seed


@pytest.mark.slow
def test_work_factors_are_those_of_the_protocol() -> None:
    """17 for mediators, 15 for participants, and 1 in their file, whose key is stretched before."""
    assert (MEDIATOR_WORK_FACTOR_LOG2, PARTICIPANT_WORK_FACTOR_LOG2) == (17, 15)
    mediator = seal_keyring(ANNA.keyring, PASSPHRASE, MEDIATOR_WORK_FACTOR_LOG2)
    assert _work_factor(mediator) == "17"
    assert open_keyring(mediator, PASSPHRASE).identity.seed == ANNA.keyring.identity.seed
    participant, _ = seal_participant_keyring(
        ANNA.keyring, PASSPHRASE, UNLOCK, link="", work_factor_log2=PARTICIPANT_WORK_FACTOR_LOG2
    )
    assert _work_factor(participant) == str(RING_WORK_FACTOR_LOG2) == "1"


def test_a_participant_opens_with_passphrase_and_link() -> None:
    """Neither another passphrase, nor the same with another link or another work, opens the keyring."""
    sealed, stretched = seal_participant_keyring(
        ANNA.keyring, PASSPHRASE, UNLOCK, link="", work_factor_log2=2
    )
    again = stretch_passphrase(f"{PASSPHRASE} ", UNLOCK, 2)
    assert again == stretched
    assert open_participant_keyring(sealed, again).signer.seed == ANNA.keyring.signer.seed
    for other in (
        stretch_passphrase(PASSPHRASE.upper(), UNLOCK, 2),
        stretch_passphrase(PASSPHRASE, bytes(32), 2),
        stretch_passphrase(PASSPHRASE, UNLOCK, 3),
    ):
        assert {other.proof, other.ring_key}.isdisjoint({stretched.proof, stretched.ring_key})
        with pytest.raises(NoMatchError):
            open_participant_keyring(sealed, other)


def test_the_proof_opens_nothing() -> None:
    """What the relay is shown is not the key of the ring, and what it keeps is neither."""
    sealed, stretched = seal_participant_keyring(
        ANNA.keyring, PASSPHRASE, UNLOCK, link="", work_factor_log2=2
    )
    for shown in (stretched.proof, stretched.proof_hash):
        with pytest.raises(NoMatchError):
            open_participant_keyring(sealed, dataclasses.replace(stretched, ring_key=shown))
    assert stretched.proof_hash == hashlib.sha256(stretched.proof).digest()
    assert str(stretched.proof)[2:-1] not in repr(stretched)


def test_a_keyring_that_asks_for_too_much_is_refused() -> None:
    """A relay that hands out a file with a huge work factor cannot make a browser grind."""
    sealed = seal_keyring(ANNA.keyring, PASSPHRASE, 4).replace(b" 4\n", b" 21\n")
    with pytest.raises(HeaderError):
        open_keyring(sealed, PASSPHRASE)


def test_a_keyring_is_an_age_file_with_json_in_it() -> None:
    """Another age tool opens it, and what is inside is version, identity and signer."""
    plain = open_file(seal_keyring(ANNA.keyring, PASSPHRASE, 4), [ScryptIdentity(PASSPHRASE)])
    assert list(json.loads(plain)) == ["version", "identity", "signer"]


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"{}",
        b'{"version":2,"identity":"x","signer":"y"}',
        b'{"version":1,"identity":"x","signer":"y"}',
        b'{"version":1,"identity":"x","signer":"y","more":1}',
        b"\xff",
    ],
)
def test_other_contents_are_no_keyring(plain: bytes) -> None:
    """Whatever else was sealed under the passphrase is refused as a crypto error."""
    sealed = seal_file(plain, [ScryptRecipient(PASSPHRASE, 4)])
    with pytest.raises(CryptoError):
        open_keyring(sealed, PASSPHRASE)


@pytest.mark.parametrize(
    "held",
    [[CASE_IDENTITY], [NEW_CASE_IDENTITY, CASE_IDENTITY]],
    ids=["the first", "two, the latest first"],
)
def test_the_identities_of_a_case_open_for_its_mediators_and_recovery(
    held: list[HybridIdentity],
) -> None:
    """They are an ordinary identity file in an order that stays, sealed for several and for nobody else."""
    sealed = seal_identities(
        held, [ANNA.keyring.identity.recipient, RECOVERY.keyring.identity.recipient]
    )
    for person in (ANNA, RECOVERY):
        opened = open_identities(sealed, [person.keyring.identity])
        assert [identity.seed for identity in opened] == [identity.seed for identity in held]
    with pytest.raises(NoMatchError):
        open_identities(sealed, [BORIS.keyring.identity])
    plain = open_file(sealed, [ANNA.keyring.identity])
    assert plain == "".join(f"{identity}\n" for identity in held).encode()


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\n",
        b"\xff\xfe",
        f"{CASE_IDENTITY}\n\n".encode(),
        f"\n{CASE_IDENTITY}\n".encode(),
        f"{CASE_IDENTITY} \n".encode(),
        f"{CASE_IDENTITY}\r\n".encode(),
        f"{CASE_IDENTITY}\n{CASE_IDENTITY.recipient}\n".encode(),
        f"{X25519Identity(bytes(range(32)))}\n".encode(),
    ],
    ids=repr,
)
def test_something_else_is_no_case_identity(plain: bytes) -> None:
    """A file for the right person with other content is refused."""
    identity = HybridIdentity.generate()
    with pytest.raises(CryptoError):
        open_identities(seal_file(plain, [identity.recipient]), [identity])


def _work_factor(sealed: bytes) -> str:
    header = parse_header(sealed[: sealed.index(b"\n", sealed.index(b"---")) + 1])
    return header.stanzas[0].arguments[1]
