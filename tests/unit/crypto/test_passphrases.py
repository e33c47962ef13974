"""The floor of a new passphrase: what is refused, with which sentence, and what is not."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.client.certifying import open_root, seal_root
from relay.crypto.keyrings import generate_keyring, seal_keyring, seal_participant_keyring
from relay.crypto.passphrases import (
    LEAST_CHARACTERS,
    LEAST_DIFFERENT,
    PassphraseFromLink,
    PassphraseRepeats,
    PassphraseShort,
    PassphraseUniform,
    WeakPassphrase,
    check_new_passphrase,
    find_weakness,
    normal,
)
from relay.crypto.signing import Signer

LINK = (
    "https://relay.example.org/l/8f14e45f-ceea-467f-a8e4-000000000001#AAECAwQFBgcICQoLDA0ODxAREhM"
)


@pytest.mark.parametrize(
    ("passphrase", "why"),
    [
        ("", PassphraseShort),
        ("a", PassphraseShort),
        ("eleven sign", PassphraseShort),
        ("   short one    ", PassphraseShort),
        ("a\u0301\u0301" * 5, PassphraseShort),
        ("aaaaaaaaaaaa", PassphraseRepeats),
        ("abcabcabcabc", PassphraseRepeats),
        ("AbcabCaBcabc", PassphraseRepeats),
        ("abcdefabcdef", PassphraseRepeats),
        ("abcdefgabcdefgabc", PassphraseRepeats),
        ("zoo zoo zoo zoo", PassphraseRepeats),
        ("aabbccddeeaab", PassphraseUniform),
        ("Aa bB aA Bb abb", PassphraseUniform),
        ("8f14e45f-ceea-467f", PassphraseFromLink),
        ("8F14 E45F CEEA 467F", PassphraseFromLink),
        ("my AAECAwQFBgcICQ", PassphraseFromLink),
        (f"see {LINK}", PassphraseFromLink),
        ("relay.example.org", PassphraseFromLink),
    ],
)
def test_what_is_refused(passphrase: str, why: type[WeakPassphrase]) -> None:
    """Short, repeated, of few characters, or a piece of the link: each is told apart."""
    assert find_weakness(passphrase, LINK) is why
    with pytest.raises(why):
        check_new_passphrase(passphrase, LINK)


@pytest.mark.parametrize(
    "passphrase",
    [
        "twelve signs",
        "  twelve signs  ",
        "a river under the old bridge",
        "déjà vu à Québec",
        "бабушка и сад",
        "十二个汉字也可以做口令哦",
        "abcdefabcdeg",
        "example.org 1",
        "8f14e45f other",
    ],
)
def test_what_is_taken(passphrase: str) -> None:
    """Twelve characters of six kinds in any language, and less than a run of twelve of the link."""
    assert find_weakness(passphrase, LINK) is None


def test_without_a_link_there_is_nothing_to_copy() -> None:
    """A mediator's keyring goes with no link."""
    assert find_weakness("8f14e45f-ceea-467f") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_floor_is_what_it_says(passphrase: str, link: str) -> None:
    """Whatever is taken has the length and the variety, does not repeat, and is not in the link."""
    text = normal(passphrase).lower()
    if find_weakness(passphrase, link) is None:
        assert len(text) >= LEAST_CHARACTERS
        assert len(set(text)) >= LEAST_DIFFERENT
        assert not re.fullmatch(r"(.+?)\1+", text, re.DOTALL)
    elif len(text) >= LEAST_CHARACTERS and not link:
        is_repeated = any(text[n:] == text[:-n] for n in range(1, len(text) // 2 + 1))
        assert is_repeated or len(set(text)) < LEAST_DIFFERENT


@given(st.text(max_size=40))
def test_one_passphrase_has_one_form(passphrase: str) -> None:
    """Composed or not, with spaces at the ends or without: what is stretched is the same."""
    form = normal(passphrase)
    assert normal(form) == form
    assert normal(f"  {passphrase} ") == form
    assert normal(unicodedata.normalize("NFD", passphrase)) == form


def test_keys_are_not_sealed_with_a_weak_passphrase() -> None:
    """The floor is applied where keys are sealed: a mediator's, a participant's and the root's."""
    keyring = generate_keyring()
    with pytest.raises(PassphraseShort):
        seal_keyring(keyring, "eleven sign", 1)
    with pytest.raises(PassphraseFromLink):
        seal_participant_keyring(
            keyring, "8f14e45f-ceea-467f", bytes(32), link=LINK, work_factor_log2=1
        )
    with pytest.raises(PassphraseRepeats):
        seal_root(Signer.generate(), "abcabcabcabc")


def test_a_root_opens_with_its_passphrase_however_it_is_typed() -> None:
    """As keyrings do."""
    root = Signer.generate()
    sealed = seal_root(root, "d\u00e9j\u00e0 vu \u00e0 Qu\u00e9bec", 1)
    assert open_root(sealed, " de\u0301ja\u0300 vu a\u0300 Que\u0301bec").seed == root.seed


def test_every_refusal_says_what_to_do_in_both_languages() -> None:
    """A code of its own, two sentences, and the numbers of the floor where they matter."""
    kinds = WeakPassphrase.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) == 4
    for kind in kinds:
        assert kind.sentence("en") != kind.sentence("fr")
        assert kind.sentence("en").endswith(".")
        assert kind.sentence("fr").endswith(".")
    for language in ("en", "fr"):
        assert str(LEAST_CHARACTERS) in PassphraseShort.sentence(language)
        assert str(LEAST_DIFFERENT) in PassphraseUniform.sentence(language)
